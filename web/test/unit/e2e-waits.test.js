// The browser tests wait for a condition, or move the page's clock. They never wait for time to pass, and no step has
// less time than the others: a busy machine may need all of it.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const E2E = join(import.meta.dirname, "../e2e");
/** No tests: they measure, and wait until a picture has settled. */
const TOOLS = ["measure.js", "garbage.js", "pictures.js"];

test("no browser test waits for time to pass", () => {
  const waits = /waitForTimeout|\bset(Timeout|Interval)\(|\btimeout: \d/;
  for (const file of readdirSync(E2E).filter((name) => !TOOLS.includes(name))) {
    assert.doesNotMatch(readFileSync(join(E2E, file), "utf8"), waits, file);
  }
});
