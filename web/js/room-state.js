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
/** @import { Body, Page, Person, RoomEvent, ServerMessage } from "./protocol.js" */
/** @import { Entry } from "./outbox.js" */
import { changed, isSaid } from "./standing.js";

export const PAGE = 100; // messages asked for at once
const WINDOW = 400; // messages held; a fresh page may exceed it until the far end is cut
const RECENT = 500; // live events kept for pages on their way
const PINNING = new Set(["pin", "unpin", "delete", "edit"]);
const MOST_COUNTED = 100; // unread messages that the server counts
const TYPING_MS = 5_000; // the server repeats "typing" every 3 s at most

/** @typedef {object} State
 * @property {string} room
 * @property {number} thread  the seq of its first message; 0: the room itself
 * @property {Person} me
 * @property {string} epoch  "" before the first answer
 * @property {number} head  up to which seq live events have been heard
 * @property {number} headAt  when that event was stored; 0: not known
 * @property {readonly RoomEvent[]} events  the window: messages alone
 * @property {boolean} older  there are messages before the window
 * @property {boolean} newer  there are messages after it
 * @property {RoomEvent | null} root  of a thread
 * @property {readonly RoomEvent[]} recent  the live events heard last
 * @property {number} floor  what was read before this seq cannot be brought up to date
 * @property {string} topic
 * @property {number} topicAt  as of which seq
 * @property {number} pinsAt  the last event that may have changed what is pinned
 * @property {boolean} following  the person looks at the end of the log
 * @property {boolean} reading  the person looks at the page at all
 * @property {number} lastRead
 * @property {number} news  how many messages of others came after that
 * @property {boolean} uncounted  there may be more of them
 * @property {boolean} keptUnread  the person wants it to stay unread for now
 * @property {number | null} mark  the separator "new" stands after this seq
 * @property {ReadonlyMap<string, Person> | null} people  null: too many to tell
 * @property {number} count
 * @property {ReadonlyMap<string, { person: Person, until: number }>} typing
 * @property {ReadonlyMap<number, Entry>} acked  seq → what it was in the outbox
 * @property {ReadonlyMap<number, ReadonlyMap<string, boolean>>} hopes  seq → emoji → put or taken back here, not confirmed yet
 * @property {number} loads  how many pages of history were put in: these are no news
 */

/** @param {string} room  @param {Person} me  @param {number} [thread]  @returns {State} */
export function begin(room, me, thread = 0) {
  return {
    room, thread, me, epoch: "", head: 0, headAt: 0, events: [], older: false, newer: false, root: null, recent: [], floor: 0, topic: "", topicAt: 0, pinsAt: 0,
    following: true, reading: true, lastRead: 0, news: 0, uncounted: false, keptUnread: false, mark: null,
    people: new Map(), count: 0, typing: new Map(), acked: new Map(), hopes: new Map(), loads: 0,
  };
}

/** A thread that is opened knows what its room has heard. @param {State} s  @param {number} thread  @returns {State} */
export const beginThread = ({ room, me, epoch, head, headAt, recent, floor }, thread) => ({ ...begin(room, me, thread), epoch, head, headAt, recent, floor });

/** @param {State} s */
export const atNewest = (s) => !s.newer;
/** @param {State} s */
export const atOldest = (s) => !s.older;
/** How many messages the person has not read. @param {State} s */
export const unread = (s) => s.news;
/** Whether a page was read late enough to be brought up to date. @param {State} s  @param {Page} page */
export const isUsable = (s, page) => page.epoch !== s.epoch || page.seq >= s.floor;

/** Whether an event is one of the messages that are shown here. @param {State} s  @param {RoomEvent} e */
const belongs = (s, e) => (s.thread ? isSaid(e) && e.thread === s.thread : e.kind === "message");
/** @param {State} s  @param {RoomEvent} e */
const isNews = (s, e) => e.seq > s.lastRead && e.from.id !== s.me.id;

/** A page takes the place of the window. What was read up to now matters from the first page on; to
 * a newcomer (lastRead 0) nothing counts as unread.
 * @param {State} s  @param {Page} page  @param {number} lastRead  @returns {State} */
export function opened(s, page, lastRead) {
  if (!isUsable(s, page)) return s;
  const fresh = s.epoch !== page.epoch;
  if (fresh && s.epoch) s = restarted(s, page.epoch);
  const { messages, later } = broughtUpToDate(s, page);
  const newer = page.moreAfter ?? false;
  const next = retopiced({
    ...s, epoch: page.epoch, head: fresh ? page.seq : s.head, headAt: fresh ? (page.at ?? 0) : s.headAt, events: newer ? messages : [...messages, ...later], older: page.more, newer,
    root: rootOf(s, page), loads: s.loads + 1,
  }, page.topic, page.seq);
  if (!fresh && s.lastRead > 0) return recounted(next);
  next.lastRead = Math.min(lastRead || next.head, next.head);
  next.news = countNews(next);
  next.mark = next.news > 0 || (newer && next.lastRead < next.head) ? next.lastRead : null;
  return next;
}

