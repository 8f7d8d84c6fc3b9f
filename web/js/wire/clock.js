// clock.js: the time by the server's clock, which dates messages. A browser whose own clock is wrong would call today
// yesterday. No DOM.

const SLACK_MS = 5_000; // a difference that an answer's way and its whole seconds may cause

let offset = 0; // what the server's clock is ahead of ours, in milliseconds

/** Notes the time at which the server has answered.
 * @param {string | null} date of a response's header  @param {number} [ours] */
export function noteServerTime(date, ours = Date.now()) {
  const theirs = Date.parse(date ?? "");
  if (!Number.isNaN(theirs)) offset = Math.abs(theirs - ours) > SLACK_MS ? theirs - ours : 0;
}

/** Returns the present time by the server's clock. @param {number} [ours] */
export const now = (ours = Date.now()) => ours + offset;

/** Returns how many milliseconds are left of a local day. @param {number} at */
export function untilMidnight(at) {
  const next = new Date(at);
  next.setHours(24, 0, 0, 0);
  return next.getTime() - at;
}
