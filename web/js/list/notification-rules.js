// notification-rules.js: whether update is worth a sound or a notification. No DOM, no clock: everything that decides is a parameter.
/** @import { Choices } from "../ui/settings.js" */
/** @import { Store } from "../ui/storage.js" */
/** @import { ListEntry, ListUpdate } from "../wire/list-frames.js" */
import { mentionsPerson } from "./room-list-state.js";

/** @typedef {object} Situation
 * @property {string} me  one's id
 * @property {ListEntry | undefined} entry  of the room that the update is from
 * @property {boolean} looking  the person has that room before their eyes
 * @property {Choices} choices
 * @property {number} minute  of the local day
 */

/** What to do: whether it calls at all (the title counts it, it is said aloud), and how.
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

/** Whether a minute of the day is between two others, also over midnight. @param {number} minute  @param {number} from  @param {number} to */
export const within = (minute, from, to) => (from <= to ? minute >= from && minute < to : minute >= from || minute < to);

/** @param {string} time "22:30" */
export function minutes(time) {
  const [hours = 0, rest = 0] = time.split(":").map(Number);
  return hours * 60 + rest;
}

/** Of several tabs one may speak: the last one that wrote its name beside a message speaks, once it has seen that it was the
 * last. Storage has no locks, and Web Locks exist only in secure contexts.
 * @param {Store} store  @param {string} room  @param {number} seq  @param {string} tab  @returns {boolean} whether to go on */
export function claimAlert(store, room, seq, tab) {
  if (readClaim(store, room).seq >= seq) return false;
  store.put(`told:${room}`, [seq, tab]);
  return true;
}

/** Whether the claim still is this tab's. @param {Store} store  @param {string} room  @param {number} seq  @param {string} tab */
export function holdsAlert(store, room, seq, tab) {
  const last = readClaim(store, room);
  return last.seq >= seq && last.tab === tab;
}

/** @param {Store} store  @param {string} room */
function readClaim(store, room) {
  const kept = store.get(`told:${room}`);
  const [seq, tab] = Array.isArray(kept) ? kept : [];
  return { seq: typeof seq === "number" ? seq : 0, tab: typeof tab === "string" ? tab : "" };
}
