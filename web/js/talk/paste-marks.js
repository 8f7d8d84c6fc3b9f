// paste-marks.js: which words of pasted formatted text are bold, italic or struck: by elements, and by styles, which
// is how office programs say it, and Chromium for what is copied from a page. No DOM.

/** The part of a node that is read. @typedef {object} Branch
 * @property {string} nodeName
 * @property {string | null} nodeValue
 * @property {ArrayLike<Branch>} childNodes
 * @property {(name: string) => string | null} [getAttribute]
 */

/** The marks of a text, each by a letter: bold, italic, struck. @typedef {string} Marks */

const SIGNS = /** @type {Record<string, string>} */ ({ b: "**", i: "*", s: "~~" });
const ELEMENTS = /** @type {Record<string, Marks>} */ ({
  B: "b",
  STRONG: "b",
  I: "i",
  EM: "i",
  S: "s",
  DEL: "s",
  STRIKE: "s",
});
const BOLD = 600; // the least weight of a font that looks bold

/** Returns the declarations of a node's style attribute. @param {Branch} node */
export function stylesOf(node) {
  const style = node.getAttribute?.("style") ?? "";
  return new Map(
    style.split(";").map((declaration) => {
      const [name = "", ...value] = declaration.split(":");
      return [name.trim().toLowerCase(), value.join(":").trim().toLowerCase()];
    }),
  );
}

/** Returns the marks of what is in a node, given those around it. An element's style wins over its name: some editors
 * wrap everything in <b style="font-weight:normal">.
 * @param {Branch} node  @param {Marks} around  @returns {Marks} */
export function marksOf(node, around) {
  if (node.nodeName === "#text") return around;
  const marks = new Set(around + (ELEMENTS[node.nodeName] ?? ""));
  const set = (/** @type {string} */ mark, /** @type {boolean | undefined} */ on) => {
    if (on === true) marks.add(mark);
    if (on === false) marks.delete(mark);
  };
  if (node.getAttribute?.("style")) {
    const styles = stylesOf(node);
    set("b", isBold(styles.get("font-weight") ?? ""));
    const slant = styles.get("font-style");
    set("i", slant === undefined ? undefined : /^(?:italic|oblique)/.test(slant));
    const line = `${styles.get("text-decoration") ?? ""} ${styles.get("text-decoration-line") ?? ""}`;
    set("s", /line-through/.test(line) ? true : undefined);
  }
  return [...marks].join("");
}

/** @param {string} weight  @returns {boolean | undefined} undefined: the weight around it */
function isBold(weight) {
  if (/^bold/.test(weight)) return true;
  if (weight === "normal" || weight === "lighter") return false;
  return /^\d+$/.test(weight) ? Number(weight) >= BOLD : undefined;
}

/** Returns the marks that are not among others. @param {Marks} marks  @param {Marks} others  @returns {Marks} */
export const without = (marks, others) => [...marks].filter((m) => !others.includes(m)).join("");

/** Puts the signs of marks around the words of each paragraph, without the space around them.
 * @param {string} text  @param {Marks} marks */
export function marked(text, marks) {
  const open = [...marks].map((m) => SIGNS[m] ?? "").join("");
  const close = [...marks].map((m) => SIGNS[m] ?? "").reverse().join("");
  return text
    .split(/(\n\n+)/)
    .map((part) =>
      part.replace(/^(\s*)(\S[\s\S]*?)(\s*)$/, (_, before, words, after) => before + open + words + close + after),
    )
    .join("");
}
