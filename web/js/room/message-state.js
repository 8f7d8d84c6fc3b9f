// message-state.js: the state of a message, and how later events change it: (message, event) → message. An event that
// is already applied changes nothing. No DOM, socket or clock.
/** @import { MessageState, Reaction, RoomEvent } from "../wire/types.js" */
import { firstOf, hideBars } from "../ui/text.js";

export const MAX_QUOTE = 200; // characters (code points) of a quote

/** Reports whether an event is a message or a reply: something that can be answered, changed and reacted to.
 * @param {RoomEvent} e */
export const isMessage = (e) => e.kind === "message" || e.kind === "reply";

/** Returns the state of m after an event of its room.
 * @param {MessageState} m  @param {RoomEvent} e  @returns {MessageState} */
export function applyEvent(m, e) {
  if (e.seq <= (m.asOf ?? m.seq)) return m;
  if (e.target === m.seq) return applyToSelf(m, e);
  if (e.target !== undefined && e.target === m.replyTo && m.quote) return applyToQuote(m, e);
  if (e.thread === m.seq && isMessage(e) && e.seq > (m.replies?.seq ?? 0))
    return { ...m, asOf: e.seq, replies: { count: (m.replies?.count ?? 0) + 1, seq: e.seq, at: e.at, from: e.from } };
  return m;
}

/** Applies a change whose target is the message itself.
 * @param {MessageState} m  @param {RoomEvent} e  @returns {MessageState} */
function applyToSelf(m, e) {
  if (m.deleted) return m;
  switch (e.kind) {
    case "edit": {
      if (e.deleted) return m; // the deletion of the message follows
      const { mentions: _, here: __, ...rest } = m;
      return {
        ...rest,
        asOf: e.seq,
        text: e.text,
        html: e.html,
        edited: { seq: e.seq, at: e.at },
        ...(e.mentions && { mentions: e.mentions }),
        ...(e.here && { here: true }),
      };
    }
    case "delete":
      return tombstone(m, e.seq);
    case "react":
      return { ...m, asOf: e.seq, reactions: addReaction(m.reactions ?? [], e) };
    case "unreact":
      return { ...m, asOf: e.seq, reactions: removeReaction(m.reactions ?? [], e) };
    case "pin":
    case "unpin":
      return { ...m, asOf: e.seq, pinned: e.kind === "pin" };
    default:
      return m;
  }
}

/** Returns what remains of a deleted message: its seq, author and time, and its thread.
 * @param {MessageState} m  @param {number} asOf  @returns {MessageState} */
function tombstone({ seq, at, kind, from, thread, replies }, asOf) {
  return {
    seq,
    at,
    kind,
    from,
    text: "",
    html: "",
    deleted: true,
    asOf,
    ...(thread && { thread }),
    ...(replies && { replies }),
  };
}

/** Applies a change of the message that m quotes.
 * @param {MessageState} m  @param {RoomEvent} e  @returns {MessageState} */
function applyToQuote(m, e) {
  if (e.kind === "delete") {
    const { quote: _, ...rest } = m;
    return { ...rest, asOf: e.seq };
  }
  if (e.kind !== "edit" || e.deleted || !m.quote) return m;
  const { from } = m.quote;
  const quote = e.html ? { from, text: e.text, html: e.html } : { from, text: firstOf(hideBars(e.text), MAX_QUOTE) };
  return { ...m, asOf: e.seq, quote };
}

/** @param {readonly Reaction[]} reactions  @param {RoomEvent} e  @returns {readonly Reaction[]} */
function addReaction(reactions, { emoji = "", from }) {
  const there = reactions.find((r) => r.emoji === emoji);
  if (!there) return [...reactions, { emoji, people: [from] }];
  if (there.people.some((p) => p.id === from.id)) return reactions;
  return reactions.map((r) => (r === there ? { emoji, people: [...r.people, from] } : r));
}

/** @param {readonly Reaction[]} reactions  @param {RoomEvent} e  @returns {readonly Reaction[]} */
function removeReaction(reactions, { emoji = "", from }) {
  return reactions
    .map((r) => (r.emoji === emoji ? { emoji, people: r.people.filter((p) => p.id !== from.id) } : r))
    .filter((r) => r.people.length > 0);
}

/** Returns reactions with the changes applied that the server has not confirmed yet.
 * @param {readonly Reaction[]} reactions  @param {ReadonlyMap<string, boolean> | undefined} optimistic
 * @param {{ id: string, name: string }} me */
export function withOptimistic(reactions, optimistic, me) {
  for (const [emoji, on] of optimistic ?? []) {
    const e = /** @type {RoomEvent} */ ({ emoji, from: me });
    reactions = on ? addReaction(reactions, e) : removeReaction(reactions, e);
  }
  return reactions;
}
