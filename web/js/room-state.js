// room-state.js: one room as this page knows it, and how that changes: (state, what happened) → state.
// No DOM, socket or clock.
//
// Of the log we hold a window: events without a gap between them. Live events prolong it only when
// it reaches to the newest one; otherwise they are counted, and read page by page when the person
// scrolls there. So a gap cannot come about, and neither memory nor the DOM grows.
/** @import { Body, Page, Person, RoomEvent, ServerMessage } from "./protocol.js" */
/** @import { Entry } from "./outbox.js" */

export const PAGE = 100; // events asked for at once
const WINDOW = 400; // events held; a fresh page may exceed it until the far end is cut
const TYPING_MS = 5_000; // the server repeats "typing" every 3 s at most

/** @typedef {object} State
 * @property {string} room
 * @property {Person} me
 * @property {string} epoch  "" before the first answer
 * @property {number} head  the room's newest seq
 * @property {readonly RoomEvent[]} events  the window
 * @property {boolean} following  the person looks at the end of the log
 * @property {boolean} reading  the person looks at the page at all
 * @property {number} lastRead
 * @property {number | null} mark  the separator "new" stands after this seq
 * @property {ReadonlyMap<string, Person> | null} people  null: too many to tell
 * @property {number} count
 * @property {ReadonlyMap<string, { person: Person, until: number }>} typing
 * @property {ReadonlyMap<number, Entry>} acked  seq → what it was in the outbox
 * @property {number} loads  how many pages of history were put in: these are no news
 */

/** @param {string} room  @param {Person} me  @returns {State} */
export function begin(room, me) {
  return {
    room, me, epoch: "", head: 0, events: [], following: true, reading: true, lastRead: 0, mark: null,
    people: new Map(), count: 0, typing: new Map(), acked: new Map(), loads: 0,
  };
}

/** @param {State} s */
export const atNewest = (s) => (s.events.at(-1)?.seq ?? 0) >= s.head;
/** @param {State} s */
export const atOldest = (s) => (s.events[0]?.seq ?? 1) <= 1;
/** How many messages the person has not read. @param {State} s */
export const unread = (s) => Math.max(0, s.head - s.lastRead);

/** A page takes the place of the window. What was read up to now matters from the first page on; to
 * a newcomer (lastRead 0) nothing counts as unread.
 * @param {State} s  @param {Page} page  @param {number} lastRead  @returns {State} */
export function opened(s, page, lastRead) {
  const fresh = s.epoch !== page.epoch;
  if (fresh && s.epoch) s = restarted(s, page.epoch);
  const head = Math.max(s.head, page.seq);
  const next = { ...s, epoch: page.epoch, head, events: page.messages, loads: s.loads + 1 };
  if (!fresh && s.lastRead > 0) return next;
  const upTo = Math.min(lastRead || head, head);
  return { ...next, lastRead: upTo, mark: upTo < head ? upTo : null };
}

/** @param {State} s  @param {Page} page  @returns {State} */
export function prepended(s, page) {
  if (page.epoch !== s.epoch || page.messages.at(-1)?.seq !== (s.events[0]?.seq ?? 0) - 1) return s;
  const events = [...page.messages, ...s.events];
  return { ...s, events: s.following ? events : events.slice(0, WINDOW), head: Math.max(s.head, page.seq), loads: s.loads + 1 };
}

/** @param {State} s  @param {Page} page  @returns {State} */
export function appended(s, page) {
  const last = s.events.at(-1)?.seq ?? 0;
  const messages = page.messages.filter((e) => e.seq > last);
  if (page.epoch !== s.epoch || messages[0]?.seq !== last + 1) return { ...s, head: Math.max(s.head, page.seq) };
  return { ...s, events: [...s.events, ...messages].slice(-WINDOW), head: Math.max(s.head, page.seq), loads: s.loads + 1 };
}

/** The log is another one than before: nothing that we hold means anything.
 * @param {State} s  @param {string} epoch  @returns {State} */
export function restarted(s, epoch) {
  return { ...begin(s.room, s.me), epoch, following: s.following, reading: s.reading, people: s.people, count: s.count, loads: s.loads + 1 };
}

/** @param {State} s  @param {Body} answer to a join: `ok` or `behind`  @returns {State} */
export function joined(s, answer) {
  const people = answer.here ? new Map(answer.here.map((p) => [p.id, p])) : null;
  const head = Math.max(s.head, answer.op === "behind" ? (answer.seq ?? 0) : 0);
  const mark = head > s.head && s.lastRead === s.head && s.head > 0 ? s.head : s.mark; // the first one missed
  return { ...s, head, mark, people, count: answer.count ?? 0, typing: new Map() };
}

/** @param {State} s  @param {RoomEvent} event  @returns {State} */
export function received(s, event) {
  if (event.seq <= s.head) return s; // heard before
  const mine = event.from.id === s.me.id;
  const next = { ...s, head: event.seq, typing: without(s.typing, event.from.id) };
  if (atNewest(s) && (s.following || s.events.length < WINDOW)) {
    next.events = [...s.events, event];
    if (s.following && next.events.length > WINDOW + PAGE) next.events = next.events.slice(-WINDOW);
  }
  if (mine) {
    next.lastRead = event.seq; // who answers has read
    next.mark = null;
  } else if ((!s.reading || !s.following) && s.lastRead === s.head && s.head > 0) {
    next.mark = s.head; // the first one missed
  }
  return next;
}

/** @param {State} s  @param {number} seq  @returns {State} */
export function read(s, seq) {
  const upTo = Math.min(seq, s.head);
  return upTo > s.lastRead ? { ...s, lastRead: upTo } : s;
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

/** @template V  @param {ReadonlyMap<string, V>} map  @param {string} key  @returns {ReadonlyMap<string, V>} */
function without(map, key) {
  if (!map.has(key)) return map;
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}
