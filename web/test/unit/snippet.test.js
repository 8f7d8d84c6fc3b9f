import assert from "node:assert/strict";
import { test } from "node:test";
import { moveRanges, snippet } from "../../js/find/snippet.js";

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

test("hits are marked in the text that is shown, not where its source has them", () => {
  const marked = (/** @type {string} */ source, /** @type {string} */ plain, /** @type {string[]} */ words) => {
    let at = 0;
    const ranges = words.map((word) => {
      const from = source.indexOf(word, at);
      at = from + word.length;
      return /** @type {[number, number]} */ ([[...source.slice(0, from)].length, [...source.slice(0, at)].length]);
    });
    return snippet(plain, moveRanges(source, ranges, plain))
      .map((p) => (p.hit ? `[${p.text}]` : p.text))
      .join("");
  };
  assert.equal(marked("a **big** `ship`", "a big ship", ["big", "ship"]), "a [big] [ship]");
  assert.equal(marked("😀 **big** one", "😀 big one", ["big", "one"]), "😀 [big] [one]");
  assert.equal(marked("||ship|| and ship", "▒▒▒ and ship", ["ship", "ship"]), "▒▒▒ and [ship]");
  assert.equal(marked("||ship||", "▒▒▒", ["ship"]), "▒▒▒");
  assert.equal(marked("[map](https://e.org/ship) shipwright", "map shipwright", ["ship"]), "map [ship]wright");
  assert.equal(marked("**flagship** ship", "flagship ship", ["ship", "ship"]), "flag[ship] [ship]");
  assert.equal(marked("**这是**重要的", "这是重要的", ["重要"]), "这是[重要]的");
  assert.equal(marked("plain ship", "plain ship", ["ship"]), "plain [ship]");
});
