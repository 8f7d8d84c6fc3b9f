import assert from "node:assert/strict";
import { test } from "node:test";
import { watchKeyboard } from "../../js/ui/keyboard.js";

test("what the keyboard covers of the page is told once for each change, and not while one has zoomed in", () => {
  const viewport = Object.assign(new EventTarget(), { height: 800, offsetTop: 0, scale: 1 });
  /** @type {number[]} */
  const told = [];
  watchKeyboard(
    viewport,
    () => 800,
    (px) => told.push(px),
  );
  const change = (/** @type {object} */ to, type = "resize") => {
    Object.assign(viewport, to);
    viewport.dispatchEvent(new Event(type));
  };
  change({ height: 500 });
  change({}, "scroll");
  change({ height: 400, scale: 2 });
  change({ height: 500, scale: 1, offsetTop: 120 }, "scroll"); // Safari has moved the page up
  change({ height: 800, offsetTop: 0 });
  change({ height: 810 });
  assert.deepEqual(told, [300, 180, 0]);
});
