// time.js: formats times in the reader's language and time zone. No DOM and no clock: "now" is a parameter.
import { intl, t } from "./i18n.js";

/** @type {Map<string, Intl.DateTimeFormat>} by locale and name */
const made = new Map();

/** @param {string} name  @param {Intl.DateTimeFormatOptions} options */
function format(name, options) {
  const key = `${intl()} ${name}`;
  const known = made.get(key) ?? new Intl.DateTimeFormat(intl(), options);
  made.set(key, known);
  return known;
}

const DAY = /** @type {const} */ ({ weekday: "long", day: "numeric", month: "long" });

/** "18:18", or "6:18 PM", as the language writes it. @param {number} at milliseconds */
export const timeOfDay = (at) => format("clock", { timeStyle: "short" }).format(at);

/** "Monday, 23 November 2026 at 09:41". @param {number} at */
export const fullTime = (at) => format("moment", { dateStyle: "full", timeStyle: "short" }).format(at);

/** "Monday, 23 November 2026". @param {number} at */
export const fullDay = (at) => format("day", { ...DAY, year: "numeric" }).format(at);

/** Returns a key that is the same for all times of one local day. @param {number} at */
export function dayOf(at) {
  const d = new Date(at);
  return `${d.getFullYear()}-${d.getMonth() + 1}-${d.getDate()}`;
}

/** Returns a function that reports whether two times are on one local day. It remembers the bounds of the last day, so
 * that comparing many times in order allocates nothing. */
export function dayComparer() {
  let begin = NaN;
  let end = NaN;
  return (/** @type {number} */ a, /** @type {number} */ b) => {
    if (!(a >= begin && a < end)) {
      begin = new Date(a).setHours(0, 0, 0, 0);
      end = new Date(a).setHours(24, 0, 0, 0);
    }
    return b >= begin && b < end;
  };
}

/** Returns the local day of a time as date fields have it, "2026-11-23". @param {number} at */
export function dateOf(at) {
  const d = new Date(at);
  const [year, month, day] = [d.getFullYear(), d.getMonth() + 1, d.getDate()].map(String);
  return `${year?.padStart(4, "0")}-${month?.padStart(2, "0")}-${day?.padStart(2, "0")}`;
}

/** Returns when a local day begins, mostly at midnight. @param {string} date as date fields have it */
export function startOfDay(date) {
  const [year = NaN, month = NaN, day = NaN] = date.split("-").map(Number);
  const d = new Date(2000, 0, 1);
  d.setFullYear(year, month - 1, day); // the constructor takes the year 26 for 1926
  return d.getTime();
}

/** "Today", "Yesterday" or "Monday 23 November"; with the year if that is not the present one.
 * @param {number} at  @param {number} now */
export function dayName(at, now) {
  if (dayOf(at) === dayOf(now)) return t("today");
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  if (dayOf(at) === dayOf(yesterday.getTime())) return t("yesterday");
  return new Date(at).getFullYear() === new Date(now).getFullYear() ? format("weekday", DAY).format(at) : fullDay(at);
}

/** "today", "yesterday", "5 days ago", "3 weeks ago". @param {number} at  @param {number} now */
export function daysAgo(at, now) {
  const midnight = (/** @type {number} */ ms) => new Date(ms).setHours(0, 0, 0, 0);
  const days = Math.max(0, Math.round((midnight(now) - midnight(at)) / 86_400_000)); // also in a week with a longer day
  const relative = new Intl.RelativeTimeFormat(intl(), { numeric: "auto" });
  if (days < 14) return relative.format(-days, "day");
  return days < 60 ? relative.format(-Math.floor(days / 7), "week") : relative.format(-Math.floor(days / 30), "month");
}

/** Returns a short time: the time of day if it is today, else the date. @param {number} at  @param {number} now */
export function shortTime(at, now) {
  if (dayOf(at) === dayOf(now)) return timeOfDay(at);
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return sameYear
    ? format("short", { day: "numeric", month: "short" }).format(at)
    : format("date", { dateStyle: "short" }).format(at);
}

/** Returns a time for a list: the time of day if it is today, the weekday within the last six days, else the date.
 * @param {number} at  @param {number} now */
export function listTime(at, now) {
  const weekAgo = new Date(now);
  weekAgo.setDate(weekAgo.getDate() - 6);
  weekAgo.setHours(0, 0, 0, 0);
  if (dayOf(at) === dayOf(now) || at > now || at < weekAgo.getTime()) return shortTime(at, now);
  return format("short weekday", { weekday: "short" }).format(at);
}
