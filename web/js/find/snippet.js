// snippet.js: the part of a message around a search hit, with the hits marked. No DOM.

const BEFORE = 40; // code points shown before the first hit
const LENGTH = 160;

/** @typedef {{ text: string, hit: boolean }} Piece */

/** Cuts a text into pieces, some of which are hits.
 * @param {string} text  @param {readonly (readonly [number, number])[]} ranges code points: from, to
 * @returns {Piece[]} */
export function snippet(text, ranges) {
  const points = [...text.replace(/\s/g, " ")];
  const sorted = ranges
    .filter(([from, to]) => from >= 0 && to > from && to <= points.length)
    .sort((a, b) => a[0] - b[0]);
  const first = sorted[0]?.[0] ?? 0;
  const start =
    first > BEFORE && points.length > LENGTH ? Math.min(first - BEFORE, Math.max(0, points.length - LENGTH)) : 0;
  const end = Math.min(points.length, start + LENGTH);
  /** @type {Piece[]} */
  const pieces = [];
  const push = (/** @type {number} */ from, /** @type {number} */ to, /** @type {boolean} */ hit) => {
    if (to > from) pieces.push({ text: points.slice(from, to).join(""), hit });
  };
  if (start > 0) pieces.push({ text: "…", hit: false });
  let done = start;
  for (const [from, to] of sorted) {
    if (from < done || from >= end) continue;
    push(done, from, false);
    push(from, Math.min(to, end), true);
    done = Math.min(to, end);
  }
  push(done, end, false);
  if (end < points.length) pieces.push({ text: "…", hit: false });
  return pieces;
}
