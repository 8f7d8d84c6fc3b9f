// snippet.js: the part of a message around a search hit, with the hits marked. No DOM.
import { endsInWord } from "../room/mentions.js";

const BEFORE = 40; // code points shown before the first hit
const LENGTH = 160;

/** @typedef {{ text: string, hit: boolean }} Piece */

/** Returns where the words at ranges of a message's source are in its plain text, in turn. Those that are not shown
 * there, because they are hidden or part of an address, are left out.
 * @param {string} source  @param {readonly (readonly [number, number])[]} ranges code points of the source: from, to
 * @param {string} plain  @returns {[number, number][]} code points of the plain text */
export function moveRanges(source, ranges, plain) {
  if (source === plain) return ranges.map(([from, to]) => [from, to]);
  const points = [...source];
  const shown = [...plain];
  /** @type {[number, number][]} */
  const found = [];
  let at = 0;
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const word = points.slice(from, to);
    if (word.length === 0) continue;
    const begins = startsWord(points, from);
    let i = at;
    while (i + word.length <= shown.length && !(matches(shown, i, word) && startsWord(shown, i) === begins)) i++;
    if (i + word.length > shown.length) continue;
    at = i + word.length;
    found.push([i, at]);
  }
  return found;
}

/** @param {readonly string[]} points  @param {number} at  @param {readonly string[]} word */
const matches = (points, at, word) =>
  word.every((point, i) => points[at + i] === point || (/\s/.test(point) && points[at + i] === " "));

/** @param {readonly string[]} points  @param {number} at */
const startsWord = (points, at) => !endsInWord(points[at - 1] ?? "");

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
