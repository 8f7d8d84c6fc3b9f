import assert from "node:assert/strict";
import { test } from "node:test";
import { Api } from "../../js/wire/api.js";
import { noteServerTime, now, untilMidnight } from "../../js/wire/clock.js";

const OURS = Date.UTC(2026, 10, 23, 9);
const header = (/** @type {number} */ at) => new Date(at).toUTCString();

test("the server's clock counts if ours differs by more than an answer takes", () => {
  for (const [ahead, want] of [[0, 0], [4_000, 0], [-4_000, 0], [60_000, 60_000], [-86_400_000, -86_400_000]]) {
    noteServerTime(header(OURS + (ahead ?? 0)), OURS);
    assert.equal(now(OURS) - OURS, want, `${ahead} ms ahead`);
  }
  noteServerTime(null, OURS);
  noteServerTime("nonsense", OURS);
  assert.equal(now(OURS) - OURS, -86_400_000, "an answer without a date changes nothing");
  noteServerTime(header(OURS), OURS);
  assert.equal(now(OURS), OURS);
});

test("every answer of the REST interface sets the clock", async () => {
  const ahead = 3 * 3_600_000;
  const api = new Api(async () => new Response("{}", { headers: { Date: header(Date.now() + ahead) } }));
  await api.commands();
  assert.ok(Math.abs(now() - Date.now() - ahead) < 2_000);
  noteServerTime(header(OURS), OURS);
});

test("a day ends at local midnight", () => {
  const at = new Date(2026, 10, 23, 22, 30).getTime();
  assert.equal(untilMidnight(at), 90 * 60_000);
  assert.equal(new Date(at + untilMidnight(at)).getDate(), 24);
  assert.ok(untilMidnight(new Date(2026, 10, 23).getTime()) > 0, "at midnight the next one counts");
});
