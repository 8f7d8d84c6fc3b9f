// paste.js: turns formatted text from elsewhere into the Markdown that a message may contain. It reads a tree that the
// browser has parsed inertly, or any other tree of the same shape, and returns text, never markup. No DOM of its own.

/** The part of a node that is read. @typedef {object} Branch
 * @property {string} nodeName
 * @property {string | null} nodeValue
 * @property {ArrayLike<Branch>} childNodes
 * @property {(name: string) => string | null} [getAttribute]
 */

const MAX_NODES = 20_000; // nodes read; a message has 4,000 characters
const MAX_DEPTH = 60;
const MARKS = /** @type {Record<string, string>} */ ({
  B: "**",
  STRONG: "**",
  I: "*",
  EM: "*",
  S: "~~",
  DEL: "~~",
  STRIKE: "~~",
});
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
  const walk = { left: MAX_NODES };
  return tidy(children(root, walk, 0, false)).slice(0, 100_000);
}

/** Reports whether a tree has formatting that plain text would lose. @param {Branch} node  @returns {boolean} */
export function isFormatted(node) {
  let left = MAX_NODES;
  /** @type {(n: Branch, depth: number) => boolean} */
  const look = (n, depth) => {
    if (--left < 0 || depth > MAX_DEPTH) return false;
    if (n.nodeName in MARKS && !isUndone(n)) return true;
    if (/^(?:A|CODE|PRE|UL|OL|BLOCKQUOTE|TABLE|H[1-6])$/.test(n.nodeName)) return true;
    return Array.from(n.childNodes).some((child) => look(child, depth + 1));
  };
  return look(node, 0);
}

/** @param {Branch} node  @param {{ left: number }} walk  @param {number} depth  @param {boolean} verbatim
 * @returns {string} */
function children(node, walk, depth, verbatim) {
  const parts = [];
  for (const child of Array.from(node.childNodes)) {
    if (--walk.left < 0) break;
    parts.push(one(child, walk, depth + 1, verbatim));
  }
  return parts.join("");
}

/** @param {Branch} node  @param {{ left: number }} walk  @param {number} depth  @param {boolean} verbatim
 * @returns {string} */
function one(node, walk, depth, verbatim) {
  const name = node.nodeName;
  if (name === "#text")
    return verbatim ? (node.nodeValue ?? "") : escape((node.nodeValue ?? "").replace(/[ \t\r\n\f]+/g, " "));
  if (SILENT.has(name.toUpperCase()) || SILENT.has(name)) return "";
  if (name === "BR") return "\n";
  if (depth > MAX_DEPTH) return flat(node, walk, verbatim);
  if (verbatim) return children(node, walk, depth, true);
  const inner = () => children(node, walk, depth, false);
  if (name in MARKS) return isUndone(node) ? inner() : marked(inner(), MARKS[name] ?? "");
  if (BLOCKS.has(name)) return `\n\n${inner()}\n\n`;
  switch (name) {
    case "CODE":
    case "KBD":
    case "SAMP":
    case "TT":
      return code(children(node, walk, depth, true));
    case "PRE":
      return fence(children(node, walk, depth, true), language(node));
    case "A":
      return link(inner(), node.getAttribute?.("href") ?? "");
    case "UL":
    case "OL":
      return list(node, walk, depth);
    case "LI":
      return `\n- ${tidy(inner())}\n`;
    case "BLOCKQUOTE":
      return `\n\n${tidy(inner()).replace(/^/gm, "> ")}\n\n`;
    case "TABLE":
      return table(node, walk, depth);
    case "HR":
      return "\n\n---\n\n";
    default:
      return /^H[1-6]$/.test(name)
        ? `\n\n${"#".repeat(Number(name[1]))} ${tidy(inner()).replace(/\s+/g, " ")}\n\n`
        : inner();
  }
}

/** Returns the text of a node that is nested too deep, without recursion.
 * @param {Branch} node  @param {{ left: number }} walk  @param {boolean} verbatim */
