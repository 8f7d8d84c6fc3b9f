import assert from "node:assert/strict";
import { test } from "node:test";
import { placeToolbar } from "../../js/talk/toolbar-place.js";

const ROW = { left: 0, right: 700, top: 100, bottom: 160 };
const BAR = { width: 160, height: 32 };
const WHERE = { end: 12, tops: [-14, 14, 30], top: 0 };
/** @param {number} left  @param {number} right  @param {number} top  @param {number} bottom */
const box = (left, right, top, bottom) => ({ left, right, top, bottom });

const TABLE = /** @type {[string, import("../../js/talk/toolbar-place.js").Box[], { end: number, top: number }][]} */ ([
  ["nothing is near", [], { end: 12, top: -14 }],
  ["a reaction of the row above is at the start", [box(50, 90, 80, 98)], { end: 12, top: -14 }],
  ["a link of the row above is there", [box(600, 680, 80, 98)], { end: 12, top: 14 }],
  ["a wide quote is on the row's first line", [box(50, 690, 102, 112), box(50, 690, 80, 98)], { end: 12, top: 14 }],
  ["links are above, and on both lines", [box(600, 690, 80, 98), box(560, 640, 110, 160)], { end: 142, top: 14 }],
  ["what can be pressed touches at a corner only", [box(690, 800, 60, 84)], { end: 12, top: -14 }],
  ["nothing is free: its usual place", [box(0, 700, 0, 300)], { end: 12, top: -14 }],
]);
for (const [what, pressable, want] of TABLE) {
  test(`the toolbar of a message: ${what}`, () => {
    const { end, top } = placeToolbar(ROW, BAR, pressable, WHERE);
    if (what.startsWith("links")) {
      const bar = { right: ROW.right - end, left: ROW.right - end - BAR.width, top: ROW.top + top };
      for (const b of pressable)
        assert.ok(b.right < bar.left || b.left > bar.right || b.bottom < bar.top || b.top > bar.top + BAR.height, what);
    } else assert.deepEqual({ end, top }, want);
  });
}

test("the first row in view has its toolbar within the view", () => {
  assert.deepEqual(placeToolbar({ ...ROW, top: 5 }, BAR, [], WHERE), { end: 12, top: 14 });
});
