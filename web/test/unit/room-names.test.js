import assert from "node:assert/strict";
import { test } from "node:test";
import { WORDS, makeRoomName } from "../../js/shell/room-names.js";

test("generated room names have 53 random bits, and the server accepts them", () => {
  assert.equal(WORDS.length, 256);
  assert.equal(new Set(WORDS).size, 256);
  assert.ok(WORDS.every((w) => /^[a-z]{3,9}$/.test(w)));
  assert.ok(5 * Math.log2(WORDS.length) + Math.log2(10_000) > 53);
  assert.match(makeRoomName(), /^([a-z]+-){5}\d{4}$/);
  assert.ok(Math.max(...WORDS.map((w) => w.length)) * 5 + 9 <= 64);
  let calls = 0;
  // The first number would favour some.
  const unlucky = makeRoomName((bytes) => bytes.fill(bytes.length === 4 && calls++ === 0 ? 255 : 1));
  assert.equal(unlucky, `${Array(5).fill(WORDS[1]).join("-")}-3009`); // 0x01010101 % 10,000
  assert.equal(calls, 2);
});
