// list-changes.js: what an edit or a deletion changes in a list entry: its counts and its last message. Each entry
// keeps the newest updates that this page was told (`heard`). A change of another message may make the entry `stale`:
// then only the server knows its counts, and the page asks for the entry. No DOM, socket or clock.
/** @import { ListEntry, ListUpdate } from "../wire/types.js" */

const MOST_HEARD = 100; // messages that an entry keeps
const MOST_COUNTED = 100; // as many as the server counts: a count of 100 means at least 100

/** Reports whether an update mentions the person. @param {ListUpdate} update  @param {string} me */
export const mentionsPerson = (update, me) => update.here || update.mentions.includes(me);

/** Returns what a message adds to the counts of an entry. A reply in a thread does not count as unread, but its
 * mentions do.
 * @param {ListEntry} entry  @param {ListUpdate} message  @param {string} me */
function counts(entry, message, me) {
  const others = message.from.id !== me && message.seq > entry.read;
  return {
    unread: Number(others && message.kind === "message"),
    mentions: Number(others && mentionsPerson(message, me)),
  };
}

/** Applies a new message or reply. Only the server knows whether @here mentions a person: it does if they are in the
 * room, on any device.
 * @param {ListEntry} entry  @param {ListUpdate} message  @param {string} me  @returns {ListEntry} */
export function applyMessage(entry, message, me) {
  const { unread, mentions } = counts(entry, message, me);
  return {
    ...entry,
    heard: [...(entry.heard ?? []).slice(1 - MOST_HEARD), message],
    unread: entry.unread + unread,
    mentions: entry.mentions + mentions,
    ...(message.kind === "message" && { at: message.at, last: { from: message.from, text: message.text } }),
    ...(mentions > 0 && !message.mentions.includes(me) && { stale: true }),
  };
}

/** Applies an edit or a deletion.
 * @param {ListEntry} entry  @param {ListUpdate} change  @param {string} me  @returns {ListEntry} */
export function applyChange(entry, change, me) {
  const { heard = [] } = entry;
  const before = heard.find((m) => m.seq === change.target);
  if (!before) {
    const mayCount = change.target > entry.read && entry.unread + entry.mentions > 0;
    const mayBeLast = !heard.some((m) => m.kind === "message");
    return mayCount || mayBeLast ? { ...entry, stale: true } : entry;
  }
  const { text, mentions, here } = change;
  const after = change.kind === "edit" ? { ...before, text, mentions, here } : null;
  const next = heard.flatMap((m) => (m !== before ? [m] : after ? [after] : []));
  const was = counts(entry, before, me);
  const is = after ? counts(entry, after, me) : { unread: 0, mentions: 0 };
  const isLast = heard.findLast((m) => m.kind === "message") === before;
  const last = next.findLast((m) => m.kind === "message");
  const isUnknown =
    (was.unread > is.unread && entry.unread >= MOST_COUNTED) ||
    (was.mentions !== is.mentions && entry.mentions >= MOST_COUNTED) ||
    (isLast && !last);
  return {
    ...entry,
    heard: next,
    unread: Math.max(0, entry.unread - was.unread + is.unread),
    mentions: Math.max(0, entry.mentions - was.mentions + is.mentions),
    ...(isLast && { at: last?.at ?? entry.at, last: last ? { from: last.from, text: last.text } : null }),
    ...(isUnknown && { stale: true }),
  };
}

/** Returns the entry that the server has sent, or null if it is older than ours, so that it has to be asked again. If
 * it is newer, what we heard may have changed, and those updates will be known already when they come.
 * @param {ListEntry} ours  @param {ListEntry} theirs  @returns {ListEntry | null} */
export function refreshed(ours, theirs) {
  if (theirs.seq < ours.seq || theirs.read !== ours.read) return null;
  return theirs.seq === ours.seq ? { ...theirs, heard: ours.heard } : theirs;
}
