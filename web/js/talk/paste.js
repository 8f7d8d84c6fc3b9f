// paste.js: turns formatted text from elsewhere into the Markdown that a message may contain. It reads a tree that the
// browser has parsed inertly, or any other tree of the same shape, and returns text, never markup. No DOM of its own.
/** @import { Branch, Marks } from "./paste-marks.js" */
import { marked, marksOf, stylesOf, without } from "./paste-marks.js";
import { escapeLines, escapeText, unescaped } from "./paste-text.js";

/** Where the walk is. `marks`: of the text here; `open`: those that have their signs already.
 * @typedef {object} Place
 * @property {{ left: number }} walk  nodes that may still be read
 * @property {number} depth
 * @property {boolean} verbatim  in code
 * @property {Marks} marks
 * @property {Marks} open
 */

const MAX_NODES = 20_000; // nodes read; a message has 4,000 characters
const MAX_DEPTH = 60;
const HAS_BLOCKS = /\n\n|\n[-\d|]|^(?:#+ |> |\||`{3}|- )/; // Markdown of a cell that is more than a line of words
const BLOCKS = new Set([
  "P",
  "DIV",
  "SECTION",
  "ARTICLE",
  "HEADER",
  "FOOTER",
  "MAIN",
  "ASIDE",
  "FIGURE",
  "FIGCAPTION",
  "DL",
  "DT",
  "DD",
  "ADDRESS",
  "FORM",
  "FIELDSET",
  "DETAILS",
  "SUMMARY",
]);
const SILENT = new Set([
  "SCRIPT",
  "STYLE",
  "TEMPLATE",
  "IFRAME",
  "OBJECT",
  "HEAD",
  "TITLE",
  "META",
  "LINK",
  "SVG",
  "MATH",
  "NOSCRIPT",
  "BUTTON",
  "INPUT",
  "SELECT",
  "TEXTAREA",
  "AUDIO",
  "VIDEO",
  "CANVAS",
  "#comment",
]);

/** Returns a tree as Markdown. @param {Branch} root */
export function toMarkdown(root) {
  const place = { walk: { left: MAX_NODES }, depth: 0, verbatim: false, marks: "", open: "" };
  return escapeLines(tidy(children(root, place))).slice(0, 100_000);
}

/** Reports whether a tree has formatting that plain text would lose. @param {Branch} node  @returns {boolean} */
export function isFormatted(node) {
  let left = MAX_NODES;
  /** @type {(n: Branch, depth: number) => boolean} */
  const look = (n, depth) => {
    if (--left < 0 || depth > MAX_DEPTH) return false;
    if (/^(?:A|CODE|PRE|UL|OL|BLOCKQUOTE|TABLE|H[1-6])$/.test(n.nodeName)) return true;
    if (marksOf(n, "") !== "" || listLevel(n) > 0) return true;
    return Array.from(n.childNodes).some((child) => look(child, depth + 1));
  };
  return look(node, 0);
}

/** Reads the children of a node. Neighbours with the same marks get one pair of signs.
 * @param {Branch} node  @param {Place} place  @returns {string} */
function children(node, place) {
  let all = "";
  let run = "";
  /** @type {Marks} */
  let signs = "";
  const end = () => {
    all += signs ? marked(run, signs) : run;
    run = "";
  };
  for (const child of Array.from(node.childNodes)) {
    if (--place.walk.left < 0) break;
    const marks = place.verbatim ? place.marks : marksOf(child, place.marks);
    const fresh = isInline(child) ? without(marks, place.open) : ""; // in a block its texts get the signs
    const text = one(child, { ...place, depth: place.depth + 1, marks, open: place.open + fresh });
    if (fresh !== signs) {
      end();
      signs = fresh;
    }
    run += text;
  }
  end();
  return all;
}

/** @param {Branch} node */
const isInline = ({ nodeName }) =>
  !BLOCKS.has(nodeName) && !/^(?:BR|PRE|UL|OL|LI|BLOCKQUOTE|TABLE|TBODY|TR|TD|TH|HR|H[1-6])$/.test(nodeName);

/** @param {Branch} node  @param {Place} place  @returns {string} */
function one(node, place) {
  const { verbatim } = place;
  const name = node.nodeName;
  if (name === "#text") return verbatim ? (node.nodeValue ?? "") : escapeText(node.nodeValue ?? "");
  if (name === "INPUT" && node.getAttribute?.("type") === "checkbox")
    return node.getAttribute("checked") === null ? "[ ] " : "[x] ";
  if (SILENT.has(name.toUpperCase()) || SILENT.has(name)) return "";
  if (name === "BR") return "\n";
  if (place.depth > MAX_DEPTH) return flat(node, place);
  if (verbatim) return children(node, place);
  const inner = () => children(node, place);
  if (listLevel(node) > 0) return listParagraph(node, place);
  if (BLOCKS.has(name)) return `\n\n${inner()}\n\n`;
  switch (name) {
    case "CODE":
    case "KBD":
    case "SAMP":
    case "TT":
      return code(children(node, { ...place, verbatim: true }));
    case "PRE":
      return fence(children(node, { ...place, verbatim: true }), language(node));
    case "A":
      return link(inner(), node.getAttribute?.("href") ?? "");
    case "SPAN":
      return span(node, inner);
    case "UL":
    case "OL":
      return list(node, place);
    case "LI":
      return `\n- ${tidy(inner())}\n`;
    case "BLOCKQUOTE":
      return `\n\n${tidy(inner()).replace(/^/gm, "> ")}\n\n`;
    case "TABLE":
      return table(node, place);
    case "HR":
      return "\n\n---\n\n";
    default:
      return /^H[1-6]$/.test(name) ? heading(node, place) : inner();
  }
}

/** @param {Branch} node  @param {Place} place */
function heading(node, place) {
  const text = tidy(children(node, { ...place, open: `${place.open}b` })); // it is bold anyway
  return `\n\n${"#".repeat(Number(node.nodeName[1]))} ${text.replace(/\s+/g, " ")}\n\n`;
}

/** Returns the text of a span, which in a message of ours may be a spoiler, or the host beside a link.
 * @param {Branch} node  @param {() => string} inner */
function span(node, inner) {
  const name = node.getAttribute?.("class") ?? "";
  if (name === "host") return "";
  const text = inner();
  return /^spoiler\b/.test(name) && text.trim() ? `||${text.trim()}||` : text;
}

/** Returns the text of a node that is nested too deep, without recursion.
 * @param {Branch} node  @param {Place} place */
function flat(node, { walk, verbatim }) {
  const parts = [];
  const waiting = [node];
  for (let n = waiting.pop(); n && walk.left > 0; n = waiting.pop()) {
    walk.left--;
    if (n.nodeName === "#text") parts.push(verbatim ? (n.nodeValue ?? "") : escapeText(n.nodeValue ?? ""));
    else if (!SILENT.has(n.nodeName)) waiting.push(...Array.from(n.childNodes).slice(0, walk.left).reverse());
  }
  return parts.join("");
}

/** Returns the level of a paragraph that Word means as an item of a list; 0: it is none. @param {Branch} node */
function listLevel(node) {
  if (node.nodeName !== "P") return 0;
  return Number(/\blevel(\d)/.exec(stylesOf(node).get("mso-list") ?? "")?.[1] ?? 0);
}

/** @param {Branch} node  @param {Place} place */
function listParagraph(node, place) {
  const isSign = (/** @type {Branch} */ n) => stylesOf(n).get("mso-list") === "ignore";
  const signs = Array.from(node.childNodes).filter(isSign);
  const sign = signs.map((n) => children(n, { ...place, verbatim: true })).join("").trim();
  const text = { ...node, childNodes: Array.from(node.childNodes).filter((n) => !isSign(n)) };
  const number = /^\(?(\d+)[.)]/.exec(sign)?.[1];
  const indent = "    ".repeat(listLevel(node) - 1);
  return `\n${indent}${number ? `${number}.` : "-"} ${tidy(children(text, place)).replace(/\s*\n\s*/g, " ")}`;
}

/** @param {string} text */
function code(text) {
  if (!text.trim()) return text;
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((ticks) => ticks.length));
  const ticks = "`".repeat(longest + 1);
  const pad = text.startsWith("`") || text.endsWith("`") ? " " : "";
  return ticks + pad + text.replace(/\s*\n\s*/g, " ") + pad + ticks;
}

