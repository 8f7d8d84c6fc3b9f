// xx-pseudo.js: not a language but a test of the page for other languages: longer by two fifths, accented and from
// right to left. It is made from English, and only the address selects it: /?lang=xx-pseudo.
import en from "./en.js";

const LETTERS = /** @type {Record<string, string>} */ ({
  a: "å",
  c: "ç",
  e: "ê",
  i: "ï",
  n: "ñ",
  o: "ø",
  u: "ü",
  y: "ÿ",
  A: "Å",
  E: "É",
  I: "Î",
  O: "Ö",
  S: "Š",
  U: "Û",
});
const LONGER = 0.4;

/** @param {string} sentence */
function disguised(sentence) {
  const accented = sentence
    .split(/(\{\w+\})/)
    .map((piece, i) => (i % 2 ? piece : piece.replace(/[a-zA-Z]/g, (c) => LETTERS[c] ?? c)))
    .join("");
  return `[${accented}${"~".repeat(Math.ceil(sentence.length * LONGER))}]`;
}

const sentences = Object.entries(en).map(([key, entry]) => [
  key,
  typeof entry === "string"
    ? disguised(entry)
    : Object.fromEntries(Object.entries(entry).map(([form, s]) => [form, disguised(s)])),
]);

export default /** @type {import("./en.js").Catalogue} */ (Object.fromEntries(sentences));
