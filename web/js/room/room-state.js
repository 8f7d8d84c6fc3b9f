// room-state.js: one room, or one thread in it, as this page knows it, and how that changes: (state, what happened) →
// state. No DOM, socket or clock.
//
// Of the messages we hold a window without a gap in it. Live messages prolong it only when it reaches to the
// newest one; otherwise they are counted, and read page by page when the person scrolls there. So a gap cannot
// come about, and neither memory nor the DOM grows.
//
// A page of messages and the live events overtake each other. A page tells up to which seq it is true; each message
// remembers that (`asOf`) and takes only later changes, and the latest live events are kept to be applied to a page
// that was read before they came. A page older than what is kept is of no use and has to be read again.
/** @import { Person } from "../wire/json.js" */
/** @import { AnswerBody, MessageState, Page, RoomEvent, ServerMessage } from "../wire/protocol.js" */
/** @import { OutboxMessage } from "./outbox.js" */
import { applyEvent, isMessage } from "./message-state.js";

export const PAGE = 100; // messages asked for at once
const WINDOW = 400; // messages held; a fresh page may exceed it until the far end is cut
const RECENT = 500; // live events kept for pages on their way
const PINNING = new Set(["pin", "unpin", "delete", "edit"]);
const MAX_COUNTED = 100; // unread messages that the server counts
const TYPING_MS = 5_000; // the server repeats "typing" every 3 s at most

/** @typedef {object} State
 * @property {string} room
 * @property {number} thread  the seq of its first message; 0: the room itself
 * @property {Person} me
 * @property {string} epoch  "" before the first answer
 * @property {number} head  up to which seq live events have been heard
 * @property {number} headAt  when that event was stored; 0: not known
 * @property {readonly MessageState[]} messages  the window: messages alone
 * @property {boolean} older  there are messages before the window
 * @property {boolean} newer  there are messages after it
 * @property {MessageState | null} root  of a thread
 * @property {readonly RoomEvent[]} recent  the live events heard last
 * @property {number} floor  what was read before this seq cannot be brought up to date
 * @property {string} topic
 * @property {number} topicAt  as of which seq
 * @property {number} pinsAt  the last event that may have changed what is pinned
 * @property {boolean} following  the person looks at the end of the log
 * @property {boolean} reading  the person looks at the page at all
 * @property {number} lastRead
 * @property {number} unreadCount  how many messages of others came after that
 * @property {boolean} mayHaveMore  there may be more of them
 * @property {boolean} heldUnread  the person wants it to stay unread for now
 * @property {number | null} newSeparator  the separator "new" stands after this seq
 * @property {ReadonlyMap<string, Person> | null} people  null: too many to tell
 * @property {number} count
 * @property {ReadonlyMap<string, { person: Person, until: number }>} typing
 * @property {ReadonlyMap<number, OutboxMessage>} sentMessages  seq → what it was in the outbox
 * @property {ReadonlyMap<number, ReadonlyMap<string, boolean>>} optimistic  seq → emoji → put or taken back here, not confirmed yet
 * @property {number} pagesLoaded  how many pages of history were put in: these are no news
 */

/** Where the view has to go once it has drawn.
 * @typedef {{ to: "newest" } | { to: "new-separator" } | { to: "message", seq: number }} Target */

/** @param {string} room  @param {Person} me  @param {number} [thread]  @returns {State} */
export function begin(room, me, thread = 0) {
  return {
    room, thread, me, epoch: "", head: 0, headAt: 0, messages: [], older: false, newer: false, root: null, recent: [], floor: 0, topic: "", topicAt: 0, pinsAt: 0,
    following: true, reading: true, lastRead: 0, unreadCount: 0, mayHaveMore: false, heldUnread: false, newSeparator: null,
    people: new Map(), count: 0, typing: new Map(), sentMessages: new Map(), optimistic: new Map(), pagesLoaded: 0,
  };
}

/** A thread that is opened knows what its room has heard. @param {State} s  @param {number} thread  @returns {State} */
export const beginThread = ({ room, me, epoch, head, headAt, recent, floor }, thread) => ({ ...begin(room, me, thread), epoch, head, headAt, recent, floor });

