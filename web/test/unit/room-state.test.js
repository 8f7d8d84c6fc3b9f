import assert from "node:assert/strict";
import { test } from "node:test";
import { applyJoin, applyLive, applyPresence, applyTyping, expireTyping } from "../../js/room/live-events.js";
import { appendPage, openWindow, prependPage } from "../../js/room/room-pages.js";
import { addSentMessage, atNewest, begin, resetLog } from "../../js/room/room-state.js";
import { confirmReaction, reactOptimistically } from "../../js/room/room-state.js";
import { holdsAllUnread, markRead, markUnreadFrom, setUnreadCount } from "../../js/room/unread.js";
import { withOptimistic } from "../../js/room/message-state.js";
import { event, events } from "./fakes.js";

/** @import { State } from "../../js/room/types.js" */

const ME = { id: "me", name: "Ada" };
const fresh = () => begin("lobby", ME);
const page = (/** @type {number} */ from, /** @type {number} */ to, seq = to, epoch = "e") => ({
  room: "lobby",
  seq,
  epoch,
  more: from > 1,
  moreAfter: to < seq,
  messages: events(from, to),
});
/** The answer to `after`. */
const after = (/** @type {number} */ from, /** @type {number} */ to, seq = to) => ({
  ...page(from, to, seq),
  more: to < seq,
});
const span = (/** @type {State} */ s) => [s.messages[0]?.seq, s.messages.at(-1)?.seq];

/** @param {State} s */
function assertNoGap(s) {
  for (let i = 1; i < s.messages.length; i++) assert.equal(s.messages[i]?.seq, (s.messages[i - 1]?.seq ?? 0) + 1);
}

test("for a newcomer nothing is unread; for somebody who comes back the missed messages are", () => {
  const newcomer = openWindow(fresh(), page(51, 150), 0);
  assert.deepEqual([newcomer.unreadCount, newcomer.newSeparator], [0, null]);
  const back = openWindow(fresh(), page(51, 150), 140);
  assert.deepEqual([back.unreadCount, back.newSeparator], [10, 140]);
  const beyond = openWindow(fresh(), page(51, 150), 999);
  assert.deepEqual([beyond.unreadCount, beyond.newSeparator], [0, null]);
});

test("live events extend a window that reaches the end; a repeated one changes nothing", () => {
  let s = openWindow(fresh(), page(1, 10), 0);
  s = applyLive(s, event(11));
  assert.deepEqual([span(s), s.head], [[1, 11], 11]);
  assert.equal(applyLive(s, event(11)), s);
  assert.equal(applyLive(s, event(3)), s);
});

test("a window that does not reach the end gets no gap: live events are counted, and read page by page", () => {
  let s = openWindow(fresh(), page(1, 100, 5000), 0);
  s = applyLive(s, event(5001));
  assert.deepEqual([span(s), s.head, atNewest(s)], [[1, 100], 5001, false]);
  s = appendPage(s, after(101, 200, 5001), 100);
  assert.deepEqual(span(s), [1, 200]);
  assertNoGap(s);
  s = appendPage(s, after(300, 400, 5001), 299); // the answer to an earlier request
  assert.deepEqual(span(s), [1, 200]);
});

test("the window stays small in both directions", () => {
  let s = { ...openWindow(fresh(), page(4901, 5000), 0), following: false };
  for (let first = 4901; first > 2000; first -= 100) s = prependPage(s, page(first - 100, first - 1, 5000), first);
  assert.ok(s.messages.length <= 400);
  assertNoGap(s);
  assert.equal(atNewest(s), false);
  for (let last = s.messages.at(-1)?.seq ?? 0; last < 5000; last += 100)
    s = appendPage(s, after(last + 1, Math.min(5000, last + 100), 5000), last);
  assert.ok(s.messages.length <= 400);
  assertNoGap(s);
  assert.ok(atNewest(s));
  s = { ...s, following: true };
  for (let seq = 5001; seq <= 8000; seq++) s = applyLive(s, event(seq));
  assert.ok(s.messages.length <= 500);
  assert.deepEqual(s.messages.at(-1)?.seq, 8000);
  assertNoGap(s);
});

