import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { toRoomName } from "../../js/ui/room-name.js";

/** @typedef {{ about: string, given: string, name?: string, refused?: string }} Case */

test("what people type becomes a room's name exactly as on the server", () => {
  const file = new URL("../../../internal/chat/testdata/room-names.json", import.meta.url);
  const cases = /** @type {Case[]} */ (JSON.parse(readFileSync(file, "utf8")));
  assert.ok(cases.length > 100);
  for (const { about, given, name = "", refused = "" } of cases) {
    assert.deepEqual(toRoomName(given), { name, problem: refused }, `${about}: ${JSON.stringify(given)}`);
    if (name) assert.equal(toRoomName(name).name, name, `${about}: once more: ${JSON.stringify(name)}`);
  }
});

test("half a surrogate pair is no name", () => assert.equal(toRoomName("a\ud800").problem, "text"));
