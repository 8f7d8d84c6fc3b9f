import assert from "node:assert/strict";
import { test } from "node:test";
import * as room from "../../js/room-state.js";
import { withHopes } from "../../js/standing.js";
import { event, events } from "./fakes.js";

/** @import { State } from "../../js/room-state.js" */

const ME = { id: "me", name: "Ada" };
const fresh = () => room.begin("lobby", ME);
const page = (/** @type {number} */ from, /** @type {number} */ to, seq = to, epoch = "e") => ({ room: "lobby", seq, epoch, more: from > 1, moreAfter: to < seq, messages: events(from, to) });
/** The answer to `after`. */
const after = (/** @type {number} */ from, /** @type {number} */ to, seq = to) => ({ ...page(from, to, seq), more: to < seq });
const span = (/** @type {State} */ s) => [s.events[0]?.seq, s.events.at(-1)?.seq];

/** @param {State} s */
function assertNoGap(s) {
  for (let i = 1; i < s.events.length; i++) assert.equal(s.events[i]?.seq, (s.events[i - 1]?.seq ?? 0) + 1);
}

test("to a newcomer nothing is unread; to who comes back what they missed is", () => {
  const newcomer = room.opened(fresh(), page(51, 150), 0);
  assert.deepEqual([room.unread(newcomer), newcomer.mark], [0, null]);
  const back = room.opened(fresh(), page(51, 150), 140);
  assert.deepEqual([room.unread(back), back.mark], [10, 140]);
  const beyond = room.opened(fresh(), page(51, 150), 999);
  assert.deepEqual([room.unread(beyond), beyond.mark], [0, null]);
});

test("live events prolong a window that reaches the end; one heard before changes nothing", () => {
  let s = room.opened(fresh(), page(1, 10), 0);
  s = room.received(s, event(11));
  assert.deepEqual([span(s), s.head], [[1, 11], 11]);
  assert.equal(room.received(s, event(11)), s);
  assert.equal(room.received(s, event(3)), s);
});

test("a window that does not reach the end is not torn: events are counted, and paged", () => {
  let s = room.opened(fresh(), page(1, 100, 5000), 0);
  s = room.received(s, event(5001));
  assert.deepEqual([span(s), s.head, room.atNewest(s)], [[1, 100], 5001, false]);
  s = room.appended(s, after(101, 200, 5001), 100);
  assert.deepEqual(span(s), [1, 200]);
  assertNoGap(s);
  s = room.appended(s, after(300, 400, 5001), 299); // an answer to a question of before
  assert.deepEqual(span(s), [1, 200]);
});

test("the window stays small, whichever way one goes", () => {
  let s = { ...room.opened(fresh(), page(4901, 5000), 0), following: false };
  for (let first = 4901; first > 2000; first -= 100) s = room.prepended(s, page(first - 100, first - 1, 5000), first);
  assert.ok(s.events.length <= 400);
  assertNoGap(s);
  assert.equal(room.atNewest(s), false);
  for (let last = s.events.at(-1)?.seq ?? 0; last < 5000; last += 100) s = room.appended(s, after(last + 1, Math.min(5000, last + 100), 5000), last);
  assert.ok(s.events.length <= 400);
  assertNoGap(s);
  assert.ok(room.atNewest(s));
  s = { ...s, following: true };
  for (let seq = 5001; seq <= 8000; seq++) s = room.received(s, event(seq));
  assert.ok(s.events.length <= 500);
  assert.deepEqual(s.events.at(-1)?.seq, 8000);
  assertNoGap(s);
});

test("a page that does not join on is not put in", () => {
  const s = room.opened(fresh(), page(101, 200), 0);
  assert.equal(room.prepended(s, page(1, 99, 200), 100), s, "the window has another first message by now");
  assert.equal(room.prepended(s, page(1, 100, 200, "other"), 101), s);
  assert.equal(room.appended(s, after(201, 300, 300), 200), s, "there is nothing to append to a window that reaches the end");
});

test("who is far behind keeps their place, knows how much is missing, and where they stopped", () => {
  let s = room.opened(fresh(), page(1, 100), 0);
  s = room.joined(s, { op: "behind", seq: 2000, count: 1, here: [ME] });
  assert.equal(room.holdsNews(s), false, "so the server has to count");
  s = room.counted(s, 100, 1900);
  assert.deepEqual([span(s), s.head, room.unread(s), s.mark], [[1, 100], 2000, 1900, 100]);
  assert.equal(room.opened(s, page(51, 150, 1999), 0), s, "a page that was read before may lack what nobody will tell");
  s = room.opened(s, page(51, 150, 2000), 0);
  assert.deepEqual([span(s), room.unread(s), s.mark], [[51, 150], 1900, 100]);
  s = room.read(s, 120);
  assert.equal(room.unread(s), 1880);
});

test("another epoch empties everything", () => {
  let s = room.opened(fresh(), page(1, 100), 0);
  s = room.acknowledged(s, 101, { nonce: "n", text: "t", at: 0, owner: "t", attempted: true, since: 100, failed: null });
  s = room.joined(room.restarted(s, "new"), { op: "behind", seq: 5, count: 1, here: [ME] });
  assert.deepEqual([s.events.length, s.head, s.acked.size, s.epoch], [0, 5, 0, "new"]);
  s = room.opened(s, page(1, 5, 5, "new"), 0);
  assert.deepEqual([span(s), room.unread(s)], [[1, 5], 0]);
  s = room.opened(s, page(1, 2, 2, "newer"), 0); // also when a page tells it first
  assert.deepEqual([span(s), s.head], [[1, 2], 2]);
});

