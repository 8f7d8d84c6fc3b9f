// time.js: moments in words, in the reader's time zone. No DOM and no clock: "now" is a parameter.

const cycle = new Intl.DateTimeFormat(undefined, { hour: "numeric" }).resolvedOptions().hourCycle ?? "h23";
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: cycle });
const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long" });
const fullDay = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" });

/** "09:41", or "9:41 am" where the reader's locale counts to twelve. @param {number} at milliseconds */
export const timeOfDay = (at) => clock.format(at);

/** "Monday 23 November 2026 at 09:41". @param {number} at */
export const fullTime = (at) => `${day(fullDay, at)} at ${clock.format(at)}`;

/** A word that is the same for all moments of one local day. @param {number} at */
export function dayOf(at) {
  const d = new Date(at);
  return `${d.getFullYear()}-${d.getMonth() + 1}-${d.getDate()}`;
}

/** "Today", "Yesterday", "Monday 23 November", with the year if it is another. @param {number} at  @param {number} now */
export function dayName(at, now) {
  if (dayOf(at) === dayOf(now)) return "Today";
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  if (dayOf(at) === dayOf(yesterday.getTime())) return "Yesterday";
  return day(new Date(at).getFullYear() === new Date(now).getFullYear() ? weekday : fullDay, at);
}

/** Without the comma that some browsers put after the weekday. @param {Intl.DateTimeFormat} format  @param {number} at */
const day = (format, at) => format.format(at).replace(",", "");
