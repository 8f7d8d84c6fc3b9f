// room-name.js: makes a room's name of what a person types, as the server does (internal/chat/name.go), so that the
// page can show it at once. Both pass the cases in internal/chat/testdata/room-names.json. No DOM.

const MAX_LENGTH = 64;
const MAX_BYTES = 16 * MAX_LENGTH;

/** @typedef {{ name: string, problem: "" | "text" | "empty" | "long" }} RoomName
 * the name is "" if there is a problem: no text, nothing left of it, or too much */

/** @param {string} text  @returns {RoomName} */
export function toRoomName(text) {
  if (!text.isWellFormed() || text.includes("\0")) return { name: "", problem: "text" };
  if (new TextEncoder().encode(text).length > MAX_BYTES) return { name: "", problem: "long" };
  const folded = untilStable(text, fold);
  const name = isRoomName(folded) ? folded : untilStable(folded, (s) => fold(convert(s)));
  const length = [...name].length;
  const problem = length === 0 ? "empty" : length > MAX_LENGTH ? "long" : "";
  return { name: problem ? "" : name, problem };
}

/** @param {string} s  @param {(s: string) => string} f */
function untilStable(s, f) {
  for (let i = 0; i < 4; i++) {
    const next = f(s);
    if (next === s) return s;
    s = next;
  }
  return s;
}

/** Unicode's full case folding between two normalisations. @param {string} s */
const fold = (s) =>
  s
    .normalize("NFKC")
    .replace(/./gsu, (c) => (KEEPS_CASE.test(c) ? c : c === "ς" ? "σ" : foldLetter(c)))
    .normalize("NFKC");

// Letters that look the same in both cases, or whose folding is the capital (Cherokee).
const KEEPS_CASE = /[ı\u13a0-\u13f5]/u;
const CHEROKEE = /[\u13f8-\u13fd\uab70-\uabbf]/u;

/** @param {string} c */
function foldLetter(c) {
  return CHEROKEE.test(c) ? c.toUpperCase() : c.toLowerCase().toUpperCase().toLowerCase();
}

/** @param {string} s */
const isRoomName = (s) =>
  /^[\p{L}\p{N}\p{M}._-]+$/u.test(s) && !INVISIBLE.test(s) && !/^\p{M}|^\.*$|\p{M}{4}/u.test(s);

// Default-ignorable and format characters, but for the visible signs before Arabic, Syriac and Kaithi numbers.
const INVISIBLE =
  /(?![\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}])[\p{Default_Ignorable_Code_Point}\p{Cf}]/u;
const ALL_INVISIBLE = new RegExp(INVISIBLE, "gu");

/** Each run of signs, one of which is not allowed, becomes one "-". @param {string} s */
function convert(s) {
  const converted = s
    .replace(ALL_INVISIBLE, "")
    .replace(/(\p{M}{3})\p{M}+/gu, "$1")
    .replace(/[^\p{L}\p{N}\p{M}][^\p{L}\p{N}]*/gu, (run) => (/^[-_.\p{M}]+$/u.test(run) ? run : "-"))
    .replace(/^[-\p{M}]+|-+$/gu, "");
  return /[\p{L}\p{N}]/u.test(converted) ? converted : "";
}
