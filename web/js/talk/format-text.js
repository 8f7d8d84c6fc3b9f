// format-text.js: what the formatting buttons do to a text: they put marks around the selected words or before the
// selected lines, and take them away if they are there. No DOM.

/** @typedef {"bold" | "italic" | "struck" | "code" | "link" | "bullets" | "numbers" | "tasks" | "quote"} Format */

/** A change of a text: what replaces the part from..to, and what is selected then.
 * @typedef {{ from: number, to: number, text: string, select: [number, number] }} Change */

const MARKS = /** @type {Record<string, string>} */ ({ bold: "**", italic: "*", struck: "~~", code: "`" });
const LINES = /** @type {Record<string, { has: RegExp, put: (i: number) => string }>} */ ({
  bullets: { has: /^[-*+] (?!\[[ x]\] )/, put: () => "- " },
  numbers: { has: /^\d+[.)] /, put: (i) => `${i + 1}. ` },
  tasks: { has: /^[-*+] \[[ x]\] /, put: () => "- [ ] " },
  quote: { has: /^> ?/, put: () => "> " },
});
const ANY_LIST = /^(?:[-*+] (?:\[[ x]\] )?|\d+[.)] )/;
const ADDRESS = /^(?:https?:\/\/|mailto:)\S+$/;

/** Returns how a format changes a text in which a part is selected.
 * @param {Format} format  @param {string} text  @param {number} from  @param {number} to  @returns {Change} */
export function applyFormat(format, text, from, to) {
  const selected = text.slice(from, to);
  if (LINES[format]) return lines(format, text, from, to);
  if (format === "link") return link(selected, from, to);
  if (format === "code" && selected.includes("\n")) return fence(text, from, to);
  return mark(MARKS[format] ?? "", text, from, to);
}

/** @param {string} sign  @param {string} text  @param {number} from  @param {number} to  @returns {Change} */
function mark(sign, text, from, to) {
  const [, before = "", words = "", after = ""] = /^(\s*)([\s\S]*?)(\s*)$/.exec(text.slice(from, to)) ?? [];
  const start = from + before.length;
  const end = to - after.length;
  const n = sign.length;
  if (isBetween(sign, text, start, end))
    return { from: start - n, to: end + n, text: words, select: [start - n, start - n + words.length] };
  if (words.length > 2 * n && isBetween(sign, text, start + n, end - n)) {
    const bare = words.slice(n, -n);
    return { from: start, to: end, text: bare, select: [start, start + bare.length] };
  }
  return { from: start, to: end, text: sign + words + sign, select: [start + n, start + n + words.length] };
}

/** Reports whether a part of a text stands between two signs. Of stars, two are bold, one is italic, three are both.
 * @param {string} sign  @param {string} text  @param {number} from  @param {number} to */
function isBetween(sign, text, from, to) {
  const char = sign[0] ?? "";
  let before = 0;
  while (text[from - 1 - before] === char) before++;
  let after = 0;
  while (text[to + after] === char) after++;
  const n = Math.min(before, after);
  if (sign === "*") return n % 2 === 1;
  return sign === "`" ? n === 1 : n >= sign.length;
}

/** @param {string} selected  @param {number} from  @param {number} to  @returns {Change} */
function link(selected, from, to) {
  if (ADDRESS.test(selected)) return { from, to, text: `[](${selected})`, select: [from + 1, from + 1] };
  const words = selected.replace(/\s+/g, " ");
  const address = "https://";
  const at = from + words.length + 3;
  const select = /** @type {[number, number]} */ (words ? [at, at + address.length] : [from + 1, from + 1]);
  return { from, to, text: `[${words}](${address})`, select };
}

/** @param {string} text  @param {number} from  @param {number} to  @returns {Change} */
function fence(text, from, to) {
  const [start, end] = wholeLines(text, from, to);
  const code = text.slice(start, end);
  const longest = Math.max(2, ...(code.match(/`{3,}/g) ?? []).map((ticks) => ticks.length));
  const ticks = "`".repeat(longest + 1);
  const at = start + ticks.length + 1;
  return { from: start, to: end, text: `${ticks}\n${code}\n${ticks}`, select: [at, at + code.length] };
}

/** @param {string} format  @param {string} text  @param {number} from  @param {number} to  @returns {Change} */
function lines(format, text, from, to) {
  const { has, put } = /** @type {{ has: RegExp, put: (i: number) => string }} */ (LINES[format]);
  const [start, end] = wholeLines(text, from, to);
  const before = text.slice(start, end).split("\n");
  const all = before.every((line) => has.test(line));
  const other = format === "quote" ? /^/ : ANY_LIST; // one kind of list becomes another
  const after = before.map((line, i) => (all ? line.replace(has, "") : put(i) + line.replace(other, "")));
  const changed = after.join("\n");
  const caret = Math.max(start, end + changed.length - (end - start));
  const select = /** @type {[number, number]} */ (from === to ? [caret, caret] : [start, start + changed.length]);
  return { from: start, to: end, text: changed, select };
}

/** @param {string} text  @param {number} from  @param {number} to  @returns {[number, number]} */
function wholeLines(text, from, to) {
  const end = text.indexOf("\n", to > from && text[to - 1] === "\n" ? to - 1 : to);
  return [text.lastIndexOf("\n", from - 1) + 1, end < 0 ? text.length : end];
}
