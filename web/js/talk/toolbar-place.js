// toolbar-place.js: finds the place of a message's toolbar: at the row's end, above its first line, where it covers
// nothing that can be pressed. All boxes are in the same coordinates; in a right-to-left page they are mirrored before.
// No DOM.

/** @typedef {{ left: number, right: number, top: number, bottom: number }} Box */

const GAP = 1; // px between the toolbar and what can be pressed

/** Returns where a toolbar goes: how far from the row's end, and how far below its top.
 * @param {Box} row  @param {{ width: number, height: number }} bar  @param {readonly Box[]} pressable near the row
 * @param {{ end: number, tops: readonly number[], top: number }} where usual distance from the end; distances from the
 * row's top, the best first; the upper edge of the view
 * @returns {{ end: number, top: number }} */
export function placeToolbar(row, bar, pressable, { end, tops, top: view }) {
  let best = { end, top: tops[0] ?? 0 };
  let least = Infinity;
  for (const top of tops) {
    const above = row.top + top;
    if (above < view) continue;
    const found = freeEnd(row, bar, above, pressable, end);
    if (found >= least) continue;
    least = found;
    best = { end: found, top };
  }
  return best;
}

/** Returns the least distance from the row's end at which the toolbar is free, Infinity if it is nowhere.
 * @param {Box} row  @param {{ width: number, height: number }} bar  @param {number} top
 * @param {readonly Box[]} pressable  @param {number} end */
function freeEnd(row, bar, top, pressable, end) {
  const beside = pressable
    .filter((b) => b.bottom + GAP > top && b.top - GAP < top + bar.height && b.right > b.left)
    .toSorted((a, b) => b.right - a.right);
  let right = row.right - end;
  for (const b of beside) if (b.left - GAP < right && b.right + GAP > right - bar.width) right = b.left - GAP;
  return right - bar.width >= row.left ? row.right - right : Infinity;
}
