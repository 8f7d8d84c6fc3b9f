// room-state.js: the state of one room, or of one thread in it, and how events change it: (state, what happened) →
// state. No DOM, socket or clock.
//
// The state holds a window: consecutive messages without a gap. Live messages extend the window only if it reaches to
// the newest message. Otherwise they are counted, and read page by page when the person scrolls there. So a gap cannot
// arise, and neither memory nor the DOM grows without limit.
//
// Pages and live events overtake each other. A page says as of which seq it is correct. Each message stores that seq
// (`asOf`) and accepts only later changes, and the newest live events are stored, to be applied to a page that was
// read before they came. A page that is older than the stored events is useless and has to be read again.
/** @import { Person } from "../wire/json.js" */
/** @import { AnswerBody, MessageState, Page, RoomEvent, ServerMessage } from "../wire/protocol.js" */
/** @import { OutboxMessage } from "./outbox.js" */
import { applyEvent, isMessage } from "./message-state.js";

export const PAGE = 100; // messages per request
const WINDOW = 400; // messages held; a new page may exceed it until the far end is cut
const RECENT = 500; // live events stored for pages that are on their way
const PINNING = new Set(["pin", "unpin", "delete", "edit"]);
const MAX_COUNTED = 100; // unread messages that the server counts
const TYPING_MS = 5_000; // the server repeats "typing" every 3 s at most

/** @typedef {object} State
 * @property {string} room
 * @property {number} thread  the seq of the thread's first message; 0: the room itself
 * @property {Person} me
 * @property {string} epoch  "" before the first answer
 * @property {number} head  the seq of the newest live event received
 * @property {number} headAt  when that event was stored; 0: unknown
 * @property {readonly MessageState[]} messages  the window
 * @property {boolean} older  there are messages before the window
 * @property {boolean} newer  there are messages after it
 * @property {MessageState | null} root  the first message of a thread
 * @property {readonly RoomEvent[]} recent  the newest live events
 * @property {number} floor  pages as of an earlier seq cannot be brought up to date
 * @property {string} topic
 * @property {number} topicAt  the seq as of which the topic is known
 * @property {number} pinsAt  the seq of the last event that may have changed the pins
 * @property {boolean} following  the view is at the end of the log
 * @property {boolean} reading  the person looks at the page
 * @property {number} lastRead
 * @property {number} unreadCount  messages of others after lastRead
 * @property {boolean} mayHaveMore  there may be more unread messages than the server counts
 * @property {boolean} heldUnread  the person has marked messages as unread; nothing counts as read for now
 * @property {number | null} newSeparator  the new separator stands after this seq
 * @property {ReadonlyMap<string, Person> | null} people  who is in the room; null: too many to list
 * @property {number} count
 * @property {ReadonlyMap<string, { person: Person, until: number }>} typing
 * @property {ReadonlyMap<number, OutboxMessage>} sentMessages  by seq: the message that was in the outbox
 * @property {ReadonlyMap<number, ReadonlyMap<string, boolean>>} optimistic  by seq and emoji: reactions put (true) or
 * removed (false) here and not confirmed yet
 * @property {number} pagesLoaded  pages of history put in so far; their messages are not announced
 */

/** Where the view scrolls after it has drawn.
 * @typedef {{ to: "newest" } | { to: "new-separator" } | { to: "message", seq: number }} Target */

/** @param {string} room  @param {Person} me  @param {number} [thread]  @returns {State} */
export function begin(room, me, thread = 0) {
  return {
    room,
    thread,
    me,
    epoch: "",
    head: 0,
    headAt: 0,
    messages: [],
    older: false,
    newer: false,
    root: null,
    recent: [],
    floor: 0,
    topic: "",
    topicAt: 0,
    pinsAt: 0,
    following: true,
    reading: true,
    lastRead: 0,
    unreadCount: 0,
    mayHaveMore: false,
    heldUnread: false,
    newSeparator: null,
    people: new Map(),
    count: 0,
    typing: new Map(),
    sentMessages: new Map(),
    optimistic: new Map(),
    pagesLoaded: 0,
  };
}

/** Returns the state of a thread that opens. It knows the live events of its room.
 * @param {State} s  @param {number} thread  @returns {State} */
export const beginThread = ({ room, me, epoch, head, headAt, recent, floor }, thread) => ({
  ...begin(room, me, thread),
  epoch,
  head,
  headAt,
  recent,
  floor,
});

/** @param {State} s */
export const atNewest = (s) => !s.newer;
/** @param {State} s */
export const atOldest = (s) => !s.older;
/** Reports whether a page is new enough to be brought up to date. @param {State} s  @param {Page} page */
export const isUsable = (s, page) => page.epoch !== s.epoch || page.seq >= s.floor;

/** Reports whether an event is a message of this room or thread. @param {State} s  @param {RoomEvent} e */
const belongs = (s, e) => (s.thread ? isMessage(e) && e.thread === s.thread : e.kind === "message");
/** @param {State} s  @param {RoomEvent} e */
const countsAsUnread = (s, e) => e.seq > s.lastRead && e.from.id !== s.me.id;

