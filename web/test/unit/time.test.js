import assert from "node:assert/strict";
import { test } from "node:test";
import en from "../../js/lang/en.js";
import { speak } from "../../js/ui/i18n.js";
import { dayName, dayOf, daysAgo, fullTime, listTime, timeOfDay } from "../../js/ui/time.js";

test("days have names relative to now", () => {
  const now = new Date(2026, 10, 23, 0, 5).getTime();
  const on = (/** @type {[number, number, number, number?]} */ ...[y, m, d, h = 12]) =>
    dayName(new Date(y, m, d, h).getTime(), now).replace(",", ""); // some ICUs put a comma after the weekday
  assert.deepEqual(
    [on(2026, 10, 23, 0), on(2026, 10, 22, 23), on(2026, 10, 21), on(2025, 10, 23)],
    ["Today", "Yesterday", "Saturday 21 November", "Sunday 23 November 2025"],
  );
  assert.match(fullTime(now), /^Monday,? 23 November 2026 at \S+/);
  assert.notEqual(dayOf(now), dayOf(now - 10 * 60_000));
});

test("hours are as the language writes them", () => {
  const at = (/** @type {number} */ h) => new Date(2026, 10, 23, h, 5).getTime();
  const spaces = /\s/g; // a narrow one in some ICUs
  for (const [where, morning, evening] of /** @type {const} */ ([
    ["en-US", "9:05 AM", "6:05 PM"],
    ["en-GB", "09:05", "18:05"],
    ["de-DE", "09:05", "18:05"],
  ])) {
    speak("en", where, en);
    assert.deepEqual([timeOfDay(at(9)), timeOfDay(at(18))].map((t) => t.replace(spaces, " ")), [morning, evening]);
  }
  speak("en", "en-GB", en);
});

test("a visit was today, yesterday, or so many days, weeks or months ago", () => {
  const now = new Date(2026, 10, 23, 0, 30).getTime();
  const at = (/** @type {number} */ days) => new Date(2026, 10, 23 - days, 23, 59).getTime();
  assert.deepEqual([0, 1, 5, 21, 90].map((days) => daysAgo(at(days), now)), [
    "today",
    "yesterday",
    "5 days ago",
    "3 weeks ago",
    "3 months ago",
  ]);
});

test("a list has the time of today, the weekday of the last days, and else the date", () => {
  const now = new Date(2026, 10, 23, 12).getTime(); // a Monday
  const on = (/** @type {[number, number, number, number?]} */ ...[y, m, d, h = 12]) =>
    listTime(new Date(y, m, d, h).getTime(), now);
  assert.equal(on(2026, 10, 23, 9), timeOfDay(new Date(2026, 10, 23, 9).getTime()));
  assert.deepEqual([on(2026, 10, 22, 23), on(2026, 10, 17, 0), on(2026, 10, 16, 23)], ["Sun", "Tue", "16 Nov"]);
  assert.match(on(2025, 10, 23), /2025/);
});
