import assert from "node:assert/strict";
import { test } from "node:test";
import { snippet } from "../../js/find/snippet.js";

test("a snippet is the part of a message around the hit, in code points", () => {
  const joined = (/** @type {ReturnType<typeof snippet>} */ pieces) =>
    pieces.map((p) => (p.hit ? `[${p.text}]` : p.text)).join("");
  assert.equal(joined(snippet("😀 a compiler\nhere", [[4, 12]])), "😀 a [compiler] here");
  assert.equal(
    joined(
      snippet("aa bb", [
        [3, 5],
        [0, 2],
        [1, 2],
        [9, 12],
        [4, 4],
      ]),
    ),
    "[aa] [bb]",
    "in order, once, within the text",
  );
  const long = `${"word ".repeat(100)}target${" word".repeat(100)}`;
  const shown = snippet(long, [[500, 506]]);
  assert.equal(shown.find((p) => p.hit)?.text, "target");
  assert.ok([...joined(shown)].length <= 165 && joined(shown).startsWith("…") && joined(shown).endsWith("…"));
  assert.equal(joined(snippet("no ranges", [])), "no ranges");
});
