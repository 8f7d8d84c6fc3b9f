import assert from "node:assert/strict";
import { test } from "node:test";
import { OfflineCopy } from "../../js/list/offline-copy.js";
import { emptyEntry } from "../../js/list/room-list-state.js";
import { begin } from "../../js/room/room-state.js";
import { Timers } from "./fakes.js";

/** @import { MessageState, Page } from "../../js/wire/types.js" */

const ADA = { id: "a", name: "Ada" };
const WRITE_MS = 10_000;
const READ_MS = 5_000;

/** @param {number} seq  @param {string} text  @returns {MessageState} */
const message = (seq, text) => ({ seq, at: seq, kind: "message", from: ADA, text, html: text });

/** What a room's screen shows. @param {string} room  @param {MessageState[]} messages */
const shown = (room, messages, head = messages.at(-1)?.seq ?? 0) => ({
  ...begin(room, ADA),
  epoch: "e",
  head,
  headAt: head,
  messages,
});

/** An update of the list. @param {string} room  @param {number} seq  @param {string} kind */
const update = (room, seq, kind) => ({
  ...{ room, seq, at: seq, kind, from: ADA, text: "", mentions: [], here: false, thread: 0, target: 1 },
});

/** A browser's copy. The server has what is in `server`. */
function begun() {
  /** @type {Map<string, string>} */
  const items = new Map();
  const timers = new Timers();
  const world = {
    items,
    timers,
    visited: ["lobby", "garden"],
    server: /** @type {Record<string, Page>} */ ({}),
    asked: /** @type {string[]} */ ([]),
  };
  const copy = new OfflineCopy({
    shelf: {
      read: async (item) => (items.has(item) ? JSON.parse(items.get(item) ?? "") : undefined),
      write: async (item, value) => void items.set(item, JSON.stringify(value)),
      remove: async (item) => void items.delete(item),
      items: async () => [...items.keys()],
      clear: async () => items.clear(),
    },
    messages: async (room) => {
      world.asked.push(room);
      const page = world.server[room];
      if (!page) throw new Error("no network");
      return page;
    },
    visited: () => world.visited,
    setTimeout: timers.setTimeout,
    random: () => 1,
  });
  /** @param {string} room  @param {MessageState[]} messages */
  const show = async (room, messages) => {
    copy.roomChanged(room, () => shown(room, messages));
    await timers.pass(WRITE_MS);
  };
  const texts = async (/** @type {string} */ room) => (await copy.room(room))?.messages.map((m) => m.text) ?? null;
  return Object.assign(world, { copy, show, texts });
}

test("a room's newest messages are held, in the state of the last change, and written seldom", async () => {
  const b = begun();
  let messages = [message(1, "first")];
  b.copy.roomChanged("lobby", () => shown("lobby", messages));
  await b.timers.pass(WRITE_MS - 1);
  assert.equal(await b.copy.room("lobby"), null);
  messages = Array.from({ length: 80 }, (_, i) => message(i + 1, `line ${i + 1}`));
  await b.timers.pass(1);
  const page = await b.copy.room("lobby");
  assert.equal(page?.messages.length, 50);
  assert.equal(page?.messages.at(-1)?.text, "line 80");
  assert.equal(page?.more, true);
  assert.deepEqual([page?.seq, page?.epoch], [80, "e"]);
});

test("a room that is not listened to any more, or whose newest messages are not there, is not written", async () => {
  const b = begun();
  await b.show("lobby", [message(1, "as it was")]);
  for (const state of [null, { ...shown("lobby", []), newer: true }, begin("lobby", ADA)]) {
    b.copy.roomChanged("lobby", () => state);
    await b.timers.pass(WRITE_MS);
    assert.deepEqual(await b.texts("lobby"), ["as it was"]);
  }
});

test("the list is held without what belongs to this visit", async () => {
  const b = begun();
  const entry = { ...emptyEntry("lobby", 1), heard: [update("lobby", 1, "message")], stale: true };
  b.copy.listChanged(() => [entry]);
  await b.timers.pass(WRITE_MS);
  assert.deepEqual(await b.copy.list(), [emptyEntry("lobby", 1)]);
});

test("rooms read long ago are not held", async () => {
  const b = begun();
  await b.show("garden", [message(1, "roses")]);
  b.visited = Array.from({ length: 12 }, (_, i) => `room-${i}`);
  await b.show("room-0", [message(1, "new")]);
  assert.equal(await b.copy.room("garden"), null);
  assert.deepEqual(await b.texts("room-0"), ["new"]);
});