/** Replaces the window by a page. `lastRead` sets the read mark when the first page is opened; for a newcomer (0)
 * nothing counts as unread.
 * @param {State} s  @param {Page} page  @param {number} lastRead  @returns {State} */
export function openWindow(s, page, lastRead) {
  if (!isUsable(s, page)) return s;
  const fresh = s.epoch !== page.epoch;
  if (fresh && s.epoch) s = resetLog(s, page.epoch);
  const { messages, later } = applyRecent(s, page);
  const newer = page.moreAfter ?? false;
  const next = setTopic(
    {
      ...s,
      epoch: page.epoch,
      head: fresh ? page.seq : s.head,
      headAt: fresh ? (page.at ?? 0) : s.headAt,
      messages: newer ? messages : [...messages, ...later],
      older: page.more,
      newer,
      root: rootOf(s, page),
      pagesLoaded: s.pagesLoaded + 1,
    },
    page.topic,
    page.seq,
  );
  if (!fresh && s.lastRead > 0) return recount(next);
  next.lastRead = Math.min(lastRead || next.head, next.head);
  next.unreadCount = countUnread(next);
  next.newSeparator = next.unreadCount > 0 || (newer && next.lastRead < next.head) ? next.lastRead : null;
  return next;
}

/** @param {State} s  @param {Page} page the messages before a seq  @param {number} before  @returns {State} */
export function prependPage(s, page, before) {
  if (page.epoch !== s.epoch || !isUsable(s, page) || s.messages[0]?.seq !== before) return s;
  const messages = [...applyRecent(s, page).messages, ...s.messages];
  const cut = !s.following && messages.length > WINDOW;
  return {
    ...s,
    messages: cut ? messages.slice(0, WINDOW) : messages,
    older: page.more,
    newer: s.newer || cut,
    root: rootOf(s, page),
    pagesLoaded: s.pagesLoaded + 1,
  };
}

/** @param {State} s  @param {Page} page the messages after a seq  @param {number} after  @returns {State} */
export function appendPage(s, page, after) {
  if (page.epoch !== s.epoch || !isUsable(s, page) || !s.newer || (s.messages.at(-1)?.seq ?? 0) !== after) return s;
  const recent = applyRecent(s, page);
  const messages = [...s.messages, ...recent.messages, ...(page.more ? [] : recent.later)];
  return {
    ...s,
    messages: messages.slice(-WINDOW),
    older: s.older || messages.length > WINDOW,
    newer: page.more,
    root: rootOf(s, page),
    pagesLoaded: s.pagesLoaded + 1,
  };
}

/** Replaces held messages by newly read ones. @param {State} s  @param {Page} page  @returns {State} */
export function refreshMessages(s, page) {
  if (page.epoch !== s.epoch || !isUsable(s, page)) return s;
  const anew = new Map(applyRecent(s, page).messages.map((m) => [m.seq, m]));
  return {
    ...s,
    messages: s.messages.map((m) => anew.get(m.seq) ?? m),
    root: s.root && (anew.get(s.root.seq) ?? s.root),
  };
}

/** Applies the live events since a page to its messages. `later` are the messages that came after the page.
 * @param {State} s  @param {Page} page */
function applyRecent(s, page) {
  const since = page.epoch === s.epoch ? s.recent.filter((e) => e.seq > page.seq) : [];
  const messages = page.messages.map((m) => since.reduce(applyEvent, { ...m, asOf: page.seq }));
  const last = messages.at(-1)?.seq ?? 0; // the second half of a page around a message may be read a little later
  const later = since.filter((e) => belongs(s, e) && e.seq > last).map((e) => since.reduce(applyEvent, e));
  return { messages, later };
}

/** @param {State} s  @param {Page} page */
function rootOf(s, page) {
  if (!page.root) return s.root;
  return s.recent.filter((e) => e.seq > page.seq).reduce(applyEvent, { ...page.root, asOf: page.seq });
}

/** Reports whether the window has all unread messages. @param {State} s */
export const holdsAllUnread = (s) => !s.newer && (!s.older || (s.messages[0]?.seq ?? Infinity) <= s.lastRead + 1);
/** @param {State} s */
const countUnread = (s) => s.messages.filter((e) => countsAsUnread(s, e)).length;

/** Counts the unread messages if the window has all of them. @param {State} s  @returns {State} */
const recount = (s) => (holdsAllUnread(s) ? { ...s, unreadCount: countUnread(s), mayHaveMore: false } : s);

/** Takes the unread count of the server. It may know a later read mark, from another device.
 * @param {State} s  @param {number} lastRead  @param {number} unreadCount  @returns {State} */
export function setUnreadCount(s, lastRead, unreadCount) {
  if (lastRead < s.lastRead || s.heldUnread) return s;
  return recount({ ...s, lastRead, unreadCount, mayHaveMore: unreadCount >= MAX_COUNTED });
}

/** Empties the state, because the room has another log now.
 * @param {State} s  @param {string} epoch  @returns {State} */
export function resetLog(s, epoch) {
  return {
    ...begin(s.room, s.me, s.thread),
    epoch,
    following: s.following,
    reading: s.reading,
    people: s.people,
    count: s.count,
    pagesLoaded: s.pagesLoaded + 1,
  };
}

