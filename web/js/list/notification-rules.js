// notification-rules.js: decides whether a list update causes a sound or a notification. All that the decision depends
// on is a parameter. No DOM, no clock.
/** @import { Choices } from "../ui/settings.js" */
/** @import { Store } from "../ui/storage.js" */
/** @import { ListEntry, ListUpdate } from "../wire/types.js" */
import { mentionsPerson } from "./list-changes.js";

/** @typedef {object} Situation
 * @property {string} me  the person's id
 * @property {ListEntry | undefined} entry  of the room of the update
 * @property {boolean} looking  the person looks at that room now
 * @property {Choices} choices
 * @property {number} minute  of the local day
 */

/** What to do. `alerts`: the message alerts at all; `sound`, `show`: with a sound, with a notification.
 * @typedef {{ alerts: boolean, sound: boolean, show: boolean }} Decision */

const NOTHING = { alerts: false, sound: false, show: false };

/** @param {ListUpdate} update  @param {Situation} situation  @returns {Decision} */
export function decide(update, { me, entry, looking, choices, minute }) {
  if (update.from.id === me || looking || (update.kind !== "message" && update.kind !== "reply")) return NOTHING;
  if (entry && (entry.muted || entry.notify === "none" || entry.read >= update.seq)) return NOTHING;
  const named = mentionsPerson(update, me);
  if (!named && (update.kind !== "message" || entry?.notify === "mentions")) return NOTHING;
  const quiet = choices.quiet && within(minute, minutes(choices.quietFrom), minutes(choices.quietTo));
  return { alerts: true, sound: choices.sound && !quiet, show: choices.system && !quiet };
}

/** Reports whether a minute of the day is between two others, also across midnight.
 * @param {number} minute  @param {number} from  @param {number} to */
export const within = (minute, from, to) =>
  from <= to ? minute >= from && minute < to : minute >= from || minute < to;

/** @param {string} time "22:30" */
export function minutes(time) {
  const [hours = 0, rest = 0] = time.split(":").map(Number);
  return hours * 60 + rest;
}

/** Claims the alert for a message, so that only one of several tabs alerts: each tab writes its name beside the
 * message, and the last one that wrote alerts. Storage has no locks, and Web Locks exist only in secure contexts.
 * @param {Store} store  @param {string} room  @param {number} seq  @param {string} tab
 * @returns {boolean} false: another tab has alerted for this message */
export function claimAlert(store, room, seq, tab) {
  if (readClaim(store, room).seq >= seq) return false;
  store.put(`told:${room}`, [seq, tab]);
  return true;
}

/** Reports whether this tab still has the claim.
 * @param {Store} store  @param {string} room  @param {number} seq  @param {string} tab */
export function holdsAlert(store, room, seq, tab) {
  const last = readClaim(store, room);
  return last.seq >= seq && last.tab === tab;
}

/** @param {Store} store  @param {string} room */
function readClaim(store, room) {
  const stored = store.get(`told:${room}`);
  const [seq, tab] = Array.isArray(stored) ? stored : [];
  return { seq: typeof seq === "number" ? seq : 0, tab: typeof tab === "string" ? tab : "" };
}