test("the mark stands before the first message that was missed, and goes when one answers", () => {
  let s = { ...room.opened(fresh(), page(1, 10), 0), reading: false };
  s = room.received(s, event(11));
  s = room.received(s, event(12));
  assert.deepEqual([s.mark, room.unread(s)], [10, 2]);
  s = room.received(s, event(13, { from: ME }));
  assert.deepEqual([s.mark, room.unread(s)], [null, 0]);
  s = room.read({ ...s, reading: true }, 999);
  assert.equal(s.lastRead, 13, "nothing beyond the newest is read");
});

test("only what others say is unread, not what is done to messages, and not in threads", () => {
  let s = { ...room.opened(fresh(), page(1, 3), 0), reading: false };
  const grace = { id: "g", name: "Grace" };
  s = room.received(s, event(4, { kind: "react", target: 1, emoji: "👍", text: "" }));
  s = room.received(s, event(5, { kind: "reply", thread: 2 }));
  s = room.received(s, event(6, { kind: "later than this page" }));
  assert.deepEqual([s.head, room.unread(s), s.mark, s.events.length], [6, 0, null, 3]);
  s = room.received(s, event(7, { from: grace }));
  assert.deepEqual([room.unread(s), s.mark], [1, 6]);
  s = room.received(s, event(8, { kind: "edit", target: 7, text: "better" }));
  assert.deepEqual([room.unread(s), s.mark], [1, 6]);
});

test("what is marked as unread stays so until one comes back", () => {
  let s = room.read(room.opened(fresh(), page(1, 10), 0), 10);
  s = room.unreadFrom(s, 8);
  assert.deepEqual([room.unread(s), s.mark, s.lastRead], [3, 7, 7]);
  assert.equal(room.read(s, 10), s, "though it is in view");
  assert.equal(room.unread(room.read({ ...s, keptUnread: false }, 10)), 0);
  assert.equal(room.unread(room.received(s, event(11, { from: ME }))), 0, "who answers has read");
});

test("a topic is the newest that is known, from wherever it comes", () => {
  let s = room.opened(fresh(), { ...page(1, 10), topic: "first" }, 0);
  s = room.received(s, event(12, { kind: "topic", text: "second" }));
  s = room.opened(s, { ...page(1, 10, 11), topic: "first" }, 0);
  assert.equal(s.topic, "second");
  s = room.joined(s, { op: "ok", seq: 13, count: 1, topic: "" });
  assert.equal(s.topic, "");
});

test("a reaction is shown at once, and is what the server says in the end", () => {
  let s = room.opened(fresh(), page(1, 2), 0);
  s = room.hoped(s, 1, "👍", true);
  assert.deepEqual(withHopes([], s.hopes.get(1), ME), [{ emoji: "👍", people: [ME] }]);
  s = room.received(s, event(3, { kind: "react", target: 1, emoji: "👍", text: "", from: ME }));
  assert.deepEqual([s.hopes.size, s.events[0]?.reactions], [0, [{ emoji: "👍", people: [ME] }]]);
  s = room.hoped(s, 1, "👍", false);
  assert.deepEqual(withHopes(s.events[0]?.reactions ?? [], s.hopes.get(1), ME), []);
  s = room.settled(s, 1, "👍"); // refused
  assert.deepEqual(withHopes(s.events[0]?.reactions ?? [], s.hopes.get(1), ME), [{ emoji: "👍", people: [ME] }]);
});

test("nothing grows without bound, however long the talk goes on", () => {
  let s = room.opened(fresh(), page(1, 10), 0);
  for (let seq = 11; seq < 5000; seq += 2) {
    s = room.acknowledged(s, seq, { nonce: `n${seq}`, text: "t", at: 0, owner: "t", attempted: true, since: 0, failed: null });
    s = room.received(s, event(seq, { from: ME }));
    s = room.received(s, event(seq + 1, { kind: "react", target: seq, emoji: "👍", text: "" }));
  }
  assert.ok(s.recent.length <= 500 && s.events.length <= 500 && s.acked.size <= 100 && s.hopes.size === 0);
});

test("people come, go, change their names, and become too many to tell", () => {
  let s = room.joined(fresh(), { op: "ok", seq: 0, count: 1, here: [ME] });
  const names = () => s.people && [...s.people.values()].map((p) => p.name);
  const presence = (/** @type {object} */ change) => (s = room.presence(s, { type: "presence", room: "lobby", count: 2, ...change }));
  presence({ joined: { id: "g", name: "Grace" } });
  presence({ joined: { id: "me", name: "Countess" } });
  assert.deepEqual([names(), s.me.name], [["Countess", "Grace"], "Countess"]);
  presence({ left: { id: "g", name: "Grace" } });
  assert.deepEqual(names(), ["Countess"]);
  presence({ count: 250 });
  assert.deepEqual([s.people, s.count], [null, 250]);
  presence({ joined: { id: "x", name: "X" } });
  assert.equal(s.people, null, "one of many is not everybody");
  presence({ count: 100, here: [ME] });
  assert.deepEqual(names(), ["Ada"]);
});

test("who types does so until they write, leave or fall silent", () => {
  const grace = { id: "g", name: "Grace" };
  let s = room.typing(fresh(), grace, 1000);
  assert.equal(room.typing(s, ME, 1000), s, "oneself is no news");
  assert.equal(room.quiet(s, 5999), s);
  assert.equal(room.quiet(s, 6000).typing.size, 0);
  assert.equal(room.received(s, event(1)).typing.size, 0);
  s = room.presence(s, { type: "presence", room: "lobby", count: 1, left: grace });
  assert.equal(s.typing.size, 0);
});
