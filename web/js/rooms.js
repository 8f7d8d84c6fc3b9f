// rooms.js: the rooms in a person's list as this page knows them, and how that changes: (rooms, what happened) → rooms; and the
// order in which they are shown. No DOM, socket or clock.
/** @import { News, ReadMark, RoomEntry } from "./list-protocol.js" */

/** @typedef {ReadonlyMap<string, RoomEntry>} Rooms */

/** What stands together in the list. @typedef {{ name: "favourites" | "rooms", entries: readonly RoomEntry[] }} Section */

/** @param {readonly RoomEntry[]} entries  @returns {Rooms} */
export const listed = (entries) => new Map(entries.map((e) => [e.room, e]));

/** A room of which nothing is known yet but that one is there. @param {string} room  @param {number} [at]  @returns {RoomEntry} */
export const blank = (room, at = 0) => ({ room, topic: "", seq: 0, at, last: null, read: 0, unread: 0, mentions: 0, notify: "all", muted: false, favourite: false });

/** @param {Rooms} rooms  @param {RoomEntry} entry  @returns {Rooms} */
export const changed = (rooms, entry) => new Map(rooms).set(entry.room, entry);

/** @param {Rooms} rooms  @param {string} room  @returns {Rooms} */
export function without(rooms, room) {
  const copy = new Map(rooms);
  copy.delete(room);
  return copy;
}

/** Whether news names the person. @param {News} news  @param {string} me */
export const names = (news, me) => news.here || news.mentions.includes(me);

/** @param {Rooms} rooms  @param {News} news  @param {string} me  @returns {Rooms} */
export function heard(rooms, news, me) {
  const entry = rooms.get(news.room) ?? blank(news.room);
  if (news.seq <= entry.seq) return rooms; // known already
  const others = news.from.id !== me && news.seq > entry.read;
  const said = news.kind === "message"; // a thread's reply is no message of the room, but may name one
  return changed(rooms, {
    ...entry, seq: news.seq,
    ...(said && { at: news.at, last: { from: news.from, text: news.text } }),
    ...(news.kind === "topic" && { topic: news.text }),
    unread: entry.unread + Number(others && said),
    mentions: entry.mentions + Number(others && names(news, me)),
  });
}

/** @param {Rooms} rooms  @param {ReadMark} mark  @returns {Rooms} */
export function read(rooms, mark) {
  const entry = rooms.get(mark.room);
  if (!entry || (entry.read === mark.seq && entry.unread === mark.unread && entry.mentions === mark.mentions)) return rooms;
  return changed(rooms, { ...entry, read: mark.seq, unread: mark.unread, mentions: mark.mentions });
}

/** How much a room asks for: what names one always, the rest only where one wants to hear of all. @param {RoomEntry} entry */
export function calls(entry) {
  if (entry.muted || entry.notify === "none") return 0;
  return entry.notify === "mentions" ? entry.mentions : Math.max(entry.unread, entry.mentions);
}

/** Whether a room names one and may say so. @param {RoomEntry} entry */
export const callsByName = (entry) => entry.mentions > 0 && !entry.muted && entry.notify !== "none";

/** The number on the page's title and icon. The room on the screen counts as its own log says.
 * @param {Rooms} rooms  @param {string} room  @param {number} unread in that room */
export function badge(rooms, room, unread) {
  let sum = unread;
  for (const entry of rooms.values()) if (entry.room !== room) sum += calls(entry);
  return sum;
}

/** Returns what the list shows: first what one likes best, then the rest; in both first what names one, then by
 * activity. A filter leaves what has its words in name or topic.
 * @param {Rooms} rooms  @param {string} [filter]  @returns {Section[]} */
export function sections(rooms, filter = "") {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = [...rooms.values()].filter((e) => words.every((w) => `${e.room} ${e.topic}`.toLowerCase().includes(w)));
  wanted.sort((a, b) => Number(callsByName(b)) - Number(callsByName(a)) || b.at - a.at || (a.room < b.room ? -1 : 1));
  const favourites = wanted.filter((e) => e.favourite);
  /** @type {Section[]} */
  const all = [{ name: "favourites", entries: favourites }, { name: "rooms", entries: wanted.filter((e) => !e.favourite) }];
  return all.filter((s) => s.entries.length > 0);
}
