// The small pure parts of talking: who is named, what a word may become, what a slash means, emoji.
import assert from "node:assert/strict";
import { test } from "node:test";
import { clientCommand, previewText } from "../../js/room/slash-commands.js";
import { suggestCommands, suggestPeople, wordAt } from "../../js/talk/completion.js";
import { EmojiBook, TONES, toned } from "../../js/talk/emoji.js";
import { cutMentions } from "../../js/room/mentions.js";
import { Store } from "../../js/ui/storage.js";
import { MemoryStorage } from "./fakes.js";

/** @import { Api } from "../../js/wire/api.js" */

const ADA = { id: "a", name: "Ada" };
const LOVELACE = { id: "l", name: "Ada Lovelace" };

test("names are found as they are, the longest first, and not within other words", () => {
  const named = (/** @type {string} */ text, here = false) => cutMentions(text, [ADA, LOVELACE], here).filter((p) => p.names).map((p) => `${p.names}:${p.text}`);
  assert.deepEqual(named("hi @Ada, and @ada lovelace!"), ["a:@Ada", "l:@ada lovelace"]);
  assert.deepEqual(named("mail@ada.org @Adam @@Ada @Ada's"), ["a:@Ada", "a:@Ada"]);
  assert.deepEqual(named("@here @HERE @heretic"), []);
  assert.deepEqual(named("@here @HERE @heretic", true), ["here:@here", "here:@HERE"]);
  for (const text of ["", "@", "@Ada", "x @Ada y @Ada", "İ@Ada", "@\u{1F600}@Ada"]) assert.equal(cutMentions(text, [ADA], true).map((p) => p.text).join(""), text);
});

test("the word at the caret is a person, an emoji or a command, or nothing", () => {
  const word = (/** @type {string} */ text) => {
    const w = wordAt(text, text.length);
    return w && `${w.sign}${w.query}`;
  };
  assert.deepEqual(["@", "hi @Ad", "(@ada lo", "a@b", "@a\nb", "@a @b"].map(word), ["@", "@Ad", "@ada lo", null, null, "@b"]);
  assert.deepEqual([":)", ":s", ":sm", "a :smile", "a:smile", "10:30"].map(word), [null, null, ":sm", ":smile", null, null]);
  assert.deepEqual(["/", "/to", "/topic x", "a /b", "//"].map(word), ["/", "/to", null, null, null]);
  assert.deepEqual(wordAt("hi @Ad there", 6), { sign: "@", from: 3, to: 6, query: "Ad" });
});

test("who is here comes first, each name once, oneself never", () => {
  const grace = { id: "g", name: "Grace" };
  const suggest = (/** @type {string} */ q) => suggestPeople(q, [grace, ADA], [LOVELACE, { id: "other", name: "ada" }], "g", "everybody").map((s) => s.text);
  assert.deepEqual(suggest(""), ["@Ada", "@Ada Lovelace", "@here"]);
  assert.deepEqual(suggest("lov"), ["@Ada Lovelace"]);
  assert.deepEqual(suggest("h"), ["@here"]);
  assert.deepEqual(suggest("gra"), []);
  const many = Array.from({ length: 30 }, (_, i) => ({ id: `${i}`, name: `P${i}` }));
  assert.equal(suggestPeople("", many, [], "g", "").length, 8);
});

test("commands are suggested with what they take, and the page's own are told from the server's", () => {
  const commands = [{ name: "me", args: "what", help: "do", by: "server" }, { name: "nick", args: "name", help: "be", by: "client" }];
  assert.deepEqual(suggestCommands("m", commands), [{ text: "/me", label: "/me what", note: "do" }]);
  assert.deepEqual(clientCommand("/nick  Grace Hopper "), { name: "nick", args: "Grace Hopper" });
  for (const text of ["/me waves", "/nickname", "//nick x", " /nick x", "/NICK x"]) assert.equal(clientCommand(text), null, text);
  assert.deepEqual(["/me waves", "//me", "/me", "/mean"].map((s) => previewText(s)), [{ text: "waves", action: true }, { text: "/me" }, { text: "/me" }, { text: "/mean" }]);
});

test("emoji are found by their short-codes, toned where there is skin, and remembered", async () => {
  const list = [["👍", "+1", "thumbsup"], ["👩‍🚀", "woman_astronaut"], ["🎉", "tada"], ["✌️", "v"]];
  let asked = 0;
  const api = /** @type {Api} */ (/** @type {unknown} */ ({ emoji: async () => (asked++ ? list : Promise.reject(new Error("lost"))) }));
  const book = new EmojiBook(api, new Store(new MemoryStorage()));
  await assert.rejects(book.search("tada"));
  assert.deepEqual((await book.search("thumb")).map((f) => f.emoji), ["👍"]);
  book.tone = TONES[3] ?? "";
  assert.deepEqual((await book.search(":+1:")).map((f) => [f.emoji, f.code]), [["👍🏽", "+1"]]);
  assert.deepEqual([toned("👩‍🚀", "🏽"), toned("✌️", "🏿"), toned("🎉", "🏽"), toned("👍🏻", "🏽")], ["👩🏽‍🚀", "✌🏿", "🎉", "👍🏻"]);
  book.used("🎉");
  book.used("🐢");
  assert.deepEqual(book.recent(3), ["🐢", "🎉", "👍"]);
  book.store.put("emoji:recent", ["<img src=x>", 7, "🐢"]);
  assert.equal(book.recent(1)[0], "🐢");
});