/** Applies the answer to a join. After `behind` the server will not send the events that we missed, so the messages
 * that we hold have to be read again.
 * @param {State} s  @param {AnswerBody} answer to a join: `ok` or `behind`  @returns {State} */
export function applyJoin(s, answer) {
  const people = answer.here ? new Map(answer.here.map((p) => [p.id, p])) : null;
  const next = setTopic(
    { ...s, people, count: answer.count ?? 0, typing: new Map() },
    answer.topic,
    answer.seq ?? s.head,
  );
  const head = answer.op === "behind" ? Math.max(s.head, answer.seq ?? 0) : s.head;
  if (head === s.head) return next;
  const newSeparator = s.unreadCount === 0 && s.head > 0 ? s.head : s.newSeparator; // before the first missed message
  return { ...next, head, headAt: answer.at ?? 0, floor: head, recent: [], newer: true, newSeparator, pinsAt: head };
}

/** @param {State} s  @param {RoomEvent} event  @returns {State} */
export function applyLive(s, event) {
  if (event.seq <= s.head) return s; // received before
  let next = {
    ...s,
    head: event.seq,
    headAt: event.at,
    messages: applyToWindow(s.messages, event),
    root: s.root && applyEvent(s.root, event),
    typing: without(s.typing, event.from.id),
  };
  const [oldest] = s.recent;
  if (oldest && s.recent.length >= RECENT) next = { ...next, recent: [...s.recent.slice(1), event], floor: oldest.seq };
  else next.recent = [...s.recent, event];
  // If it was a reply, only the server knows which reply is the thread's newest now.
  if (event.kind === "delete") next.floor = event.seq;
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

/** Appends a new message to the window if the window reaches to the end of the log.
 * @param {State} s  @param {RoomEvent} event  @returns {State} */
function appendLive(s, event) {
  if (s.newer || (s.messages.at(-1)?.seq ?? 0) >= event.seq) return s; // a page has brought it already
  if (!s.following && s.messages.length >= WINDOW) return { ...s, newer: true };
  const messages = [...s.messages, event];
  const cut = s.following && messages.length > WINDOW + PAGE;
  return { ...s, messages: cut ? messages.slice(-WINDOW) : messages, older: s.older || cut };
}

/** @param {State} s  @param {RoomEvent} event  @returns {State} */
function countLive(s, event) {
  if (event.from.id === s.me.id)
    // Who writes has read.
    return { ...s, lastRead: event.seq, unreadCount: 0, mayHaveMore: false, newSeparator: null, heldUnread: false };
  const missed = (!s.reading || !s.following) && s.unreadCount === 0 && event.seq > 1;
  return {
    ...s,
    unreadCount: event.seq > s.lastRead ? s.unreadCount + 1 : s.unreadCount,
    newSeparator: missed ? event.seq - 1 : s.newSeparator,
  };
}

/** @param {State} s  @param {number} seq  @returns {State} */
export function markRead(s, seq) {
  const upTo = Math.min(seq, s.head);
  if (upTo <= s.lastRead || s.heldUnread) return s;
  const passed = s.messages.filter((e) => countsAsUnread(s, e) && e.seq <= upTo).length;
  const all = upTo === s.head;
  return recount({
    ...s,
    lastRead: upTo,
    unreadCount: all ? 0 : Math.max(0, s.unreadCount - passed),
    mayHaveMore: s.mayHaveMore && !all,
  });
}

/** Marks a message and the later ones as unread, until the person comes back or writes.
 * @param {State} s  @param {number} seq  @returns {State} */
export function markUnreadFrom(s, seq) {
  const before = s.messages.findLast((e) => e.seq < seq)?.seq ?? seq - 1;
  const next = { ...s, lastRead: Math.min(before, seq - 1), newSeparator: seq - 1, heldUnread: true };
  return { ...next, unreadCount: countUnread(next) };
}

/** @param {State} s  @param {string | undefined} topic  @param {number} seq as of which it is known
 * @returns {State} */
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

/** Notes that a message of the outbox is stored under seq. Its event follows.
 * @param {State} s  @param {number} seq  @param {OutboxMessage} message  @returns {State} */
export function addSentMessage(s, seq, message) {
  const sentMessages = new Map(s.sentMessages).set(seq, message);
  const oldest = sentMessages.size > 100 ? sentMessages.keys().next().value : undefined;
  if (oldest !== undefined) sentMessages.delete(oldest);
  return { ...s, sentMessages };
}

/** Shows a reaction, or its removal, before the server confirms it.
 * @param {State} s  @param {number} seq  @param {string} emoji  @param {boolean} on  @returns {State} */
export function reactOptimistically(s, seq, emoji, on) {
  return { ...s, optimistic: new Map(s.optimistic).set(seq, new Map(s.optimistic.get(seq)).set(emoji, on)) };
}

/** Ends the optimistic state of a reaction: the server confirmed or refused it.
 * @param {State} s  @param {number} seq  @param {string} emoji  @returns {State} */
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
