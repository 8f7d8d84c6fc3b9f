// list-frames.js: what is said on the wire about the rooms in a person's list, and how it is read. No DOM, no socket.
/** @import { Person } from "./json.js" */
import { number, parseTime, person, personOrUnknown, record, string } from "./json.js";

/** How much a room may disturb. @typedef {"all" | "mentions" | "none"} Notify */

/** A room in a person's list, as the server keeps it.
 * @typedef {object} ListEntry
 * @property {string} room
 * @property {string} topic
 * @property {number} seq  the newest
 * @property {number} at  when the newest message came, 0 if there is none
 * @property {{ from: Person, text: string } | null} last  how it begins
 * @property {number} read
 * @property {number} unread
 * @property {number} mentions  how many of the unread name the person
 * @property {Notify} notify
 * @property {boolean} muted
 * @property {boolean} favourite
 */

/** Something new in some room of the list: a message or a thread's reply, a topic, or that a message was deleted.
 * @typedef {object} ListUpdate
 * @property {string} room
 * @property {number} seq
 * @property {number} at
 * @property {string} kind
 * @property {Person} from
 * @property {string} text  how it begins
 * @property {readonly string[]} mentions  ids
 * @property {boolean} here  it names everybody who is here
 * @property {number} thread  0 if it is in none
 * @property {number} target  the message that was deleted, else 0
 */

/** How far a person has read a room, by whatever device. @typedef {{ room: string, seq: number, unread: number, mentions: number }} ReadMark */

/** @typedef {(
 *   | { type: "update", room: string, update: ListUpdate }
 *   | { type: "entry", room: string, entry: ListEntry }
 *   | { type: "unlisted", room: string }
 *   | { type: "read", room: string, mark: ReadMark }
 * )} ListFrame */

/** Returns what a frame says about the list, or null if it is about something else.
 * @param {Record<string, unknown>} o  @returns {ListFrame | null} */
export function decodeListFrame(o) {
  const room = string(o["room"]);
  switch (o["op"]) {
    case "news":
      return { type: "update", room, update: decodeListUpdate(o, room) };
    case "entry": {
      if (o["listed"] === false) return { type: "unlisted", room };
      const entry = decodeListEntry(o);
      return entry && { type: "entry", room, entry };
    }
    case "read":
      return { type: "read", room, mark: { room, seq: number(o["seq"]), unread: number(o["unread"]), mentions: number(o["mentions"]) } };
    default:
      return null;
  }
}

/** @param {Record<string, unknown>} o  @returns {ListEntry | null} */
export function decodeListEntry(o) {
  const last = record(o["last"]);
  if (!string(o["room"])) return null;
  return {
    room: string(o["room"]), topic: string(o["topic"]), seq: number(o["seq"]), at: parseTime(o["at"]),
    last: last && { from: personOrUnknown(last["from"]), text: string(last["text"]) },
    read: number(o["read"]), unread: number(o["unread"]), mentions: number(o["mentions"]),
    notify: o["notify"] === "mentions" || o["notify"] === "none" ? o["notify"] : "all",
    muted: o["muted"] === true, favourite: o["favourite"] === true,
  };
}

/** @param {Record<string, unknown>} o  @param {string} room  @returns {ListUpdate} */
function decodeListUpdate(o, room) {
  const mentions = Array.isArray(o["mentions"]) ? o["mentions"].map((m) => (typeof m === "string" ? m : (person(m)?.id ?? ""))) : [];
  return { room, seq: number(o["seq"]), at: parseTime(o["at"]), kind: string(o["kind"]), from: personOrUnknown(o["from"]), text: string(o["text"]), mentions, here: o["at_here"] === true, thread: number(o["thread"]), target: number(o["target"]) };
}