for (const kind of ["delete", "edit"]) {
  test(`${kind} elsewhere: the copy of that room is gone at once, and comes again as the server has it`, async () => {
    const b = begun();
    await b.show("garden", [message(1, "a secret"), message(2, "roses")]);
    b.server["garden"] = { room: "garden", seq: 3, epoch: "e", more: false, messages: [message(2, "roses")] };
    await b.copy.heard(update("garden", 3, kind));
    assert.equal(await b.copy.room("garden"), null);
    await b.timers.pass(READ_MS);
    assert.deepEqual(await b.texts("garden"), ["roses"]);
  });
}

test("a message elsewhere changes no copy, and nothing is asked for rooms without one", async () => {
  const b = begun();
  await b.show("garden", [message(1, "roses")]);
  await b.copy.heard(update("garden", 2, "message"));
  await b.copy.heard(update("lobby", 2, "delete"));
  await b.timers.pass(READ_MS);
  assert.deepEqual(await b.texts("garden"), ["roses"]);
  assert.deepEqual(b.asked, []);
});

test("the list comes: copies of rooms that did not change stay, the others are read again one by one", async () => {
  const b = begun();
  b.visited = ["same", "changed", "left", "restored", "unread"];
  for (const room of b.visited) await b.show(room, [message(4, `old ${room}`)]);
  b.server = { changed: { room: "changed", seq: 9, epoch: "e", more: false, messages: [message(9, "new")] } };
  const list = new Map(["same", "changed", "unread"].map((room) => [room, { ...emptyEntry(room), seq: 4 }]));
  for (const room of ["changed", "unread"]) list.set(room, { ...emptyEntry(room), seq: 9 });
  b.visited = ["same", "changed", "unread"];
  await b.copy.listCame(list, "e");
  assert.deepEqual([...b.items.keys()], ["room same", "list"]);
  assert.deepEqual(await b.copy.list(), [...list.values()]);
  await b.timers.pass(READ_MS);
  assert.deepEqual(b.asked, ["changed"]);
  await b.timers.pass(10 * READ_MS);
  assert.deepEqual(b.asked, ["changed", "unread"]);
  assert.deepEqual([...b.items.keys()].sort(), ["list", "room changed", "room same"]);
  assert.deepEqual(await b.texts("changed"), ["new"]);
});

test("the list comes: a room on the screen that it does not have yet is held", async () => {
  const b = begun();
  b.copy.roomChanged("lobby", () => shown("lobby", [message(4, "on the screen")]));
  await b.copy.listCame(new Map(), "e");
  assert.deepEqual(await b.texts("lobby"), ["on the screen"]);
});

test("another log: no copy of the old one stays", async () => {
  const b = begun();
  await b.show("lobby", [message(4, "before the back-up was put back")]);
  await b.copy.listCame(new Map([["lobby", { ...emptyEntry("lobby"), seq: 4 }]]), "another");
  assert.equal(await b.copy.room("lobby"), null);
});

test("what the screen shows wins over a page that is on its way", async () => {
  const b = begun();
  await b.show("garden", [message(1, "a secret")]);
  await b.copy.heard(update("garden", 2, "delete"));
  await b.show("garden", [message(3, "from the screen")]);
  await b.timers.pass(10 * READ_MS);
  assert.deepEqual(await b.texts("garden"), ["from the screen"]);
  assert.deepEqual(b.asked, []);
});

test("nobody sees the copy of somebody else, and nothing is left of it after signing out", async () => {
  const b = begun();
  await b.copy.begin(ADA);
  await b.show("lobby", [message(1, "for Ada")]);
  await b.copy.begin(ADA);
  assert.deepEqual(await b.copy.whose(), ADA);
  assert.deepEqual(await b.texts("lobby"), ["for Ada"]);
  await b.copy.begin({ id: "g", name: "Grace" });
  assert.deepEqual([...b.items.keys()], ["me"]);
  b.copy.roomChanged("lobby", () => shown("lobby", [message(1, "for Grace")]));
  await b.copy.end();
  await b.timers.pass(2 * WRITE_MS);
  await b.copy.begin(ADA);
  assert.deepEqual([...b.items.keys()], []);
});
