// live-events.js: what an answer to a join, a live event, presence and typing change in the state of a room or thread.
// No DOM, socket or clock.
/** @import { Person } from "../wire/json.js" */
/** @import { ServerMessage } from "../wire/protocol.js" */
/** @import { AnswerBody, MessageState, RoomEvent } from "../wire/types.js" */
/** @import { State } from "./types.js" */
import { applyEvent } from "./message-state.js";
import { appendLive } from "./room-pages.js";
import { belongs, confirmReaction, setTopic, without } from "./room-state.js";
import { countDeletion, countLive } from "./unread.js";

const RECENT = 500; // live events stored for pages that are on their way
const TYPING_MS = 5_000; // the server repeats "typing" every 3 s at most
const PINNING = new Set(["pin", "unpin", "delete", "edit"]);

/** Applies the answer to a join. After `behind` the server will not send the events that we missed, so the messages
 * that we hold have to be read again.
 * @param {State} s  @param {AnswerBody} answer to a join: `ok` or `behind`  @returns {State} */
export function applyJoin(s, answer) {
  const people = answer.here ? new Map(answer.here.map((p) => [p.id, p])) : null;
  const next = setTopic(
    { ...s, people, count: answer.count ?? 0, typing: new Map() },
    answer.topic,
    answer.seq ?? s.head,
  );
  const head = answer.op === "behind" ? Math.max(s.head, answer.seq ?? 0) : s.head;
  if (head === s.head) return next;
  const newSeparator = s.unreadCount === 0 && s.head > 0 ? s.head : s.newSeparator; // before the first missed message
  return { ...next, head, headAt: answer.at ?? 0, floor: head, recent: [], newer: true, newSeparator, pinsAt: head };
}

/** @param {State} s  @param {RoomEvent} event  @returns {State} */
export function applyLive(s, event) {
  if (event.seq <= s.head) return s; // received before
  let next = {
    ...s,
    head: event.seq,
    headAt: event.at,
    messages: applyToWindow(s.messages, event),
    root: s.root && applyEvent(s.root, event),
    typing: without(s.typing, event.from.id),
  };
  const [oldest] = s.recent;
  if (oldest && s.recent.length >= RECENT) next = { ...next, recent: [...s.recent.slice(1), event], floor: oldest.seq };
  else next.recent = [...s.recent, event];
  // If it was a reply, only the server knows which reply is the thread's newest now.
  if (event.kind === "delete") next.floor = event.seq;
  if (PINNING.has(event.kind)) next.pinsAt = event.seq;
  if (event.kind === "topic") next = setTopic(next, event.text, event.seq);
  if (event.from.id === s.me.id && event.emoji) next = confirmReaction(next, event.target ?? 0, event.emoji);
  if (event.kind === "delete") return countDeletion(next, s.messages.find((m) => m.seq === event.target));
  if (!belongs(s, event)) return next;
  return countLive(appendLive(next, event), event);
}

/** @param {readonly MessageState[]} messages  @param {RoomEvent} change  @returns {readonly MessageState[]} */
function applyToWindow(messages, change) {
  if (!change.target && !change.thread) return messages;
  const next = messages.map((m) => applyEvent(m, change));
  return next.some((m, i) => m !== messages[i]) ? next : messages;
}

/** @param {State} s  @param {ServerMessage & { type: "presence" }} change  @returns {State} */
export function applyPresence(s, change) {
  let { people } = s;
  if (change.here) people = new Map(change.here.map((p) => [p.id, p]));
  else if (change.joined) people = people && new Map(people).set(change.joined.id, change.joined);
  else if (change.left) people = people && without(people, change.left.id);
  else people = null;
  const me = change.joined?.id === s.me.id ? change.joined : s.me;
  const typing = change.left ? without(s.typing, change.left.id) : s.typing;
  return { ...s, me, people, typing, count: change.count };
}

/** @param {State} s  @param {Person} person  @param {number} now  @returns {State} */
export function applyTyping(s, person, now) {
  if (person.id === s.me.id) return s;
  return { ...s, typing: new Map(s.typing).set(person.id, { person, until: now + TYPING_MS }) };
}

/** @param {State} s  @param {number} now  @returns {State} */
export function expireTyping(s, now) {
  const still = [...s.typing].filter(([, t]) => t.until > now);
  return still.length === s.typing.size ? s : { ...s, typing: new Map(still) };
}
