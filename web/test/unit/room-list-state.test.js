import assert from "node:assert/strict";
import { test } from "node:test";
import { countText } from "../../js/list/count-text.js";
import {
  applyReadMark,
  applyUpdate,
  attention,
  badge,
  byAttention,
  emptyEntry,
  fromEntries,
  sections,
  withEntry,
} from "../../js/list/room-list-state.js";

/** @import { ListUpdate } from "../../js/wire/types.js" */
/** @import { Rooms } from "../../js/list/room-list-state.js" */

const room = (/** @type {string} */ name, /** @type {object} */ more = {}) => ({
  ...emptyEntry(name),
  seq: 10,
  at: 10,
  read: 10,
  ...more,
});

/** @param {string} name  @param {number} seq  @param {Partial<ListUpdate>} [more]  @returns {ListUpdate} */
const news = (name, seq, more) => ({
  room: name,
  seq,
  at: seq,
  kind: "message",
  from: { id: "g", name: "Grace" },
  text: "hi",
  mentions: [],
  here: false,
  thread: 0,
  target: 0,
  ...more,
});

const counts = (/** @type {Rooms} */ rooms, /** @type {string} */ name) => [
  rooms.get(name)?.unread,
  rooms.get(name)?.mentions,
];

test("messages and mentions of others are unread, also in threads; own messages and read ones are not", () => {
  let rooms = fromEntries([room("lobby")]);
  rooms = applyUpdate(rooms, news("lobby", 11), "a");
  assert.deepEqual(counts(rooms, "lobby"), [1, 0]);
  rooms = applyUpdate(rooms, news("lobby", 12, { mentions: ["a"] }), "a");
  rooms = applyUpdate(rooms, news("lobby", 13, { kind: "reply", thread: 3, here: true }), "a");
  assert.deepEqual(counts(rooms, "lobby"), [2, 2]);
  rooms = applyUpdate(rooms, news("lobby", 14, { from: { id: "a", name: "Ada" }, text: "mine" }), "a");
  assert.deepEqual([...counts(rooms, "lobby"), rooms.get("lobby")?.last?.text], [2, 2, "mine"]);
  assert.equal(applyUpdate(rooms, news("lobby", 14), "a"), rooms, "heard before");
  rooms = applyReadMark(rooms, { room: "lobby", seq: 14, unread: 0, mentions: 0 });
  assert.deepEqual(counts(rooms, "lobby"), [0, 0]);
  assert.equal(applyReadMark(rooms, { room: "lobby", seq: 14, unread: 0, mentions: 0 }), rooms);
  rooms = applyUpdate(rooms, news("lobby", 15, { kind: "topic", text: "Ships" }), "a");
  assert.deepEqual([rooms.get("lobby")?.topic, ...counts(rooms, "lobby")], ["Ships", 0, 0]);
});

test("favourites come first, then rooms with mentions, then by the last message; muted rooms do not move up", () => {
  const rooms = fromEntries([
    room("old", { at: 1 }),
    room("new", { at: 9 }),
    room("named", { at: 2, mentions: 1, unread: 1 }),
    room("muted", { at: 3, mentions: 5, muted: true }),
    room("loved", { at: 1, favourite: true }),
    room("loved-more", { at: 5, favourite: true }),
    room("loved-and-named", { at: 2, favourite: true, mentions: 1 }),
  ]);
  assert.deepEqual(
    sections(rooms).map((s) => [s.name, ...s.entries.map((e) => e.room)]),
    [
      ["favourites", "loved-and-named", "loved-more", "loved"],
      ["rooms", "named", "new", "muted", "old"],
    ],
  );
  assert.deepEqual(sections(fromEntries([])), []);
});

test("a badge says how much is unread, and with @ that the person is named", () => {
  for (const [how, want] of /** @type {[object, string][]} */ ([
    [{}, ""],
    [{ unread: 2 }, "2"],
    [{ unread: 100 }, "99+"],
    [{ unread: 3, mentions: 1 }, "@"],
    [{ unread: 3, mentions: 2 }, "@2"],
    [{ mentions: 100 }, "@99+"],
    [{ unread: 3, mentions: 1, notify: "none" }, "3"],
    [{ unread: 3, mentions: 1, muted: true }, ""],
  ]))
    assert.equal(countText(room("a", how)), want, JSON.stringify(how));
});

test("the title counts what each room may alert to", () => {
  const all = room("a", { unread: 3, mentions: 1 });
  assert.deepEqual(
    [
      all,
      { ...all, notify: /** @type {const} */ ("mentions") },
      { ...all, notify: /** @type {const} */ ("none") },
      { ...all, muted: true },
    ].map(attention),
    [3, 1, 0, 0],
  );
  assert.equal(
    badge(withEntry(fromEntries([all]), room("here", { unread: 100 })), "here", 2),
    5,
    "the room on the screen counts as its log says",
  );
});

test("the switcher has rooms with mentions first, then unread ones, then the others, by their last message", () => {
  const order = byAttention([
    room("old", { at: 1 }),
    room("new", { at: 9 }),
    room("named", { at: 2, mentions: 1 }),
    room("loved", { at: 8, favourite: true }),
    room("unread", { at: 3, unread: 1 }),
    room("unread-later", { at: 4, unread: 1 }),
    room("muted", { at: 5, unread: 7, mentions: 7, muted: true }),
  ]);
  assert.deepEqual(
    order.map((e) => e.room),
    ["named", "unread-later", "unread", "new", "loved", "muted", "old"],
  );
});