/** @param {State} s */
export const atNewest = (s) => !s.newer;
/** @param {State} s */
export const atOldest = (s) => !s.older;
/** Whether a page was read late enough to be brought up to date. @param {State} s  @param {Page} page */
export const isUsable = (s, page) => page.epoch !== s.epoch || page.seq >= s.floor;

/** Whether an event is one of the messages that are shown here. @param {State} s  @param {RoomEvent} e */
const belongs = (s, e) => (s.thread ? isMessage(e) && e.thread === s.thread : e.kind === "message");
/** @param {State} s  @param {RoomEvent} e */
const countsAsUnread = (s, e) => e.seq > s.lastRead && e.from.id !== s.me.id;

/** A page takes the place of the window. What was read up to now matters from the first page on; to
 * a newcomer (lastRead 0) nothing counts as unread.
 * @param {State} s  @param {Page} page  @param {number} lastRead  @returns {State} */
export function openWindow(s, page, lastRead) {
  if (!isUsable(s, page)) return s;
  const fresh = s.epoch !== page.epoch;
  if (fresh && s.epoch) s = resetLog(s, page.epoch);
  const { messages, later } = applyRecent(s, page);
  const newer = page.moreAfter ?? false;
  const next = setTopic({
    ...s, epoch: page.epoch, head: fresh ? page.seq : s.head, headAt: fresh ? (page.at ?? 0) : s.headAt, messages: newer ? messages : [...messages, ...later], older: page.more, newer,
    root: rootOf(s, page), pagesLoaded: s.pagesLoaded + 1,
  }, page.topic, page.seq);
  if (!fresh && s.lastRead > 0) return recount(next);
  next.lastRead = Math.min(lastRead || next.head, next.head);
  next.unreadCount = countUnread(next);
  next.newSeparator = next.unreadCount > 0 || (newer && next.lastRead < next.head) ? next.lastRead : null;
  return next;
}

/** @param {State} s  @param {Page} page the answer to what is before a seq  @param {number} before  @returns {State} */
export function prependPage(s, page, before) {
  if (page.epoch !== s.epoch || !isUsable(s, page) || s.messages[0]?.seq !== before) return s;
  const messages = [...applyRecent(s, page).messages, ...s.messages];
  const cut = !s.following && messages.length > WINDOW;
  return { ...s, messages: cut ? messages.slice(0, WINDOW) : messages, older: page.more, newer: s.newer || cut, root: rootOf(s, page), pagesLoaded: s.pagesLoaded + 1 };
}

/** @param {State} s  @param {Page} page the answer to what is after a seq  @param {number} after  @returns {State} */
export function appendPage(s, page, after) {
  if (page.epoch !== s.epoch || !isUsable(s, page) || !s.newer || (s.messages.at(-1)?.seq ?? 0) !== after) return s;
  const recent = applyRecent(s, page);
  const messages = [...s.messages, ...recent.messages, ...(page.more ? [] : recent.later)];
  return { ...s, messages: messages.slice(-WINDOW), older: s.older || messages.length > WINDOW, newer: page.more, root: rootOf(s, page), pagesLoaded: s.pagesLoaded + 1 };
}

/** Messages that we hold were read anew. @param {State} s  @param {Page} page  @returns {State} */
export function refreshMessages(s, page) {
  if (page.epoch !== s.epoch || !isUsable(s, page)) return s;
  const anew = new Map(applyRecent(s, page).messages.map((m) => [m.seq, m]));
  return { ...s, messages: s.messages.map((m) => anew.get(m.seq) ?? m), root: s.root && (anew.get(s.root.seq) ?? s.root) };
}

/** Returns a page's messages as they stand after what was heard since, and the messages that came since.
 * @param {State} s  @param {Page} page */
function applyRecent(s, page) {
  const since = page.epoch === s.epoch ? s.recent.filter((e) => e.seq > page.seq) : [];
  const messages = page.messages.map((m) => since.reduce(applyEvent, { ...m, asOf: page.seq }));
  const last = messages.at(-1)?.seq ?? 0; // of a page around a message the second half may be a little younger
  const later = since.filter((e) => belongs(s, e) && e.seq > last).map((e) => since.reduce(applyEvent, e));
  return { messages, later };
}

/** @param {State} s  @param {Page} page */
function rootOf(s, page) {
  if (!page.root) return s.root;
  return s.recent.filter((e) => e.seq > page.seq).reduce(applyEvent, { ...page.root, asOf: page.seq });
}

