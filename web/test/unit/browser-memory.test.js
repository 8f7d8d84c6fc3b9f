import assert from "node:assert/strict";
import { test } from "node:test";
import { BrowserMemory } from "../../js/room/browser-memory.js";
import { Store, nameOf } from "../../js/ui/storage.js";
import { MemoryStorage } from "./fakes.js";

test("drafts and read marks are stored per room, and a read mark of another epoch does not count", () => {
  const backing = new MemoryStorage();
  const r = new BrowserMemory(new Store(backing));
  r.name = "Ada";
  r.visited("lobby", 1);
  r.visited("garden", 2);
  r.visited("lobby", 3);
  assert.deepEqual(
    r.visits().map((v) => v.room),
    ["lobby", "garden"],
  );
  r.setDraft("lobby", "half a th");
  r.advanceLastRead("lobby", "e", 42);
  r.advanceLastRead("lobby", "e", 7);
  const again = new BrowserMemory(new Store(backing));
  assert.deepEqual(
    [
      again.name,
      again.draft("lobby"),
      again.draft("garden"),
      again.lastRead("lobby", "e"),
      again.lastRead("lobby", "other"),
    ],
    ["Ada", "half a th", "", 42, 0],
  );
  again.forget("lobby");
  assert.deepEqual(
    [again.visits().map((v) => v.room), again.draft("lobby"), again.lastRead("lobby", "e")],
    [["garden"], "", 0],
  );
  assert.deepEqual([nameOf("parley:draft:x"), nameOf("other"), nameOf(null)], ["draft:x", null, null]);
});
