// notify.js: whether news is worth a sound or a notification. No DOM, no clock: everything that decides is a parameter.
/** @import { News, RoomEntry } from "./list-protocol.js" */
/** @import { Choices } from "./settings.js" */
/** @import { Store } from "./store.js" */
import { names } from "./rooms.js";

/** @typedef {object} Situation
 * @property {string} me  one's id
 * @property {RoomEntry | undefined} entry  of the room that the news is from
 * @property {boolean} looking  the person has that room before their eyes
 * @property {Choices} choices
 * @property {number} minute  of the local day
 */

/** What to do: whether it calls at all (the title counts it, it is said aloud), and how.
 * @typedef {{ calls: boolean, sound: boolean, show: boolean }} Decision */

const NOTHING = { calls: false, sound: false, show: false };

/** @param {News} news  @param {Situation} situation  @returns {Decision} */
export function decide(news, { me, entry, looking, choices, minute }) {
  if (news.from.id === me || looking || (news.kind !== "message" && news.kind !== "reply")) return NOTHING;
  if (entry && (entry.muted || entry.notify === "none" || entry.read >= news.seq)) return NOTHING;
  const named = names(news, me);
  if (!named && (news.kind !== "message" || entry?.notify === "mentions")) return NOTHING;
  const quiet = choices.quiet && within(minute, minutes(choices.quietFrom), minutes(choices.quietTo));
  return { calls: true, sound: choices.sound && !quiet, show: choices.system && !quiet };
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
export function claim(store, room, seq, tab) {
  if (claimed(store, room).seq >= seq) return false;
  store.put(`told:${room}`, [seq, tab]);
  return true;
}

/** Whether the claim still is this tab's. @param {Store} store  @param {string} room  @param {number} seq  @param {string} tab */
export function holds(store, room, seq, tab) {
  const last = claimed(store, room);
  return last.seq >= seq && last.tab === tab;
}

/** @param {Store} store  @param {string} room */
function claimed(store, room) {
  const kept = store.get(`told:${room}`);
  const [seq, tab] = Array.isArray(kept) ? kept : [];
  return { seq: typeof seq === "number" ? seq : 0, tab: typeof tab === "string" ? tab : "" };
}