/** Whether all that is unread is in the window. @param {State} s */
export const holdsAllUnread = (s) => !s.newer && (!s.older || (s.messages[0]?.seq ?? Infinity) <= s.lastRead + 1);
/** @param {State} s */
const countUnread = (s) => s.messages.filter((e) => countsAsUnread(s, e)).length;

/** Counts anew what can be counted. @param {State} s  @returns {State} */
const recount = (s) => (holdsAllUnread(s) ? { ...s, unreadCount: countUnread(s), mayHaveMore: false } : s);

/** The server has counted what is unread. It may know of a later place, from another device.
 * @param {State} s  @param {number} lastRead  @param {number} unreadCount  @returns {State} */
export function setUnreadCount(s, lastRead, unreadCount) {
  if (lastRead < s.lastRead || s.heldUnread) return s;
  return recount({ ...s, lastRead, unreadCount, mayHaveMore: unreadCount >= MAX_COUNTED });
}

/** The log is another one than before: nothing that we hold means anything.
 * @param {State} s  @param {string} epoch  @returns {State} */
export function resetLog(s, epoch) {
  return { ...begin(s.room, s.me, s.thread), epoch, following: s.following, reading: s.reading, people: s.people, count: s.count, pagesLoaded: s.pagesLoaded + 1 };
}

/** After `behind` there are events that nobody will tell us: what we hold has to be read again.
 * @param {State} s  @param {AnswerBody} answer to a join: `ok` or `behind`  @returns {State} */
export function applyJoin(s, answer) {
  const people = answer.here ? new Map(answer.here.map((p) => [p.id, p])) : null;
  const next = setTopic({ ...s, people, count: answer.count ?? 0, typing: new Map() }, answer.topic, answer.seq ?? s.head);
  const head = answer.op === "behind" ? Math.max(s.head, answer.seq ?? 0) : s.head;
  if (head === s.head) return next;
  const newSeparator = s.unreadCount === 0 && s.head > 0 ? s.head : s.newSeparator; // the first one missed
  return { ...next, head, headAt: answer.at ?? 0, floor: head, recent: [], newer: true, newSeparator, pinsAt: head };
}

/** @param {State} s  @param {RoomEvent} event  @returns {State} */
export function applyLive(s, event) {
  if (event.seq <= s.head) return s; // heard before
  let next = { ...s, head: event.seq, headAt: event.at, messages: applyToWindow(s.messages, event), root: s.root && applyEvent(s.root, event), typing: without(s.typing, event.from.id) };
  const [oldest] = s.recent;
  if (oldest && s.recent.length >= RECENT) next = { ...next, recent: [...s.recent.slice(1), event], floor: oldest.seq };
  else next.recent = [...s.recent, event];
  if (event.kind === "delete") next.floor = event.seq; // it may be a reply: then nobody but the server can tell its thread's last
  if (PINNING.has(event.kind)) next.pinsAt = event.seq;
  if (event.kind === "topic") next = setTopic(next, event.text, event.seq);
  if (event.from.id === s.me.id && event.emoji) next = confirmReaction(next, event.target ?? 0, event.emoji);
  if (!belongs(s, event)) return next;
  return countLive(appendLive(next, event), event);
}

/** @param {readonly MessageState[]} messages  @param {RoomEvent} change  @returns {readonly MessageState[]} */
function applyToWindow(messages, change) {
  if (!change.target && !change.thread) return messages;
  const next = messages.map((m) => applyEvent(m, change));
  return next.some((m, i) => m !== messages[i]) ? next : messages;
}

/** Puts a new message at the end of the window, if that is where it belongs.
 * @param {State} s  @param {RoomEvent} event  @returns {State} */
function appendLive(s, event) {
  if (s.newer || (s.messages.at(-1)?.seq ?? 0) >= event.seq) return s; // a page may have had it before us
  if (!s.following && s.messages.length >= WINDOW) return { ...s, newer: true };
  const messages = [...s.messages, event];
  const cut = s.following && messages.length > WINDOW + PAGE;
  return { ...s, messages: cut ? messages.slice(-WINDOW) : messages, older: s.older || cut };
}

