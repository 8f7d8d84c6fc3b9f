// room-list-state.js: the room list and how it changes: (rooms, what happened) → rooms; and the order in which rooms
// are shown. No DOM, socket or clock.
/** @import { ListEntry, ListUpdate, ReadMark } from "../wire/types.js" */
import { applyChange, applyMessage } from "./list-changes.js";

/** @typedef {ReadonlyMap<string, ListEntry>} Rooms */

/** A section of the list. @typedef {{ name: "favourites" | "rooms", entries: readonly ListEntry[] }} Section */

/** @param {readonly ListEntry[]} entries  @returns {Rooms} */
export const fromEntries = (entries) => new Map(entries.map((e) => [e.room, e]));

/** Returns the entry of a room that the server has not sent one for.
 * @param {string} room  @param {number} [at]  @returns {ListEntry} */
export const emptyEntry = (room, at = 0) => ({
  room,
  topic: "",
  seq: 0,
  at,
  last: null,
  read: 0,
  unread: 0,
  mentions: 0,
  notify: "all",
  muted: false,
  favourite: false,
});

/** @param {Rooms} rooms  @param {ListEntry} entry  @returns {Rooms} */
export const withEntry = (rooms, entry) => new Map(rooms).set(entry.room, entry);

/** @param {Rooms} rooms  @param {string} room  @returns {Rooms} */
export function withoutRoom(rooms, room) {
  const copy = new Map(rooms);
  copy.delete(room);
  return copy;
}

/** @param {Rooms} rooms  @param {ListUpdate} update  @param {string} me  @returns {Rooms} */
export function applyUpdate(rooms, update, me) {
  const entry = rooms.get(update.room) ?? emptyEntry(update.room);
  if (update.seq <= entry.seq) return rooms; // known already
  const next = { ...entry, seq: update.seq };
  switch (update.kind) {
    case "message":
    case "reply":
      return withEntry(rooms, applyMessage(next, update, me));
    case "edit":
    case "delete":
      return withEntry(rooms, applyChange(next, update, me));
    case "topic":
      return withEntry(rooms, { ...next, topic: update.text });
    default:
      return withEntry(rooms, next);
  }
}

/** @param {Rooms} rooms  @param {ReadMark} mark  @returns {Rooms} */
export function applyReadMark(rooms, mark) {
  const entry = rooms.get(mark.room);
  if (!entry || (entry.read === mark.seq && entry.unread === mark.unread && entry.mentions === mark.mentions))
    return rooms;
  return withEntry(rooms, { ...entry, read: mark.seq, unread: mark.unread, mentions: mark.mentions });
}

/** Returns how many messages of a room alert, by the room's settings: all unread ones, the mentions alone, or none.
 * @param {ListEntry} entry */
export function attention(entry) {
  if (entry.muted || entry.notify === "none") return 0;
  return entry.notify === "mentions" ? entry.mentions : Math.max(entry.unread, entry.mentions);
}

/** Reports whether a room shows that the person is mentioned. @param {ListEntry} entry */
export const showsMention = (entry) => entry.mentions > 0 && !entry.muted && entry.notify !== "none";

/** Returns the number for the title and the icon. For the room on the screen, `unread` counts instead of its entry.
 * @param {Rooms} rooms  @param {string} room  @param {number} unread in that room */
export function badge(rooms, room, unread) {
  let sum = unread;
  for (const entry of rooms.values()) if (entry.room !== room) sum += attention(entry);
  return sum;
}

/** Returns entries for the switcher: rooms with mentions first, then those with unread messages, then the others, each
 * by their last message. @param {readonly ListEntry[]} entries */
export function byAttention(entries) {
  const rank = (/** @type {ListEntry} */ e) => (showsMention(e) ? 2 : attention(e) > 0 ? 1 : 0);
  return [...entries].sort((a, b) => rank(b) - rank(a) || b.at - a.at || (a.room < b.room ? -1 : 1));
}

/** Returns the sections of the list: favourites, then the other rooms. In each, rooms with mentions come first, then
 * the rooms are sorted by their last message. @param {Rooms} rooms  @returns {Section[]} */
export function sections(rooms) {
  const all = [...rooms.values()].sort(
    (a, b) => Number(showsMention(b)) - Number(showsMention(a)) || b.at - a.at || (a.room < b.room ? -1 : 1),
  );
  /** @type {Section[]} */
  const parts = [
    { name: "favourites", entries: all.filter((e) => e.favourite) },
    { name: "rooms", entries: all.filter((e) => !e.favourite) },
  ];
  return parts.filter((s) => s.entries.length > 0);
}