function flat(node, walk, verbatim) {
  const parts = [];
  const waiting = [node];
  for (let n = waiting.pop(); n && walk.left > 0; n = waiting.pop()) {
    walk.left--;
    if (n.nodeName === "#text") parts.push(verbatim ? (n.nodeValue ?? "") : escape(n.nodeValue ?? ""));
    else if (!SILENT.has(n.nodeName)) waiting.push(...Array.from(n.childNodes).slice(0, walk.left).reverse());
  }
  return parts.join("");
}

/** Reports whether a style undoes the formatting: some editors wrap everything in <b style="font-weight:normal">.
 * @param {Branch} node */
const isUndone = (node) =>
  /font-weight:\s*(?:normal|[1-4]00)|font-style:\s*normal/i.test(node.getAttribute?.("style") ?? "");

/** Escapes characters that would become formatting. @param {string} text */
const escape = (text) => text.replace(/([\\`*_~|])/g, "\\$1").replace(/^(\s*)([>#]|[-+](?=\s))/, "$1\\$2");

/** Puts marks around the words of a text, without the space around them. @param {string} text  @param {string} mark */
function marked(text, mark) {
  return text
    .split(/(\n\n+)/)
    .map((part) =>
      part.replace(/^(\s*)(\S[\s\S]*?)(\s*)$/, (_, before, words, after) => before + mark + words + mark + after),
    )
    .join("");
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
  const plain = words.replace(/\\(.)/g, "$1");
  if (!words || plain === href || `${plain}/` === href || href === `https://${plain}` || href === `mailto:${plain}`)
    return href;
  const address = href.replace(/\(/g, "%28").replace(/\)/g, "%29");
  return `[${words.replace(/[[\]]/g, "\\$&").replace(/\s+/g, " ")}](${address})`;
}

/** @param {Branch} node  @param {{ left: number }} walk  @param {number} depth */
function list(node, walk, depth) {
  let n = Number(node.getAttribute?.("start") ?? 1) || 1;
  const lines = [];
  for (const child of Array.from(node.childNodes)) {
    if (--walk.left < 0) break;
    if (child.nodeName !== "LI" && child.nodeName !== "UL" && child.nodeName !== "OL") continue;
    const text = tidy(
      child.nodeName === "LI" ? children(child, walk, depth + 1, false) : one(child, walk, depth + 1, false),
    );
    const bullet = node.nodeName === "OL" ? `${n++}. ` : "- ";
    lines.push(
      bullet + text.replace(/\n\n+(?=\s*(?:[-*]|\d+\.) )/g, "\n").replace(/\n/g, `\n${" ".repeat(bullet.length)}`),
    );
  }
  return `\n\n${lines.join("\n")}\n\n`;
}

/** @param {Branch} node  @param {{ left: number }} walk  @param {number} depth */
function table(node, walk, depth) {
  /** @type {string[][]} */
  const rows = [];
  /** @type {(n: Branch) => void} */
  const find = (n) => {
    for (const child of Array.from(n.childNodes)) {
      if (--walk.left < 0) return;
      if (child.nodeName === "TR") {
        const cells = Array.from(child.childNodes).filter((c) => c.nodeName === "TD" || c.nodeName === "TH");
        rows.push(cells.map((c) => tidy(children(c, walk, depth + 2, false)).replace(/\s*\n\s*/g, " ")));
      } else if (/^T(?:HEAD|BODY|FOOT)$/.test(child.nodeName)) find(child);
    }
  };
  find(node);
  const width = Math.max(0, ...rows.map((r) => r.length));
  if (width === 0) return "";
  if (width === 1) return `\n\n${rows.map((r) => r[0]).join("\n\n")}\n\n`; // a table for layout
  const line = (/** @type {string[]} */ r) => `| ${Array.from({ length: width }, (_, i) => r[i] ?? "").join(" | ")} |`;
  const [head = [], ...body] = rows;
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
