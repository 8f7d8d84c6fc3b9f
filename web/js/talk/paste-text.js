// paste-text.js: the text within pasted formatted text: escapes what would become formatting in a message, and nothing
// else, so that `#1`, `C:\dir` and `a_b` stay as they are. No DOM.

const MAYBE = "\uE000"; // stands before what would be formatting at the beginning of a line (of the private-use area)
const PUNCTUATION = "[!-/:-@[-`{-~]"; // what a backslash escapes in Markdown

// Nothing is escaped in addresses and in words with backslashes, such as paths: a backslash would belong to them. The
// server shows all backslashes but those that prevent formatting, so they are not escaped themselves.
const AS_IT_IS = /https?:\/\/|www\.|mailto:|\\/i;

const ESCAPES = /** @type {[RegExp, string][]} */ ([
  [/`/g, "\\`"],
  // Emphasis, unless there are spaces or digits on both sides. Underscores only at the edge of a word.
  [/\*(?<!(?:^|[\s*])\*(?=\s|$))(?<!\d\*(?=\d))/g, "\\*"],
  [/(?<=[\p{L}\p{N}])_(?![\p{L}\p{N}_])|(?<![\p{L}\p{N}_])_(?=[\p{L}\p{N}])/gu, "\\_"],
  [/~(?=~)|(?<=~)~/g, "\\~"],
  [/\|(?=\|)|(?<=\|)\|/g, "\\|"],
  [/\[(?=[^\]\n]*\]\()/g, "\\["],
]);

// What makes a line a heading, quote, list item, rule or fence.
const BLOCK = /^(?:#{1,6}(?=\s|$)|>(?=\s|$)|[-+*](?=\s|$)|([-*_])(?:\s*\1){2,}\s*$)/;
const STRUCTURE = /^(?:[ \t]|> ?|- |\d+\. )*/; // of Markdown that is there already

/** Escapes the text of a node. Spaces and line breaks in it are one space, as in HTML.
 * @param {string} text */
export function escapeText(text) {
  const plain = text.replaceAll(MAYBE, "").replace(/[ \t\r\n\f]+/g, " ");
  let escaped = "";
  let words = "";
  const escape = () => (escaped += ESCAPES.reduce((s, [what, by]) => s.replace(what, by), words));
  for (const word of plain.split(/(?<= )/)) {
    if (!AS_IT_IS.test(word)) words += word;
    else {
      escape();
      escaped += word;
      words = "";
    }
  }
  escape();
  return escaped.replace(/^ ?(?=[#>+\-*_])/, `$&${MAYBE}`);
}

/** Escapes what would make a block at the beginning of a line, once all lines are there. @param {string} markdown */
export function escapeLines(markdown) {
  if (!markdown.includes(MAYBE)) return markdown;
  return markdown
    .split("\n")
    .map((line) => {
      const [start = ""] = STRUCTURE.exec(line) ?? [];
      const rest = line.slice(start.length);
      const block = rest.startsWith(MAYBE) && BLOCK.test(rest.slice(1));
      return start + (block ? "\\" : "") + rest.replaceAll(MAYBE, "");
    })
    .join("\n");
}

/** Returns an escaped text as it was. @param {string} text */
export const unescaped = (text) => text.replaceAll(MAYBE, "").replace(new RegExp(`\\\\(${PUNCTUATION})`, "g"), "$1");

/** Reports whether a text ends within a fenced code block, where nothing is formatting. @param {string} text */
export function isInFence(text) {
  let open = "";
  for (const line of text.split("\n")) {
    const [, ticks = "", info = ""] = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
    if (!ticks) continue;
    if (!open) open = ticks.startsWith("`") && info.includes("`") ? "" : ticks;
    else if (ticks[0] === open[0] && ticks.length >= open.length && !info.trim()) open = "";
  }
  return open !== "";
}