/** @param {State} s  @param {RoomEvent} event  @returns {State} */
function countLive(s, event) {
  if (event.from.id === s.me.id) return { ...s, lastRead: event.seq, unreadCount: 0, mayHaveMore: false, newSeparator: null, heldUnread: false }; // who answers has read
  const missed = (!s.reading || !s.following) && s.unreadCount === 0 && event.seq > 1;
  return { ...s, unreadCount: event.seq > s.lastRead ? s.unreadCount + 1 : s.unreadCount, newSeparator: missed ? event.seq - 1 : s.newSeparator };
}

/** @param {State} s  @param {number} seq  @returns {State} */
export function markRead(s, seq) {
  const upTo = Math.min(seq, s.head);
  if (upTo <= s.lastRead || s.heldUnread) return s;
  const passed = s.messages.filter((e) => countsAsUnread(s, e) && e.seq <= upTo).length;
  const all = upTo === s.head;
  return recount({ ...s, lastRead: upTo, unreadCount: all ? 0 : Math.max(0, s.unreadCount - passed), mayHaveMore: s.mayHaveMore && !all });
}

/** The person wants a message and what follows it to be unread again, until they come back or write.
 * @param {State} s  @param {number} seq  @returns {State} */
export function markUnreadFrom(s, seq) {
  const before = s.messages.findLast((e) => e.seq < seq)?.seq ?? seq - 1;
  const next = { ...s, lastRead: Math.min(before, seq - 1), newSeparator: seq - 1, heldUnread: true };
  return { ...next, unreadCount: countUnread(next) };
}

/** @param {State} s  @param {string | undefined} topic  @param {number} seq as of which it is so  @returns {State} */
export function setTopic(s, topic, seq) {
  const known = topic === undefined || seq < s.topicAt || (seq === s.topicAt && topic === s.topic);
  return known ? s : { ...s, topic, topicAt: seq };
}

/** @param {State} s  @param {ServerMessage & { type: "presence" }} change  @returns {State} */
export function applyPresence(s, change) {
  let { people } = s;
  if (change.here) people = new Map(change.here.map((p) => [p.id, p]));
  else if (change.joined) people = people && new Map(people).set(change.joined.id, change.joined);
  else if (change.left) people = people && without(people, change.left.id);
  else people = null;
  const me = change.joined?.id === s.me.id ? change.joined : s.me;
  const typing = change.left ? without(s.typing, change.left.id) : s.typing;
  return { ...s, me, people, typing, count: change.count };
}

/** @param {State} s  @param {Person} person  @param {number} now  @returns {State} */
export function applyTyping(s, person, now) {
  if (person.id === s.me.id) return s;
  return { ...s, typing: new Map(s.typing).set(person.id, { person, until: now + TYPING_MS }) };
}

/** @param {State} s  @param {number} now  @returns {State} */
export function expireTyping(s, now) {
  const still = [...s.typing].filter(([, t]) => t.until > now);
  return still.length === s.typing.size ? s : { ...s, typing: new Map(still) };
}

/** One's own message is stored under seq; its event follows. @param {State} s  @param {number} seq  @param {OutboxMessage} message  @returns {State} */
export function addSentMessage(s, seq, message) {
  const sentMessages = new Map(s.sentMessages).set(seq, message);
  const oldest = sentMessages.size > 100 ? sentMessages.keys().next().value : undefined;
  if (oldest !== undefined) sentMessages.delete(oldest);
  return { ...s, sentMessages };
}

/** A reaction is shown as if the server had confirmed it. @param {State} s  @param {number} seq  @param {string} emoji  @param {boolean} on  @returns {State} */
export function reactOptimistically(s, seq, emoji, on) {
  return { ...s, optimistic: new Map(s.optimistic).set(seq, new Map(s.optimistic.get(seq)).set(emoji, on)) };
}

/** It has been confirmed, or refused. @param {State} s  @param {number} seq  @param {string} emoji  @returns {State} */
export function confirmReaction(s, seq, emoji) {
  const changes = s.optimistic.get(seq);
  if (!changes?.has(emoji)) return s;
  const left = without(changes, emoji);
  return { ...s, optimistic: left.size > 0 ? new Map(s.optimistic).set(seq, left) : without(s.optimistic, seq) };
}

/** @template K, V  @param {ReadonlyMap<K, V>} map  @param {K} key  @returns {ReadonlyMap<K, V>} */
function without(map, key) {
  if (!map.has(key)) return map;
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}
