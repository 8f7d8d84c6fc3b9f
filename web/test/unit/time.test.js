import assert from "node:assert/strict";
import { test } from "node:test";
import en from "../../js/lang/en.js";
import { speak } from "../../js/ui/i18n.js";
import {
  dateOf,
  dayComparer,
  dayName,
  dayOf,
  daysAgo,
  fullTime,
  listTime,
  startOfDay,
  timeOfDay,
} from "../../js/ui/time.js";

test("two times are on one local day exactly if their days are the same", () => {
  const ofOneDay = dayComparer();
  const midnight = new Date(2026, 10, 23).getTime();
  const times = [-86_400_000, -1, 0, 1, 86_399_999, 86_400_000, 3 * 86_400_000].map((ms) => midnight + ms);
  for (const a of times) for (const b of times) assert.equal(ofOneDay(a, b), dayOf(a) === dayOf(b), `${a} ${b}`);
});

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

test("a day begins where its date changes, in every time zone and in weeks with a longer day", () => {
  const zone = process.env["TZ"];
  for (const [tz, date, starts] of /** @type {const} */ ([
    ["UTC", "2026-11-23", "2026-11-23T00:00:00.000Z"],
    ["Pacific/Kiritimati", "2026-11-23", "2026-11-22T10:00:00.000Z"],
    ["Pacific/Pago_Pago", "2026-11-23", "2026-11-23T11:00:00.000Z"],
    ["Asia/Kolkata", "2026-01-01", "2025-12-31T18:30:00.000Z"],
    ["Europe/Berlin", "2026-03-30", "2026-03-29T22:00:00.000Z"], // the day after the clocks went forward
    ["Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00.000Z"], // has no midnight: it begins at one
    ["America/Santiago", "2026-04-04", "2026-04-04T03:00:00.000Z"], // has its last hour twice
    ["UTC", "0099-02-28", "0099-02-28T00:00:00.000Z"],
    ["UTC", "2024-02-29", "2024-02-29T00:00:00.000Z"],
  ])) {
    process.env["TZ"] = tz;
    const at = startOfDay(date);
    assert.equal(new Date(at).toISOString(), starts, `${tz} ${date}`);
    assert.equal(dateOf(at), date, tz);
    assert.notEqual(dateOf(at - 1), date, tz);
  }
  if (zone === undefined) delete process.env["TZ"];
  else process.env["TZ"] = zone;
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
