import assert from "node:assert/strict";
import { test } from "node:test";
import { cutMentions } from "../../js/room/mentions.js";

const ADA = { id: "a", name: "Ada" };
const LOVELACE = { id: "l", name: "Ada Lovelace" };

test("mentions are complete names, the longest first, and not within other words", () => {
  const named = (/** @type {string} */ text, here = false) =>
    cutMentions(text, [ADA, LOVELACE], here)
      .filter((p) => p.names)
      .map((p) => `${p.names}:${p.text}`);
  assert.deepEqual(named("hi @Ada, and @ada lovelace!"), ["a:@Ada", "l:@ada lovelace"]);
  assert.deepEqual(named("mail@ada.org @Adam @@Ada @Ada's"), ["a:@Ada", "a:@Ada"]);
  assert.deepEqual(named("@here @HERE @heretic"), []);
  assert.deepEqual(named("@here @HERE @heretic", true), ["here:@here", "here:@HERE"]);
  for (const text of ["", "@", "@Ada", "x @Ada y @Ada", "İ@Ada", "@\u{1F600}@Ada"])
    assert.equal(
      cutMentions(text, [ADA], true)
        .map((p) => p.text)
        .join(""),
      text,
    );
});
