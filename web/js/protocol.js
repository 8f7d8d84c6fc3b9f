// protocol.js: what is said on the wire (docs/protocol.md) and how it is read. No DOM, no socket.
/** @import { ListMessage, RoomEntry } from "./list-protocol.js" */
import { decodeEntry, decodeListMessage } from "./list-protocol.js";

/** @typedef {{ id: string, name: string }} Person */

/** A stored event of a room. `at` is in milliseconds since 1970; order is by `seq` alone.
 * @typedef {{ seq: number, at: number, kind: string, from: Person, text: string, html: string }} RoomEvent */

/** @typedef {{ room: string, seq: number, epoch: string, messages: RoomEvent[] }} Page */

/** @typedef {{ message_length: number }} Limits */

/** What the server says, decoded. `answer` belongs to the command with the same `id`.
 * @typedef {(
 *   | { type: "answer", id: number, ok: true, body: Body }
 *   | { type: "answer", id: number, ok: false, error: Refusal }
 *   | { type: "event", room: string, event: RoomEvent }
 *   | { type: "presence", room: string, count: number, joined?: Person, left?: Person, here?: Person[] }
 *   | { type: "typing", room: string, from: Person }
 *   | ListMessage
 * )} ServerMessage */

/** The fields of all answers together; which are set depends on the command.
 * @typedef {object} Body
 * @property {string} op "ok", or for a join perhaps "behind"
 * @property {Person} [person]
 * @property {string} [epoch]
 * @property {Limits} [limits]
 * @property {string} [room]
 * @property {number} [seq]
 * @property {number} [at]
 * @property {number} [count]
 * @property {Person[]} [here]
 * @property {RoomEntry[]} [rooms]
 * @property {number} [read]
 * @property {number} [unread]
 * @property {number} [mentions]
 */

/** @typedef {object} Command
 * @property {string} op
 * @property {string} [room]
 * @property {number} [after]
 * @property {string} [epoch]
 * @property {string} [nonce]
 * @property {string} [text]
 * @property {number} [seq]
 * @property {boolean} [exact]
 * @property {string} [notify]
 * @property {boolean} [muted]
 * @property {boolean} [favourite]
 * @property {boolean} [listed]
 */

/** Why a command was refused: a code to act on and a sentence to read. The code
 * `lost` is ours: no answer came because the connection ended. */
export class Refusal extends Error {
  /** @param {string} code  @param {string} message  @param {number} [retryAfterMs] */
  constructor(code, message, retryAfterMs) {
    super(message);
    this.name = "Refusal";
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The codes with which the same message may be sent again, unchanged. */
const PASSING = new Set(["rate_limited", "unavailable", "overloaded", "stopping", "internal", "too_many_connections", "lost"]);

/** Reports whether it helps to wait. @param {string} code */
export const passes = (code) => PASSING.has(code);

/** Returns what a frame says, or null for what this page does not know (and so ignores).
 * @param {string} frame  @returns {ServerMessage | null} */
export function decode(frame) {
  const o = parse(frame);
  if (!o) return null;
  const room = string(o["room"]);
  switch (o["op"]) {
    case "ok":
    case "behind":
      return { type: "answer", id: number(o["id"]), ok: true, body: body(o) };
    case "error":
      return { type: "answer", id: number(o["id"]), ok: false, error: refusal(o, "message") };
    case "event": {
      const event = decodeEvent(o);
      return event && { type: "event", room, event };
    }
    case "presence":
      return { type: "presence", room, count: number(o["count"]), joined: person(o["joined"]), left: person(o["left"]), here: people(o["here"]) };
    case "typing": {
      const from = person(o["from"]);
      return from ? { type: "typing", room, from } : null;
    }
    default:
      return decodeListMessage(o);
  }
}

/** Returns a page of history. @param {unknown} value  @returns {Page} */
export function decodePage(value) {
  const o = record(value) ?? {};
  const list = Array.isArray(o["messages"]) ? o["messages"] : [];
  const messages = list.map((m) => decodeEvent(record(m) ?? {})).filter((e) => e !== null);
  return { room: string(o["room"]), seq: number(o["seq"]), epoch: string(o["epoch"]), messages };
}

/** Returns the refusal in an error answer (`message`) or in problem details (`detail`).
 * @param {Record<string, unknown>} o  @param {"message" | "detail"} sentence */
export function refusal(o, sentence) {
  const wait = o["retry_after_ms"];
  return new Refusal(string(o["code"]) || "internal", string(o[sentence]), typeof wait === "number" ? wait : undefined);
}

/** Returns a JSON object, or null for anything else. @param {unknown} v  @returns {Record<string, unknown> | null} */
export function record(v) {
  return typeof v === "object" && v !== null && !Array.isArray(v) ? /** @type {Record<string, unknown>} */ (v) : null;
}

/** @param {unknown} v  @returns {Person | undefined} */
export function person(v) {
  const o = record(v);
  return o && typeof o["id"] === "string" ? { id: o["id"], name: string(o["name"]) } : undefined;
}

/** @param {string} frame */
function parse(frame) {
  try {
    return record(JSON.parse(frame));
  } catch {
    return null;
  }
}

/** @param {Record<string, unknown>} o  @returns {Body} */
function body(o) {
  const limits = record(o["limits"]);
  return {
    op: string(o["op"]),
    person: person(o["person"]),
    epoch: optional(o["epoch"]),
    room: optional(o["room"]),
    seq: typeof o["seq"] === "number" ? o["seq"] : undefined,
    at: typeof o["at"] === "string" ? Date.parse(o["at"]) : undefined,
    count: typeof o["count"] === "number" ? o["count"] : undefined,
    here: people(o["here"]),
    limits: limits ? { message_length: number(limits["message_length"]) } : undefined,
    rooms: Array.isArray(o["rooms"]) ? o["rooms"].map((e) => decodeEntry(record(e) ?? {})).filter((e) => e !== null) : undefined,
    read: typeof o["read"] === "number" ? o["read"] : undefined,
    unread: typeof o["unread"] === "number" ? o["unread"] : undefined,
    mentions: typeof o["mentions"] === "number" ? o["mentions"] : undefined,
  };
}

/** @param {Record<string, unknown>} o  @returns {RoomEvent | null} */
function decodeEvent(o) {
  const from = person(o["from"]);
  if (typeof o["seq"] !== "number") return null;
  return {
    seq: o["seq"],
    at: Date.parse(string(o["at"])) || 0,
    kind: string(o["kind"]),
    from: from ?? { id: "", name: "" },
    text: string(o["text"]),
    html: string(o["html"]),
  };
}

/** @param {unknown} v */
const string = (v) => (typeof v === "string" ? v : "");
/** @param {unknown} v */
const optional = (v) => (typeof v === "string" ? v : undefined);
/** @param {unknown} v */
const number = (v) => (typeof v === "number" ? v : 0);
/** @param {unknown} v */
const people = (v) => (Array.isArray(v) ? v.map(person).filter((p) => p !== undefined) : undefined);
