// list-frames.js: frames about the rooms in a person's list, and how they are decoded. No DOM.
/** @import { ListEntry, ListFrame, ListUpdate } from "./types.js" */
import { number, parseTime, person, personOrUnknown, record, string } from "./json.js";

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
