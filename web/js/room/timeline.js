// timeline.js: lays a room or a thread out as rows; message-list.js draws them. No DOM, socket or clock.
/** @import { Person } from "../wire/json.js" */
/** @import { MessageState } from "../wire/types.js" */
/** @import { MessageRow, OutboxMessage, Row, State } from "./types.js" */
import { dayComparer, dayOf } from "../ui/time.js";
import { atNewest, atOldest } from "./room-state.js";
import { previewText } from "./slash-commands.js";

const MOST_FACES = 3; // of who has replied
const CHUNK = 32; // seqs whose rows are in one chunk
const GROUP_MS = 5 * 60_000; // after a pause this long the same author begins a new group

/** Returns the rows of the window and, at the end of the log, of the messages in the outbox.
 * @param {State} s  @param {readonly OutboxMessage[]} outbox of the whole room  @returns {Row[]} */
export function layOut(s, outbox) {
  /** @type {Row[]} */
  const rows = [];
  if (s.root)
    rows.push(
      {
        kind: "message",
        key: `root ${s.root.seq}`,
        first: true,
        mine: s.root.from.id === s.me.id,
        message: s.root,
        pending: null,
      },
      { kind: "replies", key: "replies", count: s.root.replies?.count ?? 0, people: authors(s.messages) },
    );
  if (s.epoch && !atOldest(s)) rows.push({ kind: "older", key: "older" });
  else if (s.epoch && !s.thread && s.messages.length > 0) rows.push({ kind: "beginning", key: "beginning" });
  /** @type {MessageState | null} */
  let last = null;
  let separated = false;
  const ofOneDay = dayComparer();
  /** @param {MessageState} message  @param {string} key  @param {OutboxMessage | null} pending */
  const push = (message, key, pending) => {
    const above = last ?? (atOldest(s) ? s.root : null);
    const newDay = !above || !ofOneDay(above.at, message.at);
    if (newDay)
      rows.push({ kind: "day", key: `day ${dayOf(message.at)} ${last ? "" : "first"}`.trim(), at: message.at });
    const separates =
      s.newSeparator !== null &&
      !separated &&
      !pending &&
      message.seq > s.newSeparator &&
      (last ? last.seq <= s.newSeparator : message.seq === s.newSeparator + 1 || atOldest(s));
    if (separates) rows.push({ kind: "new-separator", key: "new-separator" });
    separated ||= separates;
    const first = newDay || separates || !last || beginsGroup(last, message, s.thread);
    rows.push(messageRow(message, key, first, message.from.id === s.me.id, pending));
    last = message;
  };
  for (const message of s.messages) push(message, s.sentMessages.get(message.seq)?.nonce ?? String(message.seq), null);
  if (!atNewest(s)) {
    rows.push({ kind: "newer", key: "newer" });
    return rows;
  }
  // Stored, but its event has not come yet.
  for (const [seq, message] of s.sentMessages) if (seq > s.head) push(draft(message, s.me), message.nonce, null);
  const here = outbox.filter((e) => (s.thread ? e.thread === s.thread : !e.thread || e.echo));
  for (const message of waiting(s, here)) push(draft(message, s.me), message.nonce, message);
  return rows;
}

/** The row of each message as last laid out. @type {WeakMap<MessageState, MessageRow>} */
const laidOut = new WeakMap();

/** Returns the row of a message: the same object as long as it says the same, because a live room lays out all its rows
 * with each message.
 * @param {MessageState} message  @param {string} key  @param {boolean} first  @param {boolean} mine
 * @param {OutboxMessage | null} pending  @returns {MessageRow} */
function messageRow(message, key, first, mine, pending) {
  const before = laidOut.get(message);
  if (before?.key === key && before.first === first && before.mine === mine && before.pending === pending)
    return before;
  /** @type {MessageRow} */
  const row = { kind: "message", key, first, mine, message, pending };
  laidOut.set(message, row);
  return row;
}

/** Returns who wrote first, second and third. @param {readonly MessageState[]} messages */
function authors(messages) {
  /** @type {Map<string, Person>} */
  const people = new Map();
  for (const { from, deleted } of messages) if (!deleted && people.size < MOST_FACES) people.set(from.id, from);
  return [...people.values()];
}

/** Reports whether a message begins a group. Answers, forwards, actions and echoes always do, as they need an author.
 * @param {MessageState} last  @param {MessageState} message  @param {number} thread 0: in the room */
function beginsGroup(last, message, thread) {
  if (last.from.id !== message.from.id || last.from.name !== message.from.name || message.at - last.at > GROUP_MS)
    return true;
  return (
    Boolean(message.replyTo || message.forward || message.action || (message.thread && !thread) || last.action) &&
    !message.deleted
  );
}

/** @param {OutboxMessage} message  @param {Person} me  @returns {MessageState} */
const draft = (message, me) => ({
  seq: 0,
  at: message.at,
  kind: "message",
  from: me,
  html: "",
  ...previewText(message.text),
  ...(message.replyTo && { replyTo: message.replyTo, quote: message.quote }),
});

/** Returns the messages of the outbox that are not in the window yet. If one was sent without an answer, and a message
 * with its text and the same author has come since, that is very likely the same message. It is not shown twice until
 * the server confirms it.
 * @param {State} s  @param {readonly OutboxMessage[]} outbox */
function waiting(s, outbox) {
  if (outbox.length === 0) return outbox;
  const claimed = new Set(s.sentMessages.keys());
  const stored = new Set([...s.sentMessages.values()].map((message) => message.nonce));
  return outbox.filter((message) => {
    if (stored.has(message.nonce)) return false;
    if (!message.attempted || message.failed) return true;
    const { text } = previewText(message.text);
    const twin = s.messages.find(
      (e) => e.seq > message.since && e.from.id === s.me.id && e.text === text && !claimed.has(e.seq),
    );
    if (twin) claimed.add(twin.seq);
    return !twin;
  });
}

/** Returns the rows in chunks, by number: those of messages whose seqs are near, each with the separators before it.
 * What is not stored yet is in the last chunk, and stays there once it is.
 * @param {readonly Row[]} rows  @param {(row: Row) => number | undefined} chunkOf returns the chunk that a row is in
 * @returns {Map<number, Row[]>} */
export function inChunks(rows, chunkOf) {
  /** @type {Map<number, Row[]>} */
  const chunks = new Map();
  /** @type {Row[]} */
  const separators = []; // whose message follows
  let last = 0;
  const put = (/** @type {Row} */ row) => {
    const chunk = chunks.get(last);
    if (chunk) chunk.push(row);
    else chunks.set(last, [row]);
  };
  for (const row of rows) {
    if (row.kind !== "message") {
      separators.push(row);
      continue;
    }
    const { seq } = row.message;
    last = Math.max(last, chunkOf(row) ?? (seq > 0 ? Math.floor(seq / CHUNK) : last));
    if (separators.length > 0) separators.splice(0).forEach(put);
    put(row);
  }
  separators.forEach(put);
  return chunks;
}
