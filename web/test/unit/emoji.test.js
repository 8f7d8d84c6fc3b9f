import assert from "node:assert/strict";
import { test } from "node:test";
import { grouped } from "../../js/talk/emoji-groups.js";
import { EmojiBook, TONES, toned } from "../../js/talk/emoji.js";
import { Store } from "../../js/ui/storage.js";
import { MemoryStorage } from "./fakes.js";

/** @import { Api } from "../../js/wire/api.js" */

test("emoji are found by their short-codes, get a skin tone where there is skin, and are stored", async () => {
  const list = [
    ["👍", "+1", "thumbsup"],
    ["👩‍🚀", "woman_astronaut"],
    ["🎉", "tada"],
    ["✌️", "v"],
  ];
  let asked = 0;
  const api = /** @type {Api} */ (
    /** @type {unknown} */ ({ emoji: async () => (asked++ ? list : Promise.reject(new Error("lost"))) })
  );
  const book = new EmojiBook(api, new Store(new MemoryStorage()));
  await assert.rejects(book.search("tada"));
  assert.deepEqual(
    (await book.search("thumb")).map((f) => f.emoji),
    ["👍"],
  );
  book.tone = TONES[3] ?? "";
  assert.deepEqual(
    (await book.search(":+1:")).map((f) => [f.emoji, f.code]),
    [["👍🏽", "+1"]],
  );
  assert.deepEqual(
    [toned("👩‍🚀", "🏽"), toned("✌️", "🏿"), toned("🎉", "🏽"), toned("👍🏻", "🏽")],
    ["👩🏽‍🚀", "✌🏿", "🎉", "👍🏻"],
  );
  book.used("🎉");
  book.used("🐢");
  assert.deepEqual(book.recent(3), ["🐢", "🎉", "👍"]);
  book.store.put("emoji:recent", ["<img src=x>", 7, "🐢"]);
  assert.equal(book.recent(1)[0], "🐢");
});

test("emoji are split into groups, and one whose beginning is not known belongs to the group before it", () => {
  const all = ["😀", "👋", "🐵", "🌍", "🚗", "🏁"].map((e) => [e, e]);
  const groups = grouped(all).map(({ says, all }) => [says, all.map(([e]) => e).join("")]);
  assert.deepEqual(groups, [
    ["emoji.people", "😀👋"],
    ["emoji.nature", "🐵"],
    ["emoji.travel", "🌍🚗"],
    ["emoji.flags", "🏁"],
  ]);
  assert.deepEqual(grouped([]), []);
});
