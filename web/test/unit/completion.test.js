import assert from "node:assert/strict";
import { test } from "node:test";
import { clearChoice, suggestCommands, suggestEmoji, suggestPeople, wordAt } from "../../js/talk/completion.js";

const ADA = { id: "a", name: "Ada" };
const LOVELACE = { id: "l", name: "Ada Lovelace" };

test("the word at the caret is a person, an emoji or a command, or nothing", () => {
  const word = (/** @type {string} */ text) => {
    const w = wordAt(text, text.length);
    return w && `${w.sign}${w.query}`;
  };
  for (const [text, want] of /** @type {[string, string | null][]} */ ([
    ["@", "@"],
    ["hi @Ad", "@Ad"],
    ["(@ada lo", "@ada lo"],
    ["a@b", null],
    ["é@b", null],
    ["@a\nb", null],
    ["@a @b", "@b"],
    ["请@张", "@张"],
    ["コーヒー@田", "@田"],
    ["คุณ@สม", "@สม"],
    ["。@田", "@田"],
    [":)", null],
    [":s", null],
    [":sm", ":sm"],
    ["a :smile", ":smile"],
    ["(:smile", ":smile"],
    ["“:smile", ":smile"],
    ["好:smile", ":smile"],
    ["です:smile", ":smile"],
    ["a:smile", null],
    ["10:30", null],
    ["http:8080", null],
    ["::smile", null],
    ["lol :-p", null],
    [":+1", ":+1"],
    [":-1", ":-1"],
    ["/", "/"],
    ["/to", "/to"],
    ["/topic x", null],
    ["a /b", null],
    ["//", null],
  ]))
    assert.equal(word(text), want, text);
  assert.deepEqual(wordAt("hi @Ad there", 6), { sign: "@", from: 3, to: 6, query: "Ad" });
});

test("Enter takes a completion only if what is written is clearly its beginning", () => {
  const names = ["me", "topic", "tableflip", "shrug", "spoiler"];
  const commands = names.map((name) => ({ name, args: "", help: "", by: "" }));
  const people = [ADA, LOVELACE, { id: "g", name: "Grace Hopper" }, { id: "t", name: "田中" }];
  const codes = ["smile", "100", "p_button", "+1", "thumbsup_all", "xd_face", "op"];
  const suggest = (/** @type {import("../../js/talk/completion.js").Word} */ { sign, query }) =>
    sign === "@"
      ? suggestPeople(query, people, [], "me", "")
      : sign === "/"
        ? suggestCommands(query, commands)
        : suggestEmoji(codes.filter((c) => c.includes(query)).map((code) => ({ emoji: "☺", code })));
  const taken = (/** @type {string} */ text) => {
    const word = wordAt(text, text.length);
    const list = word ? suggest(word) : [];
    return word ? (list[clearChoice(word, list)]?.label ?? "") : "";
  };
  for (const [text, want] of [
    ["@gr", "Grace Hopper"],
    ["hi @Hopp", "Grace Hopper"],
    ["@ada l", "Ada Lovelace"],
    ["请@田", "田中"],
    ["@he", "@here"],
    ["lol :smi", "☺"],
    ["/to", "/topic"],
    ["/sp", "/spoiler"],
    // Enter sends these as they are.
    ["@", ""],
    ["@g", ""],
    ["@ada", ""], // it is somebody's name already
    ["@Ada ", ""],
    ["@nobody", ""],
    ["lol :-p", ""],
    ["at :30", ""],
    ["ratio :10", ""],
    ["lol :xd", ""],
    [":op", ""],
    [":+1", ""],
    [":all", ""], // it is within another one's name
    ["/s", ""],
    ["/t", ""],
    ["/", ""],
  ])
    assert.equal(taken(text ?? ""), want, text);
});

test("people in the room come first, each name once, the person never", () => {
  const grace = { id: "g", name: "Grace" };
  const suggest = (/** @type {string} */ q) =>
    suggestPeople(q, [grace, ADA], [LOVELACE, { id: "other", name: "ada" }], "g", "everybody").map((s) => s.text);
  assert.deepEqual(suggest(""), ["@Ada", "@Ada Lovelace", "@here"]);
  assert.deepEqual(suggest("lov"), ["@Ada Lovelace"]);
  assert.deepEqual(suggest("h"), ["@here"]);
  assert.deepEqual(suggest("gra"), []);
  const many = Array.from({ length: 30 }, (_, i) => ({ id: `${i}`, name: `P${i}` }));
  assert.equal(suggestPeople("", many, [], "g", "").length, 8);
});
