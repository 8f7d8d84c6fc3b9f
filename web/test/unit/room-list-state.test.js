// The list of rooms: what is said about it, how it changes, in what order it is shown, and how far one has read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decode } from "../../js/wire/protocol.js";
import { ReadMarks } from "../../js/list/read-marks.js";
import { applyReadMark, applyUpdate, attention, badge, emptyEntry, fromEntries, sections, withEntry } from "../../js/list/room-list-state.js";
import { Timers } from "./fakes.js";

/** @import { ListUpdate } from "../../js/wire/list-frames.js" */
/** @import { Rooms } from "../../js/list/room-list-state.js" */

const room = (/** @type {string} */ name, /** @type {object} */ more = {}) => ({ ...emptyEntry(name), seq: 10, at: 10, read: 10, ...more });
/** @param {string} name  @param {number} seq  @param {Partial<ListUpdate>} [more]  @returns {ListUpdate} */
const news = (name, seq, more) => ({ room: name, seq, at: seq, kind: "message", from: { id: "g", name: "Grace" }, text: "hi", mentions: [], here: false, thread: 0, target: 0, ...more });
const counts = (/** @type {Rooms} */ rooms, /** @type {string} */ name) => [rooms.get(name)?.unread, rooms.get(name)?.mentions];

test("frames about the list are read, and strange ones do no harm", () => {
  const of = (/** @type {object} */ o) => decode(JSON.stringify(o));
  const answer = of({ op: "ok", id: 1, rooms: [{ room: "lobby", topic: "x", seq: 5, at: "2026-11-23T09:41:05.123Z", last: { from: { id: "g", name: "Grace" }, text: "hi" }, read: 3, unread: 2, mentions: 1, notify: "mentions", muted: true, favourite: true }, { room: "" }, 7, { room: "bare", notify: "loud" }] });
  assert.ok(answer?.type === "answer" && answer.ok);
  assert.deepEqual(answer.body.rooms, [
    { room: "lobby", topic: "x", seq: 5, at: Date.UTC(2026, 10, 23, 9, 41, 5, 123), last: { from: { id: "g", name: "Grace" }, text: "hi" }, read: 3, unread: 2, mentions: 1, notify: "mentions", muted: true, favourite: true },
    { room: "bare", topic: "", seq: 0, at: 0, last: null, read: 0, unread: 0, mentions: 0, notify: "all", muted: false, favourite: false },
  ]);
  assert.deepEqual(of({ op: "entry", room: "lobby", listed: false }), { type: "unlisted", room: "lobby" });
  assert.deepEqual(of({ op: "read", room: "lobby", seq: 4, unread: 1, mentions: 0 }), { type: "read", room: "lobby", mark: { room: "lobby", seq: 4, unread: 1, mentions: 0 } });
  const said = of({ op: "news", room: "lobby", seq: 6, kind: "reply", from: { id: "g", name: "Grace" }, text: "x", mentions: ["a", 7], thread: 2, at_here: true });
  assert.ok(said?.type === "update");
  assert.deepEqual([said.update.mentions, said.update.thread, said.update.from.name, said.update.here], [["a", ""], 2, "Grace", true]);
});

test("others' messages are unread, mentions too, also in threads; one's own and those read elsewhere are not", () => {
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

test("favourites stand apart; what names one is first, then what was last written in; muted rooms do not push forward", () => {
  const rooms = fromEntries([
    room("old", { at: 1 }), room("new", { at: 9 }), room("named", { at: 2, mentions: 1, unread: 1 }), room("muted", { at: 3, mentions: 5, muted: true }),
    room("loved", { at: 1, favourite: true }), room("loved-more", { at: 5, favourite: true, topic: "Roses" }),
  ]);
  const names = (/** @type {string} */ filter) => sections(rooms, filter).map((s) => [s.name, ...s.entries.map((e) => e.room)]);
  assert.deepEqual(names(""), [["favourites", "loved-more", "loved"], ["rooms", "named", "new", "muted", "old"]]);
  assert.deepEqual(names(" LOVED "), [["favourites", "loved-more", "loved"]]);
  assert.deepEqual(names("rose"), [["favourites", "loved-more"]], "the topic counts too");
  assert.deepEqual(names("nothing"), []);
});

test("what calls counts on the title: by what each room may", () => {
  const all = room("a", { unread: 3, mentions: 1 });
  assert.deepEqual([all, { ...all, notify: /** @type {const} */ ("mentions") }, { ...all, notify: /** @type {const} */ ("none") }, { ...all, muted: true }].map(attention), [3, 1, 0, 0]);
  assert.equal(badge(withEntry(fromEntries([all]), room("here", { unread: 100 })), "here", 2), 5, "the room on the screen counts as its log says");
});

/** Read marks, and what they told the server. */
function marks() {
  const timers = new Timers();
  const told = /** @type {[string, number, boolean][]} */ ([]);
  const answers = /** @type {unknown[]} */ ([]);
  let online = true;
  const m = new ReadMarks({
    setTimeout: timers.setTimeout, clearTimeout: timers.clearTimeout,
    send: async (name, seq, exact) => {
      told.push([name, seq, exact]);
      return online ? { op: "ok", read: seq, unread: 0, mentions: 0 } : null;
    },
    onAnswer: (mark) => answers.push(mark),
  });
  return { m, timers, told, answers, cut: () => (online = false), mend: () => (online = true) };
}

test("how far one has read is told a second later, once, and never less", async () => {
  const { m, timers, told, answers } = marks();
  m.seen("lobby", 5);
  m.seen("lobby", 7);
  m.seen("lobby", 6);
  m.seen("garden", 1);
  assert.deepEqual(told, []);
  await timers.pass(1000);
  assert.deepEqual(told, [["lobby", 7, false], ["garden", 1, false]]);
  assert.deepEqual(answers[0], { room: "lobby", seq: 7, unread: 0, mentions: 0 });
  m.seen("lobby", 7);
  m.receive("lobby", 9);
  m.seen("lobby", 8);
  await timers.pass(5000);
  assert.equal(told.length, 2, "known there already");
});

test("who goes says it at once; without a connection it waits for the next one", async () => {
  const { m, timers, told, cut, mend } = marks();
  cut();
  m.seen("lobby", 5);
  m.flush("lobby");
  await timers.pass(0);
  assert.deepEqual(told, [["lobby", 5, false]]);
  mend();
  m.resend();
  await timers.pass(1000);
  assert.deepEqual(told.at(-1), ["lobby", 5, false]);
  assert.equal(told.length, 2);
});

test("of a room that was taken off the list nothing more is said, until there is something new", async () => {
  const { m, timers, told } = marks();
  m.seen("lobby", 9);
  m.seen("garden", 4);
  m.forget("lobby");
  m.seen("lobby", 9);
  await timers.pass(5000);
  assert.deepEqual(told, [["garden", 4, false]]);
  m.seen("lobby", 10);
  await timers.pass(1000);
  assert.deepEqual(told.at(-1), ["lobby", 10, false]);
});

test("a room that is kept unread says no more until it is left", async () => {
  const { m, timers, told } = marks();
  m.seen("lobby", 9);
  m.hold("lobby", 3);
  m.seen("lobby", 12);
  await timers.pass(5000);
  assert.deepEqual(told, [["lobby", 3, true]]);
  m.release("lobby");
  m.seen("lobby", 12);
  await timers.pass(1000);
  assert.deepEqual(told.at(-1), ["lobby", 12, false]);
});
