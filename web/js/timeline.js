// timeline.js: a room as rows. No DOM, socket or clock: `node --test` runs it, message-list.js draws it.
/** @import { Person, RoomEvent } from "./protocol.js" */
/** @import { Entry } from "./outbox.js" */
/** @import { State } from "./room-state.js" */
import { asSaid } from "./commands.js";
import { atNewest, atOldest } from "./room-state.js";
import { dayOf } from "./time.js";

const GROUP_MS = 5 * 60_000; // a pause this long begins a new group of the same author

/** A row. `key` names it as long as it is there; a message keeps the key of the entry that it was.
 * @typedef {(
 *   | { kind: "beginning", key: string }
 *   | { kind: "older", key: string }
 *   | { kind: "newer", key: string }
 *   | { kind: "replies", key: string, count: number }
 *   | { kind: "day", key: string, at: number }
 *   | { kind: "mark", key: string }
 *   | MessageRow
 * )} Row */

/** @typedef {object} MessageRow
 * @property {"message"} kind
 * @property {string} key
 * @property {boolean} first  of its group: with name and picture
 * @property {boolean} mine
 * @property {RoomEvent} event  for a message of the outbox one made up, with seq 0
 * @property {Entry | null} entry  set while it is in the outbox
 */

/** Returns the rows of a room's window or a thread's, and after its end what waits in the outbox.
 * @param {State} s  @param {readonly Entry[]} entries of all the room  @returns {Row[]} */
export function layOut(s, entries) {
  /** @type {Row[]} */
  const rows = [];
  if (s.root) rows.push({ kind: "message", key: `root ${s.root.seq}`, first: true, mine: s.root.from.id === s.me.id, event: s.root, entry: null }, { kind: "replies", key: "replies", count: s.root.replies?.count ?? 0 });
  if (s.epoch && !atOldest(s)) rows.push({ kind: "older", key: "older" });
  else if (s.epoch && !s.thread && s.events.length > 0) rows.push({ kind: "beginning", key: "beginning" });
  /** @type {RoomEvent | null} */
  let last = null;
  let marked = false;
  /** @param {RoomEvent} event  @param {string} key  @param {Entry | null} entry */
  const push = (event, key, entry) => {
    const newDay = !last || dayOf(last.at) !== dayOf(event.at);
    if (newDay) rows.push({ kind: "day", key: `day ${dayOf(event.at)} ${last ? "" : "first"}`.trim(), at: event.at });
    const newMark = s.mark !== null && !marked && !entry && event.seq > s.mark && (last ? last.seq <= s.mark : event.seq === s.mark + 1 || atOldest(s));
    if (newMark) rows.push({ kind: "mark", key: "mark" });
    marked ||= newMark;
    const first = newDay || newMark || !last || beginsGroup(last, event, s.thread);
    rows.push({ kind: "message", key, first, mine: event.from.id === s.me.id, event, entry });
    last = event;
  };
  for (const event of s.events) push(event, s.acked.get(event.seq)?.nonce ?? String(event.seq), null);
  if (!atNewest(s)) {
    rows.push({ kind: "newer", key: "newer" });
    return rows;
  }
  for (const [seq, entry] of s.acked) if (seq > s.head) push(draft(entry, s.me), entry.nonce, null); // its event is on its way
  const here = entries.filter((e) => (s.thread ? e.thread === s.thread : !e.thread || e.echo));
  for (const entry of waiting(s, here)) push(draft(entry, s.me), entry.nonce, entry);
  return rows;
}

/** Whether a message stands under a name of its own: one that needs its author beside it always does.
 * @param {RoomEvent} last  @param {RoomEvent} event  @param {number} thread 0: in the room */
function beginsGroup(last, event, thread) {
  if (last.from.id !== event.from.id || last.from.name !== event.from.name || event.at - last.at > GROUP_MS) return true;
  return Boolean(event.replyTo || event.forward || event.action || (event.thread && !thread) || last.action) && !event.gone;
}

/** @param {Entry} entry  @param {Person} me  @returns {RoomEvent} */
const draft = (entry, me) => ({ seq: 0, at: entry.at, kind: "message", from: me, html: "", ...asSaid(entry.text), ...(entry.replyTo && { replyTo: entry.replyTo, quote: entry.quote }) });

/** Returns the entries that do not stand among the events already. An entry that was sent without an
 * answer, and whose text has come as an event of one's own since, is that event in all likelihood: it
 * is not shown twice in the moment until the server says so.
 * @param {State} s  @param {readonly Entry[]} entries */
function waiting(s, entries) {
  if (entries.length === 0) return entries;
  const claimed = new Set(s.acked.keys());
  const stored = new Set([...s.acked.values()].map((entry) => entry.nonce));
  return entries.filter((entry) => {
    if (stored.has(entry.nonce)) return false;
    if (!entry.attempted || entry.failed) return true;
    const { text } = asSaid(entry.text);
    const twin = s.events.find((e) => e.seq > entry.since && e.from.id === s.me.id && e.text === text && !claimed.has(e.seq));
    if (twin) claimed.add(twin.seq);
    return !twin;
  });
}