/** @param {State} s  @param {Page} page the answer to what is before a seq  @param {number} before  @returns {State} */
export function prepended(s, page, before) {
  if (page.epoch !== s.epoch || !isUsable(s, page) || s.events[0]?.seq !== before) return s;
  const events = [...broughtUpToDate(s, page).messages, ...s.events];
  const cut = !s.following && events.length > WINDOW;
  return { ...s, events: cut ? events.slice(0, WINDOW) : events, older: page.more, newer: s.newer || cut, root: rootOf(s, page), loads: s.loads + 1 };
}

/** @param {State} s  @param {Page} page the answer to what is after a seq  @param {number} after  @returns {State} */
export function appended(s, page, after) {
  if (page.epoch !== s.epoch || !isUsable(s, page) || !s.newer || (s.events.at(-1)?.seq ?? 0) !== after) return s;
  const { messages, later } = broughtUpToDate(s, page);
  const events = [...s.events, ...messages, ...(page.more ? [] : later)];
  return { ...s, events: events.slice(-WINDOW), older: s.older || events.length > WINDOW, newer: page.more, root: rootOf(s, page), loads: s.loads + 1 };
}

/** Messages that we hold were read anew. @param {State} s  @param {Page} page  @returns {State} */
export function refreshed(s, page) {
  if (page.epoch !== s.epoch || !isUsable(s, page)) return s;
  const anew = new Map(broughtUpToDate(s, page).messages.map((m) => [m.seq, m]));
  return { ...s, events: s.events.map((m) => anew.get(m.seq) ?? m), root: s.root && (anew.get(s.root.seq) ?? s.root) };
}

/** Returns a page's messages as they stand after what was heard since, and the messages that came since.
 * @param {State} s  @param {Page} page */
function broughtUpToDate(s, page) {
  const since = page.epoch === s.epoch ? s.recent.filter((e) => e.seq > page.seq) : [];
  const messages = page.messages.map((m) => since.reduce(changed, { ...m, asOf: page.seq }));
  const last = messages.at(-1)?.seq ?? 0; // of a page around a message the second half may be a little younger
  const later = since.filter((e) => belongs(s, e) && e.seq > last).map((e) => since.reduce(changed, e));
  return { messages, later };
}

/** @param {State} s  @param {Page} page */
function rootOf(s, page) {
  if (!page.root) return s.root;
  return s.recent.filter((e) => e.seq > page.seq).reduce(changed, { ...page.root, asOf: page.seq });
}

/** Whether all that is unread is in the window. @param {State} s */
export const holdsNews = (s) => !s.newer && (!s.older || (s.events[0]?.seq ?? Infinity) <= s.lastRead + 1);
/** @param {State} s */
const countNews = (s) => s.events.filter((e) => isNews(s, e)).length;

/** Counts anew what can be counted. @param {State} s  @returns {State} */
const recounted = (s) => (holdsNews(s) ? { ...s, news: countNews(s), uncounted: false } : s);

/** The server has counted what is unread. It may know of a later place, from another device.
 * @param {State} s  @param {number} lastRead  @param {number} news  @returns {State} */
export function counted(s, lastRead, news) {
  if (lastRead < s.lastRead || s.keptUnread) return s;
  return recounted({ ...s, lastRead, news, uncounted: news >= MOST_COUNTED });
}

/** The log is another one than before: nothing that we hold means anything.
 * @param {State} s  @param {string} epoch  @returns {State} */
export function restarted(s, epoch) {
  return { ...begin(s.room, s.me, s.thread), epoch, following: s.following, reading: s.reading, people: s.people, count: s.count, loads: s.loads + 1 };
}

/** After `behind` there are events that nobody will tell us: what we hold has to be read again.
 * @param {State} s  @param {Body} answer to a join: `ok` or `behind`  @returns {State} */
export function joined(s, answer) {
  const people = answer.here ? new Map(answer.here.map((p) => [p.id, p])) : null;
  const next = retopiced({ ...s, people, count: answer.count ?? 0, typing: new Map() }, answer.topic, answer.seq ?? s.head);
  const head = answer.op === "behind" ? Math.max(s.head, answer.seq ?? 0) : s.head;
  if (head === s.head) return next;
  const mark = s.news === 0 && s.head > 0 ? s.head : s.mark; // the first one missed
  return { ...next, head, headAt: answer.at ?? 0, floor: head, recent: [], newer: true, mark, pinsAt: head };
}

/** @param {State} s  @param {RoomEvent} event  @returns {State} */
export function received(s, event) {
  if (event.seq <= s.head) return s; // heard before
  let next = { ...s, head: event.seq, headAt: event.at, events: changedIn(s.events, event), root: s.root && changed(s.root, event), typing: without(s.typing, event.from.id) };
  const [oldest] = s.recent;
  if (oldest && s.recent.length >= RECENT) next = { ...next, recent: [...s.recent.slice(1), event], floor: oldest.seq };
  else next.recent = [...s.recent, event];
  if (event.kind === "delete") next.floor = event.seq; // it may be a reply: then nobody but the server can tell its thread's last
  if (PINNING.has(event.kind)) next.pinsAt = event.seq;
  if (event.kind === "topic") next = retopiced(next, event.text, event.seq);
  if (event.from.id === s.me.id && event.emoji) next = settled(next, event.target ?? 0, event.emoji);
  if (!belongs(s, event)) return next;
  return noticed(prolonged(next, event), event);
}

