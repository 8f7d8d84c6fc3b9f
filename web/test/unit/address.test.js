import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, isPlain, parseAddress } from "../../js/ui/address.js";

test("an address names the front page, a room, a message in it, or nothing", () => {
  const at = (/** @type {string} */ pathname, hash = "") => parseAddress({ pathname, hash });
  assert.deepEqual(at("/"), { at: "front" });
  assert.deepEqual(at("/r/lobby/", "#42"), { at: "room", name: "lobby", seq: 42 });
  assert.deepEqual(at("/r/stra%C3%9Fe", "#-1"), { at: "room", name: "straße", seq: null });
  assert.deepEqual(at("/r/%ff"), { at: "room", name: "\ufffd", seq: null });
  assert.deepEqual(at("/r/a/b/"), { at: "room", name: "a/b", seq: null }); // the server makes it a-b
  assert.deepEqual(at("/rooms"), { at: "nowhere" });
  assert.equal(formatAddress("straße", 3), "/r/stra%C3%9Fe#3");
  assert.deepEqual(["lobby", "a.b-c_9", "Lobby", "straße", "..", ".", "-", "a".repeat(65)].map(isPlain), [
    true,
    true,
    false,
    false,
    false,
    false,
    true,
    false,
  ]);
});