/** @param {string} text  @param {string} language */
function fence(text, language) {
  const longest = Math.max(2, ...(text.match(/`{3,}/g) ?? []).map((ticks) => ticks.length));
  const ticks = "`".repeat(longest + 1);
  return `\n\n${ticks}${language}\n${text.replace(/\n$/, "")}\n${ticks}\n\n`;
}

/** @param {Branch} pre */
function language(pre) {
  const classes = [pre, ...Array.from(pre.childNodes)].map((n) => n.getAttribute?.("class") ?? "").join(" ");
  return /(?:^|\s)(?:language|lang|highlight-source)-([\w+#.-]{1,30})/.exec(classes)?.[1] ?? "";
}

/** Returns a Markdown link, or the bare address if the text of the link is its address.
 * @param {string} text  @param {string} href */
function link(text, href) {
  if (!/^(?:https?:\/\/|mailto:)/i.test(href) || /\s/.test(href)) return text;
  const words = text.trim();
  const plain = unescaped(words);
  if (!words || plain === href || `${plain}/` === href || href === `https://${plain}` || href === `mailto:${plain}`)
    return href;
  const address = href.replace(/\(/g, "%28").replace(/\)/g, "%29");
  return `[${words.replace(/\\?([[\]])/g, "\\$1").replace(/\s+/g, " ")}](${address})`;
}

/** @param {Branch} node  @param {Place} place */
function list(node, place) {
  let n = Number(node.getAttribute?.("start") ?? 1) || 1;
  const lines = [];
  for (const child of Array.from(node.childNodes)) {
    if (--place.walk.left < 0) break;
    if (child.nodeName !== "LI" && child.nodeName !== "UL" && child.nodeName !== "OL") continue;
    const inside = { ...place, depth: place.depth + 1, marks: marksOf(child, place.marks) };
    const text = tidy(child.nodeName === "LI" ? children(child, inside) : one(child, inside));
    const task = text.replace(/^(\[[ x]\]) +/, "$1 ");
    const bullet = node.nodeName === "OL" ? `${n++}. ` : "- ";
    lines.push(
      bullet + task.replace(/\n\n+(?=\s*(?:[-*]|\d+\.) )/g, "\n").replace(/\n/g, `\n${" ".repeat(bullet.length)}`),
    );
  }
  return `\n\n${lines.join("\n")}\n\n`;
}

/** Returns a table, or the contents of its cells one below the other if it is there only to place them on a page.
 * @param {Branch} node  @param {Place} place */
function table(node, place) {
  /** @type {Branch[][]} */
  const rows = [];
  /** @type {(n: Branch) => void} */
  const find = (n) => {
    for (const child of Array.from(n.childNodes)) {
      if (--place.walk.left < 0) return;
      const cells = () => Array.from(child.childNodes).filter((c) => c.nodeName === "TD" || c.nodeName === "TH");
      if (child.nodeName === "TR") rows.push(cells());
      else if (/^T(?:HEAD|BODY|FOOT)$/.test(child.nodeName)) find(child);
    }
  };
  find(node);
  const width = Math.max(0, ...rows.map((r) => r.length));
  if (width === 0) return "";
  const read = (/** @type {Branch} */ c) => {
    const marks = marksOf(c, place.marks);
    const open = c.nodeName === "TH" ? `${place.open}b` : place.open;
    return tidy(children(c, { ...place, depth: place.depth + 2, marks, open }));
  };
  const texts = rows.map((r) => r.map(read));
  if (width === 1 && (rows.length === 1 || texts.some(([text = ""]) => HAS_BLOCKS.test(text))))
    return `\n\n${texts.map((r) => r[0] ?? "").join("\n\n")}\n\n`;
  const cell = (/** @type {string} */ text) => text.replace(/\s*\n\s*/g, " ").replace(/\\?\|/g, "\\|");
  const columns = Array.from({ length: width }, (_, i) => i);
  const line = (/** @type {string[]} */ r) => `| ${columns.map((i) => cell(r[i] ?? "")).join(" | ")} |`;
  const [head = [], ...body] = texts;
  return `\n\n${[line(head), line(Array(width).fill("---")), ...body.map(line)].join("\n")}\n\n`;
}

/** Removes repeated empty lines, and spaces at the ends of lines and the beginnings of paragraphs.
 * @param {string} text */
const tidy = (text) =>
  text
    .replace(/[ \u00a0]+$/gm, "")
    .replace(/\n{3,}/g, "\n\n")
    .replace(/^\n+|\n+$/g, "")
    .replace(/(^|\n\n) +(?=[^ -])/g, "$1")
    .trim();