/** @param {readonly RoomEvent[]} events  @param {RoomEvent} change  @returns {readonly RoomEvent[]} */
function changedIn(events, change) {
  if (!change.target && !change.thread) return events;
  const next = events.map((e) => changed(e, change));
  return next.some((e, i) => e !== events[i]) ? next : events;
}

/** Puts a new message at the end of the window, if that is where it belongs.
 * @param {State} s  @param {RoomEvent} event  @returns {State} */
function prolonged(s, event) {
  if (s.newer || (s.events.at(-1)?.seq ?? 0) >= event.seq) return s; // a page may have had it before us
  if (!s.following && s.events.length >= WINDOW) return { ...s, newer: true };
  const events = [...s.events, event];
  const cut = s.following && events.length > WINDOW + PAGE;
  return { ...s, events: cut ? events.slice(-WINDOW) : events, older: s.older || cut };
}

/** @param {State} s  @param {RoomEvent} event  @returns {State} */
function noticed(s, event) {
  if (event.from.id === s.me.id) return { ...s, lastRead: event.seq, news: 0, uncounted: false, mark: null, keptUnread: false }; // who answers has read
  const missed = (!s.reading || !s.following) && s.news === 0 && event.seq > 1;
  return { ...s, news: event.seq > s.lastRead ? s.news + 1 : s.news, mark: missed ? event.seq - 1 : s.mark };
}

/** @param {State} s  @param {number} seq  @returns {State} */
export function read(s, seq) {
  const upTo = Math.min(seq, s.head);
  if (upTo <= s.lastRead || s.keptUnread) return s;
  const passed = s.events.filter((e) => isNews(s, e) && e.seq <= upTo).length;
  const all = upTo === s.head;
  return recounted({ ...s, lastRead: upTo, news: all ? 0 : Math.max(0, s.news - passed), uncounted: s.uncounted && !all });
}

/** The person wants a message and what follows it to be unread again, until they come back or write.
 * @param {State} s  @param {number} seq  @returns {State} */
export function unreadFrom(s, seq) {
  const before = s.events.findLast((e) => e.seq < seq)?.seq ?? seq - 1;
  const next = { ...s, lastRead: Math.min(before, seq - 1), mark: seq - 1, keptUnread: true };
  return { ...next, news: countNews(next) };
}

/** @param {State} s  @param {string | undefined} topic  @param {number} seq as of which it is so  @returns {State} */
export function retopiced(s, topic, seq) {
  const known = topic === undefined || seq < s.topicAt || (seq === s.topicAt && topic === s.topic);
  return known ? s : { ...s, topic, topicAt: seq };
}

/** @param {State} s  @param {ServerMessage & { type: "presence" }} change  @returns {State} */
export function presence(s, change) {
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
export function typing(s, person, now) {
  if (person.id === s.me.id) return s;
  return { ...s, typing: new Map(s.typing).set(person.id, { person, until: now + TYPING_MS }) };
}

/** @param {State} s  @param {number} now  @returns {State} */
export function quiet(s, now) {
  const still = [...s.typing].filter(([, t]) => t.until > now);
  return still.length === s.typing.size ? s : { ...s, typing: new Map(still) };
}

/** One's own message is stored under seq; its event follows. @param {State} s  @param {number} seq  @param {Entry} entry  @returns {State} */
export function acknowledged(s, seq, entry) {
  const acked = new Map(s.acked).set(seq, entry);
  const oldest = acked.size > 100 ? acked.keys().next().value : undefined;
  if (oldest !== undefined) acked.delete(oldest);
  return { ...s, acked };
}

/** A reaction is shown as if the server had confirmed it. @param {State} s  @param {number} seq  @param {string} emoji  @param {boolean} on  @returns {State} */
export function hoped(s, seq, emoji, on) {
  return { ...s, hopes: new Map(s.hopes).set(seq, new Map(s.hopes.get(seq)).set(emoji, on)) };
}

/** It has been confirmed, or refused. @param {State} s  @param {number} seq  @param {string} emoji  @returns {State} */
export function settled(s, seq, emoji) {
  const hopes = s.hopes.get(seq);
  if (!hopes?.has(emoji)) return s;
  const left = without(hopes, emoji);
  return { ...s, hopes: left.size > 0 ? new Map(s.hopes).set(seq, left) : without(s.hopes, seq) };
}

/** @template K, V  @param {ReadonlyMap<K, V>} map  @param {K} key  @returns {ReadonlyMap<K, V>} */
function without(map, key) {
  if (!map.has(key)) return map;
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}
