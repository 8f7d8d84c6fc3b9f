// timeline.js: a room as rows. No DOM, socket or clock: `node --test` runs it, message-list.js draws it.
/** @import { Person, RoomEvent } from "./protocol.js" */
/** @import { Entry } from "./outbox.js" */
/** @import { State } from "./room-state.js" */
import { atNewest, atOldest } from "./room-state.js";
import { dayOf } from "./time.js";

const GROUP_MS = 5 * 60_000; // a pause this long begins a new group of the same author

/** A row. `key` names it as long as it is there; a message keeps the key of the entry that it was.
 * @typedef {(
 *   | { kind: "beginning", key: string }
 *   | { kind: "older", key: string }
 *   | { kind: "newer", key: string, missing: number }
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

/** Returns the rows of a room's window, and after its end what waits in the outbox.
 * @param {State} s  @param {readonly Entry[]} entries  @returns {Row[]} */
export function layOut(s, entries) {
  /** @type {Row[]} */
  const rows = [];
  if (s.epoch && s.head > 0) rows.push(atOldest(s) ? { kind: "beginning", key: "beginning" } : { kind: "older", key: "older" });
  /** @type {RoomEvent | null} */
  let last = null;
  let marked = false;
  /** @param {RoomEvent} event  @param {string} key  @param {Entry | null} entry */
  const push = (event, key, entry) => {
    const newDay = !last || dayOf(last.at) !== dayOf(event.at);
    if (newDay) rows.push({ kind: "day", key: `day ${dayOf(event.at)} ${last ? "" : "first"}`.trim(), at: event.at });
    const newMark = s.mark !== null && !marked && !entry && event.seq > s.mark && (last ? last.seq <= s.mark : event.seq === s.mark + 1);
    if (newMark) rows.push({ kind: "mark", key: "mark" });
    marked ||= newMark;
    const first = newDay || newMark || !last || last.from.id !== event.from.id || last.from.name !== event.from.name || event.at - last.at > GROUP_MS;
    rows.push({ kind: "message", key, first, mine: event.from.id === s.me.id, event, entry });
    last = event;
  };
  for (const event of s.events) {
    if (event.kind === "message") push(event, s.acked.get(event.seq)?.nonce ?? String(event.seq), null);
  }
  if (!atNewest(s)) {
    rows.push({ kind: "newer", key: "newer", missing: s.head - (s.events.at(-1)?.seq ?? 0) });
    return rows;
  }
  for (const [seq, entry] of s.acked) if (seq > s.head) push(draft(entry, s.me), entry.nonce, null); // its event is on its way
  for (const entry of waiting(s, entries)) push(draft(entry, s.me), entry.nonce, entry);
  return rows;
}

/** @param {Entry} entry  @param {Person} me  @returns {RoomEvent} */
const draft = (entry, me) => ({ seq: 0, at: entry.at, kind: "message", from: me, text: entry.text, html: "" });

/** Returns the entries that do not stand among the events already. An entry that was sent without an
 * answer, and whose text has come as an event of one's own since, is that event in all likelihood: it
 * is not shown twice in the moment until the server says so.
 * @param {State} s  @param {readonly Entry[]} entries */
function waiting(s, entries) {
  const claimed = new Set(s.acked.keys());
  const stored = new Set([...s.acked.values()].map((entry) => entry.nonce));
  return entries.filter((entry) => {
    if (stored.has(entry.nonce)) return false;
    if (!entry.attempted || entry.failed) return true;
    const twin = s.events.find((e) => e.seq > entry.since && e.from.id === s.me.id && e.text === entry.text && !claimed.has(e.seq));
    if (twin) claimed.add(twin.seq);
    return !twin;
  });
}
