// standing.js: a message as it stands, and what an event of its room makes of it: (message, event) → message. An event
// that the message has in it already changes nothing. No DOM, socket or clock.
/** @import { Reaction, RoomEvent } from "./protocol.js" */

const MAX_QUOTE = 200; // characters of an answered message

/** Whether somebody said something: it can be answered, changed and reacted to. @param {RoomEvent} e */
export const isSaid = (e) => e.kind === "message" || e.kind === "reply";

/** @param {RoomEvent} m  @param {RoomEvent} e  @returns {RoomEvent} */
export function changed(m, e) {
  if (e.seq <= (m.asOf ?? m.seq)) return m;
  if (e.target === m.seq) return done(m, e);
  if (e.target !== undefined && e.target === m.replyTo && m.quote) return requoted(m, e);
  if (e.thread === m.seq && isSaid(e) && e.seq > (m.replies?.seq ?? 0)) return { ...m, asOf: e.seq, replies: { count: (m.replies?.count ?? 0) + 1, seq: e.seq, at: e.at, from: e.from } };
  return m;
}

/** What is done to the message itself. @param {RoomEvent} m  @param {RoomEvent} e  @returns {RoomEvent} */
function done(m, e) {
  if (m.gone) return m;
  switch (e.kind) {
    case "edit": {
      if (e.gone) return m; // its deletion follows
      const { mentions: _, here: __, ...rest } = m;
      return { ...rest, asOf: e.seq, text: e.text, html: e.html, edited: { seq: e.seq, at: e.at }, ...(e.mentions && { mentions: e.mentions }), ...(e.here && { here: true }) };
    }
    case "delete":
      return gone(m, e.seq);
    case "react":
      return { ...m, asOf: e.seq, reactions: put(m.reactions ?? [], e) };
    case "unreact":
      return { ...m, asOf: e.seq, reactions: takenBack(m.reactions ?? [], e) };
    case "pin":
    case "unpin":
      return { ...m, asOf: e.seq, pinned: e.kind === "pin" };
    default:
      return m;
  }
}

/** What stays of a message: that somebody said something then, and the talk that it began.
 * @param {RoomEvent} m  @param {number} asOf  @returns {RoomEvent} */
function gone({ seq, at, kind, from, thread, replies }, asOf) {
  return { seq, at, kind, from, text: "", html: "", gone: true, asOf, ...(thread && { thread }), ...(replies && { replies }) };
}

/** @param {RoomEvent} m  @param {RoomEvent} e  @returns {RoomEvent} */
function requoted(m, e) {
  if (e.kind === "delete") {
    const { quote: _, ...rest } = m;
    return { ...rest, asOf: e.seq };
  }
  if (e.kind !== "edit" || e.gone || !m.quote) return m;
  return { ...m, asOf: e.seq, quote: { ...m.quote, text: [...e.text].slice(0, MAX_QUOTE).join("") } };
}

/** @param {readonly Reaction[]} reactions  @param {RoomEvent} e  @returns {readonly Reaction[]} */
function put(reactions, { emoji = "", from }) {
  const there = reactions.find((r) => r.emoji === emoji);
  if (!there) return [...reactions, { emoji, people: [from] }];
  if (there.people.some((p) => p.id === from.id)) return reactions;
  return reactions.map((r) => (r === there ? { emoji, people: [...r.people, from] } : r));
}

/** @param {readonly Reaction[]} reactions  @param {RoomEvent} e  @returns {readonly Reaction[]} */
function takenBack(reactions, { emoji = "", from }) {
  return reactions.map((r) => (r.emoji === emoji ? { emoji, people: r.people.filter((p) => p.id !== from.id) } : r)).filter((r) => r.people.length > 0);
}

/** Reactions with those that a person has put or taken back a moment ago.
 * @param {readonly Reaction[]} reactions  @param {ReadonlyMap<string, boolean> | undefined} hopes  @param {{ id: string, name: string }} me */
export function withHopes(reactions, hopes, me) {
  for (const [emoji, on] of hopes ?? []) {
    const e = /** @type {RoomEvent} */ ({ emoji, from: me });
    reactions = on ? put(reactions, e) : takenBack(reactions, e);
  }
  return reactions;
}
