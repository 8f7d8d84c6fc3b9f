import assert from "node:assert/strict";
import { test } from "node:test";
import { suggestPeople, wordAt } from "../../js/talk/completion.js";

const ADA = { id: "a", name: "Ada" };
const LOVELACE = { id: "l", name: "Ada Lovelace" };

test("the word at the caret is a person, an emoji or a command, or nothing", () => {
  const word = (/** @type {string} */ text) => {
    const w = wordAt(text, text.length);
    return w && `${w.sign}${w.query}`;
  };
  assert.deepEqual(["@", "hi @Ad", "(@ada lo", "a@b", "@a\nb", "@a @b"].map(word), [
    "@",
    "@Ad",
    "@ada lo",
    null,
    null,
    "@b",
  ]);
  assert.deepEqual([":)", ":s", ":sm", "a :smile", "a:smile", "10:30"].map(word), [
    null,
    null,
    ":sm",
    ":smile",
    null,
    null,
  ]);
  assert.deepEqual(["/", "/to", "/topic x", "a /b", "//"].map(word), ["/", "/to", null, null, null]);
  assert.deepEqual(wordAt("hi @Ad there", 6), { sign: "@", from: 3, to: 6, query: "Ad" });
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