test("a page that does not touch the window is not inserted", () => {
  const s = openWindow(fresh(), page(101, 200), 0);
  assert.equal(prependPage(s, page(1, 99, 200), 100), s, "the window has another first message by now");
  assert.equal(prependPage(s, page(1, 100, 200, "other"), 101), s);
  assert.equal(
    appendPage(s, after(201, 300, 300), 200),
    s,
    "there is nothing to append to a window that reaches the end",
  );
});

test("far behind, the view keeps its place, the unread count and the new separator", () => {
  let s = openWindow(fresh(), page(1, 100), 0);
  s = applyJoin(s, { op: "behind", seq: 2000, count: 1, here: [ME] });
  assert.equal(holdsAllUnread(s), false, "so the server has to count");
  s = setUnreadCount(s, 100, 1900);
  assert.deepEqual([span(s), s.head, s.unreadCount, s.newSeparator], [[1, 100], 2000, 1900, 100]);
  assert.equal(
    openWindow(s, page(51, 150, 1999), 0),
    s,
    "a page that was read before may lack what nobody will tell",
  );
  s = openWindow(s, page(51, 150, 2000), 0);
  assert.deepEqual([span(s), s.unreadCount, s.newSeparator], [[51, 150], 1900, 100]);
  s = markRead(s, 120);
  assert.equal(s.unreadCount, 1880);
});

test("another epoch empties everything", () => {
  let s = openWindow(fresh(), page(1, 100), 0);
  s = addSentMessage(s, 101, {
    nonce: "n",
    text: "t",
    at: 0,
    owner: "t",
    attempted: true,
    since: 100,
    failed: null,
  });
  s = applyJoin(resetLog(s, "new"), { op: "behind", seq: 5, count: 1, here: [ME] });
  assert.deepEqual([s.messages.length, s.head, s.sentMessages.size, s.epoch], [0, 5, 0, "new"]);
  s = openWindow(s, page(1, 5, 5, "new"), 0);
  assert.deepEqual([span(s), s.unreadCount], [[1, 5], 0]);
  s = openWindow(s, page(1, 2, 2, "newer"), 0); // also when a page brings the new epoch first
  assert.deepEqual([span(s), s.head], [[1, 2], 2]);
});

test("the new separator stands before the first missed message, and goes when the person writes", () => {
  let s = { ...openWindow(fresh(), page(1, 10), 0), reading: false };
  s = applyLive(s, event(11));
  s = applyLive(s, event(12));
  assert.deepEqual([s.newSeparator, s.unreadCount], [10, 2]);
  s = applyLive(s, event(13, { from: ME }));
  assert.deepEqual([s.newSeparator, s.unreadCount], [null, 0]);
  s = markRead({ ...s, reading: true }, 999);
  assert.equal(s.lastRead, 13, "nothing beyond the newest is read");
});

test("only messages of others are unread, not changes, and not replies in threads", () => {
  let s = { ...openWindow(fresh(), page(1, 3), 0), reading: false };
  const grace = { id: "g", name: "Grace" };
  s = applyLive(s, event(4, { kind: "react", target: 1, emoji: "👍", text: "" }));
  s = applyLive(s, event(5, { kind: "reply", thread: 2 }));
  s = applyLive(s, event(6, { kind: "later than this page" }));
  assert.deepEqual([s.head, s.unreadCount, s.newSeparator, s.messages.length], [6, 0, null, 3]);
  s = applyLive(s, event(7, { from: grace }));
  assert.deepEqual([s.unreadCount, s.newSeparator], [1, 6]);
  s = applyLive(s, event(8, { kind: "edit", target: 7, text: "better" }));
  assert.deepEqual([s.unreadCount, s.newSeparator], [1, 6]);
});

test("messages marked as unread stay so until the person comes back", () => {
  let s = markRead(openWindow(fresh(), page(1, 10), 0), 10);
  s = markUnreadFrom(s, 8);
  assert.deepEqual([s.unreadCount, s.newSeparator, s.lastRead], [3, 7, 7]);
  assert.equal(markRead(s, 10), s, "though it is in view");
  assert.equal(markRead({ ...s, heldUnread: false }, 10).unreadCount, 0);
  assert.equal(applyLive(s, event(11, { from: ME })).unreadCount, 0, "who answers has read");
});

test("the topic is the newest one known, whatever its source", () => {
  let s = openWindow(fresh(), { ...page(1, 10), topic: "first" }, 0);
  s = applyLive(s, event(12, { kind: "topic", text: "second" }));
  s = openWindow(s, { ...page(1, 10, 11), topic: "first" }, 0);
  assert.equal(s.topic, "second");
  s = applyJoin(s, { op: "ok", seq: 13, count: 1, topic: "" });
  assert.equal(s.topic, "");
});

