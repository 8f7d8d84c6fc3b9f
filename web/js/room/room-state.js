// room-state.js: the state of one room, or of one thread in it. The modules beside it change it, by functions from a
// state and what happened to a new state: room-pages.js (pages of history), live-events.js and unread.js. No DOM,
// socket or clock.
/** @import { Person } from "../wire/json.js" */
/** @import { Page, RoomEvent } from "../wire/types.js" */
/** @import { OutboxMessage, State } from "./types.js" */
import { isMessage } from "./message-state.js";

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

/** @param {State} s */
export const atNewest = (s) => !s.newer;
/** @param {State} s */
export const atOldest = (s) => !s.older;

/** Reports whether a page is new enough to be brought up to date. @param {State} s  @param {Page} page */
export const isUsable = (s, page) => page.epoch !== s.epoch || page.seq >= s.floor;

/** Reports whether an event is a message of this room or thread. @param {State} s  @param {RoomEvent} e */
export const belongs = (s, e) => (s.thread ? isMessage(e) && e.thread === s.thread : e.kind === "message");

/** @param {State} s  @param {string | undefined} topic  @param {number} seq as of which it is known
 * @returns {State} */
export function setTopic(s, topic, seq) {
  const known = topic === undefined || seq < s.topicAt || (seq === s.topicAt && topic === s.topic);
  return known ? s : { ...s, topic, topicAt: seq };
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
export function without(map, key) {
  if (!map.has(key)) return map;
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}
