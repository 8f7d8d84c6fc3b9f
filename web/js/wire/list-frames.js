// list-frames.js: frames about the rooms in a person's list, and how they are decoded. No DOM.
/** @import { Person } from "./json.js" */
import { number, parseTime, person, personOrUnknown, record, string } from "./json.js";

/** Which messages of a room alert the person. @typedef {"all" | "mentions" | "none"} Notify */

/** A room in a person's list, as the server stores it.
 * @typedef {object} ListEntry
 * @property {string} room
 * @property {string} topic
 * @property {number} seq  of the newest event
 * @property {number} at  of the newest message; 0: no message yet
 * @property {{ from: Person, text: string } | null} last  its author and the beginning of its text
 * @property {number} read  the read mark: the newest seq that the person has read
 * @property {number} unread
 * @property {number} mentions  how many unread messages name the person
 * @property {Notify} notify
 * @property {boolean} muted
 * @property {boolean} favourite
 */

/** A new event in a room of the list: a message, a reply in a thread, a topic or a deletion.
 * @typedef {object} ListUpdate
 * @property {string} room
 * @property {number} seq
 * @property {number} at
 * @property {string} kind
 * @property {Person} from
 * @property {string} text  its beginning
 * @property {readonly string[]} mentions  the ids of the persons whom it names
 * @property {boolean} here  it names everybody who is in the room
 * @property {number} thread  the seq of the thread's first message; 0: not in a thread
 * @property {number} target  the seq of the deleted message; 0: not a deletion
 */

/** How far a person has read a room, on any of their devices.
 * @typedef {{ room: string, seq: number, unread: number, mentions: number }} ReadMark */

/** @typedef {(
 *   | { type: "update", room: string, update: ListUpdate }
 *   | { type: "entry", room: string, entry: ListEntry }
 *   | { type: "unlisted", room: string }
 *   | { type: "read", room: string, mark: ReadMark }
 * )} ListFrame */

/** Decodes a frame about the list. It returns null for other frames.
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
      return {
        type: "read",
        room,
        mark: { room, seq: number(o["seq"]), unread: number(o["unread"]), mentions: number(o["mentions"]) },
      };
    default:
      return null;
  }
}

/** @param {Record<string, unknown>} o  @returns {ListEntry | null} */
export function decodeListEntry(o) {
  const last = record(o["last"]);
  if (!string(o["room"])) return null;
  return {
    room: string(o["room"]),
    topic: string(o["topic"]),
    seq: number(o["seq"]),
    at: parseTime(o["at"]),
    last: last && { from: personOrUnknown(last["from"]), text: string(last["text"]) },
    read: number(o["read"]),
    unread: number(o["unread"]),
    mentions: number(o["mentions"]),
    notify: o["notify"] === "mentions" || o["notify"] === "none" ? o["notify"] : "all",
    muted: o["muted"] === true,
    favourite: o["favourite"] === true,
  };
}

/** @param {Record<string, unknown>} o  @param {string} room  @returns {ListUpdate} */
function decodeListUpdate(o, room) {
  const mentions = Array.isArray(o["mentions"])
    ? o["mentions"].map((m) => (typeof m === "string" ? m : (person(m)?.id ?? "")))
    : [];
  return {
    room,
    seq: number(o["seq"]),
    at: parseTime(o["at"]),
    kind: string(o["kind"]),
    from: personOrUnknown(o["from"]),
    text: string(o["text"]),
    mentions,
    here: o["at_here"] === true,
    thread: number(o["thread"]),
    target: number(o["target"]),
  };
}
