import assert from "node:assert/strict";
import { test } from "node:test";
import { dayName, dayOf, daysAgo, fullTime } from "../../js/ui/time.js";

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
