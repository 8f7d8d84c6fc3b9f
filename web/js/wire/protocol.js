// protocol.js: the frames and answers of the server (docs/protocol.md) and how they are decoded. No DOM.
/** @import { Person } from "./json.js" */
/** @import { AnswerBody, ListFrame, MessageState, Page, Reaction, RoomEvent, Version } from "./types.js" */
import { number, optionalNumber, optionalString, parseTime, record, string } from "./json.js";
import { people, person, personOrUnknown } from "./json.js";
import { decodeListEntry, decodeListFrame } from "./list-frames.js";

/** A decoded frame. An `answer` belongs to the command with the same `id`.
 * @typedef {(
 *   | { type: "answer", id: number, ok: true, body: AnswerBody }
 *   | { type: "answer", id: number, ok: false, error: Refusal }
 *   | { type: "event", room: string, event: RoomEvent }
 *   | { type: "presence", room: string, count: number, joined?: Person, left?: Person, here?: Person[] }
 *   | { type: "typing", room: string, from: Person }
 *   | ListFrame
 * )} ServerMessage */

/** Why a command was refused: a code for the program and a sentence in English for people. The page itself uses the
 * code `lost` when the connection ended before an answer came. */
export class Refusal extends Error {
  /** @param {string} code  @param {string} message  @param {number} [retryAfterMs] */
  constructor(code, message, retryAfterMs) {
    super(message);
    this.name = "Refusal";
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Codes after which the same command may be sent again unchanged. */
const RETRYABLE = new Set([
  "rate_limited",
  "unavailable",
  "overloaded",
  "stopping",
  "internal",
  "too_many_connections",
  "lost",
]);

/** Reports whether a command refused with this code may succeed later. @param {string} code */
export const isRetryable = (code) => RETRYABLE.has(code);

/** Decodes a frame. It returns null for an op that this page does not know; such frames are ignored.
 * @param {string} frame  @returns {ServerMessage | null} */
export function decode(frame) {
  const o = parse(frame);
  if (!o) return null;
  const room = string(o["room"]);
  switch (o["op"]) {
    case "ok":
    case "behind":
      return { type: "answer", id: number(o["id"]), ok: true, body: answerBody(o) };
    case "error":
      return { type: "answer", id: number(o["id"]), ok: false, error: refusal(o, "message") };
    case "event": {
      const event = decodeEvent(o);
      return event && { type: "event", room, event };
    }
    case "presence":
      return {
        type: "presence",
        room,
        count: number(o["count"]),
        joined: person(o["joined"]),
        left: person(o["left"]),
        here: people(o["here"]),
      };
    case "typing": {
      const from = person(o["from"]);
      return from ? { type: "typing", room, from } : null;
    }
    default:
      return decodeListFrame(o);
  }
}

/** Returns within how many milliseconds a server that stops asks its clients to come back, or undefined if the reason
 * of a close frame does not say. @param {string} reason */
export const retryWithin = (reason) => optionalNumber(parse(reason)?.["retry_within_ms"]);

/** Decodes a page of history. @param {unknown} value  @returns {Page} */
export function decodePage(value) {
  const o = record(value) ?? {};
  const list = Array.isArray(o["messages"]) ? o["messages"] : [];
  const messages = list.map((m) => decodeEvent(record(m) ?? {})).filter((e) => e !== null);
  const root = decodeEvent(record(o["root"]) ?? {});
  return {
    room: string(o["room"]),
    seq: number(o["seq"]),
    at: parseTime(o["at"]),
    epoch: string(o["epoch"]),
    messages,
    more: o["more"] === true,
    moreAfter: o["more_after"] === true,
    ...(typeof o["topic"] === "string" && { topic: o["topic"] }),
    ...(root && { root, subscribed: o["following"] === true }),
  };
}

/** Decodes a message and its earlier versions. @param {unknown} value
 * @returns {{ message: MessageState | null, versions: Version[], more: boolean }} `more`: versions follow the last
 * one */
export function decodeVersions(value) {
  const o = record(value) ?? {};
  const list = Array.isArray(o["versions"]) ? o["versions"].map((v) => record(v) ?? {}) : [];
  const versions = list.map((v) => ({
    seq: number(v["seq"]),
    at: parseTime(v["at"]),
    text: string(v["text"]),
    html: string(v["html"]),
  }));
  return { message: decodeEvent(record(o["message"]) ?? {}), versions, more: o["more"] === true };
}

/** Returns the refusal in an error answer (`message`) or in problem details (`detail`).
 * @param {Record<string, unknown>} o  @param {"message" | "detail"} sentence */
export function refusal(o, sentence) {
  const wait = o["retry_after_ms"];
  return new Refusal(string(o["code"]) || "internal", string(o[sentence]), typeof wait === "number" ? wait : undefined);
}

/** @param {string} frame */
function parse(frame) {
  try {
    return record(JSON.parse(frame));
  } catch {
    return null;
  }
}

/** @param {Record<string, unknown>} o  @returns {AnswerBody} */
function answerBody(o) {
  const limits = record(o["limits"]);
  return {
    op: string(o["op"]),
    person: person(o["person"]),
    epoch: optionalString(o["epoch"]),
    build: optionalString(o["build"]),
    reset: o["reset"] === true,
    room: optionalString(o["room"]),
    seq: optionalNumber(o["seq"]),
    at: typeof o["at"] === "string" ? Date.parse(o["at"]) : undefined,
    count: optionalNumber(o["count"]),
    here: people(o["here"]),
    limits: limits ? { message_length: number(limits["message_length"]) } : undefined,
    kind: optionalString(o["kind"]),
    topic: optionalString(o["topic"]),
    rooms: Array.isArray(o["rooms"])
      ? o["rooms"].map((e) => decodeListEntry(record(e) ?? {})).filter((e) => e !== null)
      : undefined,
    read: optionalNumber(o["read"]),
    unread: optionalNumber(o["unread"]),
    mentions: optionalNumber(o["mentions"]),
  };
}

/** @param {Record<string, unknown>} o  @returns {MessageState | null} */
function decodeEvent(o) {
  if (typeof o["seq"] !== "number") return null;
  /** @type {MessageState} */
  const event = {
    seq: o["seq"],
    at: parseTime(o["at"]),
    kind: string(o["kind"]),
    from: personOrUnknown(o["from"]),
    text: string(o["text"]),
    html: string(o["html"]),
  };
  for (const [name, read] of Object.entries(OPTIONAL_FIELDS))
    if (o[name] !== undefined && o[name] !== null) Object.assign(event, read(o[name]));
  return event;
}

/** The decoders of fields that most events do not have, by the field's name on the wire.
 * @type {Record<string, (v: unknown) => Partial<MessageState>>} */
const OPTIONAL_FIELDS = {
  target: (v) => ({ target: number(v) }),
  emoji: (v) => ({ emoji: string(v) }),
  thread: (v) => ({ thread: number(v) }),
  reply_to: (v) => ({ replyTo: number(v) }),
  quote: (v) => ({ quote: { from: personOrUnknown(record(v)?.["from"]), text: string(record(v)?.["text"]) } }),
  action: (v) => ({ action: v === true }),
  forward: (v) => ({ forward: { from: personOrUnknown(record(v)?.["from"]), at: parseTime(record(v)?.["at"]) } }),
  mentions: (v) => ({ mentions: people(v) ?? [] }),
  at_here: (v) => ({ here: v === true }),
  gone: (v) => ({ deleted: v === true }),
  edited: (v) => ({ edited: { seq: number(record(v)?.["seq"]), at: parseTime(record(v)?.["at"]) } }),
  reactions: (v) => ({
    reactions: Array.isArray(v) ? v.map(reaction).filter((r) => r.emoji !== "" && r.people.length > 0) : [],
  }),
  replies: (v) => ({
    replies: {
      count: number(record(v)?.["count"]),
      seq: number(record(v)?.["seq"]),
      at: parseTime(record(v)?.["at"]),
      from: personOrUnknown(record(v)?.["from"]),
    },
  }),
  pinned: (v) => ({ pinned: v === true }),
};

/** @param {unknown} v  @returns {Reaction} */
const reaction = (v) => ({ emoji: string(record(v)?.["emoji"]), people: people(record(v)?.["people"]) ?? [] });