test("a reaction is shown at once, and ends as the server says", () => {
  let s = openWindow(fresh(), page(1, 2), 0);
  s = reactOptimistically(s, 1, "👍", true);
  assert.deepEqual(withOptimistic([], s.optimistic.get(1), ME), [{ emoji: "👍", people: [ME] }]);
  s = applyLive(s, event(3, { kind: "react", target: 1, emoji: "👍", text: "", from: ME }));
  assert.deepEqual([s.optimistic.size, s.messages[0]?.reactions], [0, [{ emoji: "👍", people: [ME] }]]);
  s = reactOptimistically(s, 1, "👍", false);
  assert.deepEqual(withOptimistic(s.messages[0]?.reactions ?? [], s.optimistic.get(1), ME), []);
  s = confirmReaction(s, 1, "👍"); // refused
  assert.deepEqual(withOptimistic(s.messages[0]?.reactions ?? [], s.optimistic.get(1), ME), [
    { emoji: "👍", people: [ME] },
  ]);
});

test("the state stays bounded, however many events come", () => {
  let s = openWindow(fresh(), page(1, 10), 0);
  for (let seq = 11; seq < 5000; seq += 2) {
    s = addSentMessage(s, seq, {
      nonce: `n${seq}`,
      text: "t",
      at: 0,
      owner: "t",
      attempted: true,
      since: 0,
      failed: null,
    });
    s = applyLive(s, event(seq, { from: ME }));
    s = applyLive(s, event(seq + 1, { kind: "react", target: seq, emoji: "👍", text: "" }));
  }
  assert.ok(
    s.recent.length <= 500 && s.messages.length <= 500 && s.sentMessages.size <= 100 && s.optimistic.size === 0,
  );
});

test("people join, leave, change their names, and become too many to list", () => {
  let s = applyJoin(fresh(), { op: "ok", seq: 0, count: 1, here: [ME] });
  const names = () => s.people && [...s.people.values()].map((p) => p.name);
  const presence = (/** @type {object} */ change) =>
    (s = applyPresence(s, { type: "presence", room: "lobby", count: 2, ...change }));
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

test("somebody is typing until they write, leave or pause", () => {
  const grace = { id: "g", name: "Grace" };
  let s = applyTyping(fresh(), grace, 1000);
  assert.equal(applyTyping(s, ME, 1000), s, "oneself is no news");
  assert.equal(expireTyping(s, 5999), s);
  assert.equal(expireTyping(s, 6000).typing.size, 0);
  assert.equal(applyLive(s, event(1)).typing.size, 0);
  s = applyPresence(s, { type: "presence", room: "lobby", count: 1, left: grace });
  assert.equal(s.typing.size, 0);
});

test("a deletion is counted live as after a reload, and the new separator goes with the last unread message", () => {
  const gone = (/** @type {number} */ seq, /** @type {number} */ target) => event(seq, { kind: "delete", target });
  let s = { ...openWindow(fresh(), page(1, 10), 8), reading: false };
  assert.deepEqual([s.unreadCount, s.newSeparator], [2, 8]);
  s = applyLive(s, gone(11, 9));
  assert.deepEqual([s.unreadCount, s.newSeparator], [1, 8]);
  s = applyLive(s, gone(12, 3));
  assert.deepEqual([s.unreadCount, s.newSeparator], [1, 8], "one that was read");
  s = applyLive(s, gone(13, 10));
  assert.deepEqual([s.unreadCount, s.newSeparator], [0, null]);
  s = applyLive(s, event(14));
  assert.deepEqual([s.unreadCount, s.newSeparator], [1, 13]);

  // The window lacks the oldest unread messages: the count goes down by one, and the server will be asked.
  let part = { ...openWindow(fresh(), page(51, 150), 20), reading: false, unreadCount: 90 };
  part = applyLive(part, gone(151, 120));
  assert.deepEqual([part.unreadCount, part.newSeparator], [89, 20]);
  const many = applyLive({ ...part, unreadCount: 100, mayHaveMore: true }, gone(152, 121));
  assert.equal(many.unreadCount, 100, "at least a hundred are still that many");
});
