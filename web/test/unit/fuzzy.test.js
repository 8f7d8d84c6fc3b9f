import assert from "node:assert/strict";
import { test } from "node:test";
import { best, match } from "../../js/find/fuzzy.js";

test("letters match a name in their order, and better at the start of words", () => {
  assert.equal(match("xyz", "lobby"), null);
  assert.equal(match("yb", "lobby"), null, "not in this order");
  const names = ["garden", "dragon-review", "design-review", "ops", "straße", "Ärger", "orchestra"];
  const found = (/** @type {string} */ letters) => best(names, letters, (n) => n, 3);
  assert.equal(found("dr")[0], "dragon-review");
  assert.equal(
    found("der")[0],
    "design-review",
    "at the starts of its words, though dragon-review has the letters too",
  );
  assert.deepEqual(found("arg").slice(0, 1), ["Ärger"], "without its accent");
  assert.deepEqual(found("stra").slice(0, 2), ["straße", "orchestra"]);
  assert.deepEqual(found(""), names.slice(0, 3));
  assert.deepEqual(found("o p s"), ["ops"]);
});
