// unread.js: the read mark, the unread count and the new separator of a room's state. No DOM, socket or clock.
/** @import { MessageState, RoomEvent } from "../wire/types.js" */
/** @import { State } from "./types.js" */

const MAX_COUNTED = 100; // unread messages that the server counts

/** @param {State} s  @param {MessageState} e */
const countsAsUnread = (s, e) => e.seq > s.lastRead && isOthers(s, e);
/** @param {State} s  @param {MessageState} e */
const isOthers = (s, e) => e.from.id !== s.me.id && !e.deleted;

/** Reports whether the window has all unread messages. @param {State} s */
export const holdsAllUnread = (s) => !s.newer && (!s.older || (s.messages[0]?.seq ?? Infinity) <= s.lastRead + 1);
/** @param {State} s */
export const countUnread = (s) => s.messages.filter((e) => countsAsUnread(s, e)).length;

/** Counts the unread messages if the window has all of them. @param {State} s  @returns {State} */
export const recount = (s) => (holdsAllUnread(s) ? { ...s, unreadCount: countUnread(s), mayHaveMore: false } : s);

/** Takes the unread count of the server. It may know a later read mark, from another device.
 * @param {State} s  @param {number} lastRead  @param {number} unreadCount  @returns {State} */
export function setUnreadCount(s, lastRead, unreadCount) {
  if (lastRead < s.lastRead || s.heldUnread) return s;
  return recount({ ...s, lastRead, unreadCount, mayHaveMore: unreadCount >= MAX_COUNTED });
}

/** @param {State} s  @param {RoomEvent} event  @returns {State} */
export function countLive(s, event) {
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

/** Counts again after a message was deleted. Without any message of others behind it the new separator goes, as it
 * would not be there after a reload.
 * @param {State} s  @param {MessageState | undefined} before the message as it was, if the window had it
 * @returns {State} */
export function countDeletion(s, before) {
  const { newSeparator } = s;
  const gone = before && countsAsUnread(s, before) && !s.mayHaveMore ? 1 : 0;
  const next = { ...s, unreadCount: Math.max(0, s.unreadCount - gone) };
  if (newSeparator !== null && !s.newer && !s.messages.some((e) => e.seq > newSeparator && isOthers(s, e)))
    next.newSeparator = null;
  return recount(next);
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
