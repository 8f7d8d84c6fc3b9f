// timeline.js: a room as rows. No DOM, socket or clock: `node --test` runs it, message-list.js draws it.
/** @import { Person } from "../wire/json.js" */
/** @import { MessageState } from "../wire/protocol.js" */
/** @import { OutboxMessage } from "./outbox.js" */
/** @import { State } from "./room-state.js" */
import { dayOf } from "../ui/time.js";
import { atNewest, atOldest } from "./room-state.js";
import { previewText } from "./slash-commands.js";

const GROUP_MS = 5 * 60_000; // a pause this long begins a new group of the same author

/** A row. `key` names it as long as it is there; a stored message keeps the key that it had in the outbox.
 * @typedef {(
 *   | { kind: "beginning", key: string }
 *   | { kind: "older", key: string }
 *   | { kind: "newer", key: string }
 *   | { kind: "replies", key: string, count: number }
 *   | { kind: "day", key: string, at: number }
 *   | { kind: "new-separator", key: string }
 *   | MessageRow
 * )} Row */

/** @typedef {object} MessageRow
 * @property {"message"} kind
 * @property {string} key
 * @property {boolean} first  of its group: with name and picture
 * @property {boolean} mine
 * @property {MessageState} message  for a message of the outbox one made up, with seq 0
 * @property {OutboxMessage | null} pending  set while it is in the outbox
 */

/** Returns the rows of a room's window or a thread's, and after its end what waits in the outbox.
 * @param {State} s  @param {readonly OutboxMessage[]} outbox of all the room  @returns {Row[]} */
export function layOut(s, outbox) {
  /** @type {Row[]} */
  const rows = [];
  if (s.root) rows.push({ kind: "message", key: `root ${s.root.seq}`, first: true, mine: s.root.from.id === s.me.id, message: s.root, pending: null }, { kind: "replies", key: "replies", count: s.root.replies?.count ?? 0 });
  if (s.epoch && !atOldest(s)) rows.push({ kind: "older", key: "older" });
  else if (s.epoch && !s.thread && s.messages.length > 0) rows.push({ kind: "beginning", key: "beginning" });
  /** @type {MessageState | null} */
  let last = null;
  let separated = false;
  /** @param {MessageState} message  @param {string} key  @param {OutboxMessage | null} pending */
  const push = (message, key, pending) => {
    const newDay = !last || dayOf(last.at) !== dayOf(message.at);
    if (newDay) rows.push({ kind: "day", key: `day ${dayOf(message.at)} ${last ? "" : "first"}`.trim(), at: message.at });
    const separates = s.newSeparator !== null && !separated && !pending && message.seq > s.newSeparator && (last ? last.seq <= s.newSeparator : message.seq === s.newSeparator + 1 || atOldest(s));
    if (separates) rows.push({ kind: "new-separator", key: "new-separator" });
    separated ||= separates;
    const first = newDay || separates || !last || beginsGroup(last, message, s.thread);
    rows.push({ kind: "message", key, first, mine: message.from.id === s.me.id, message, pending });
    last = message;
  };
  for (const message of s.messages) push(message, s.sentMessages.get(message.seq)?.nonce ?? String(message.seq), null);
  if (!atNewest(s)) {
    rows.push({ kind: "newer", key: "newer" });
    return rows;
  }
  for (const [seq, message] of s.sentMessages) if (seq > s.head) push(draft(message, s.me), message.nonce, null); // its event is on its way
  const here = outbox.filter((e) => (s.thread ? e.thread === s.thread : !e.thread || e.echo));
  for (const message of waiting(s, here)) push(draft(message, s.me), message.nonce, message);
  return rows;
}

/** Whether a message stands under a name of its own: one that needs its author beside it always does.
 * @param {MessageState} last  @param {MessageState} message  @param {number} thread 0: in the room */
function beginsGroup(last, message, thread) {
  if (last.from.id !== message.from.id || last.from.name !== message.from.name || message.at - last.at > GROUP_MS) return true;
  return Boolean(message.replyTo || message.forward || message.action || (message.thread && !thread) || last.action) && !message.deleted;
}

/** @param {OutboxMessage} message  @param {Person} me  @returns {MessageState} */
const draft = (message, me) => ({ seq: 0, at: message.at, kind: "message", from: me, html: "", ...previewText(message.text), ...(message.replyTo && { replyTo: message.replyTo, quote: message.quote }) });

/** Returns the messages of the outbox that do not stand among the messages already. One that was sent without an
 * answer, and whose text has come as an event of one's own since, is that event in all likelihood: it
 * is not shown twice in the moment until the server says so.
 * @param {State} s  @param {readonly OutboxMessage[]} outbox */
function waiting(s, outbox) {
  if (outbox.length === 0) return outbox;
  const claimed = new Set(s.sentMessages.keys());
  const stored = new Set([...s.sentMessages.values()].map((message) => message.nonce));
  return outbox.filter((message) => {
    if (stored.has(message.nonce)) return false;
    if (!message.attempted || message.failed) return true;
    const { text } = previewText(message.text);
    const twin = s.messages.find((e) => e.seq > message.since && e.from.id === s.me.id && e.text === text && !claimed.has(e.seq));
    if (twin) claimed.add(twin.seq);
    return !twin;
  });
}
