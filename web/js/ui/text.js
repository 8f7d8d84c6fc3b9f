// text.js: helpers for texts that people write. They return data, never markup or nodes. No DOM.
import { t } from "./i18n.js";

/** Returns the address if a click may open it, else "". The server allows only such links in its HTML; this is a second
 * check. @param {string} href */
export function safeHref(href) {
  try {
    const url = new URL(href); // absolute only
    const web =
      (url.protocol === "http:" || url.protocol === "https:") && url.hostname !== "" && !url.username && !url.password;
    const harmless = url.protocol === "mailto:" || web;
    return harmless ? url.href : "";
  } catch {
    return "";
  }
}

/** Returns the length of a text as the server counts it: in code points. @param {string} s */
export function length(s) {
  let n = 0;
  for (const _ of s) n++;
  return n;
}

/** Returns the first n code points of a text. @param {string} s  @param {number} n */
export const firstOf = (s, n) => (s.length <= n ? s : [...s].slice(0, n).join(""));

const EMOJI = String.raw`(?:\p{RI}\p{RI}|\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F)`;
const MODIFIERS = String.raw`(?:\p{EMod}|\u200D\p{Extended_Pictographic}\uFE0F?)*`;
const JUMBO = new RegExp(`^(?:${EMOJI}${MODIFIERS}\\s*){1,6}$`, "u");

/** Reports whether a text consists of one to six emoji; such a message is shown large. @param {string} text */
export function isJumbo(text) {
  return text.length <= 80 && JUMBO.test(text);
}

/** Stands for a spoiler where a text is shown without formatting. */
export const HIDDEN = "▒▒▒";

/** Hides what is between bars in a text that is shown as it was typed. @param {string} text */
export const hideBars = (text) => text.replace(/\|\|(?![| \t])[^]+?\|\|/g, HIDDEN);

// What has marks in a line of text: code, a spoiler, a link under another name, emphasis.
const MARKED = new RegExp(
  [
    String.raw`(?<code>\x60+)(?<verbatim>[^\x60]+)\k<code>`,
    String.raw`(?<spoiler>\|\|(?![|\s]).+?\|\|)`,
    String.raw`\[(?<name>[^\[\]]+)\]\((?:https?://|mailto:)[^\s()]+\)`,
    String.raw`(?<![\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}*~])(?<mark>\*{1,3}|~~)(?![\s*~])` +
      String.raw`(?<words>[^*~]*[^*~\s])\k<mark>(?![*~])`,
    String.raw`(?<![\p{L}\p{N}_@])_(?![\s_])(?<slanted>[^_]*[^_\s])_(?![\p{L}\p{N}_])`,
  ].join("|"),
  "gu",
);

/** Returns a line of text that has no HTML, such as a topic, without formatting marks and with spoilers hidden.
 * @param {string} text  @returns {string} */
export function excerpt(text) {
  return text.replace(MARKED, (_, ...rest) => {
    const { verbatim, spoiler, name, words, slanted } = rest.at(-1);
    if (spoiler) return HIDDEN;
    const within = words ?? slanted ?? "";
    // *_* is a face, and *.* means any file.
    if (within && /^[!-/:-@[-\x60{-~]+$/.test(within)) return _;
    return verbatim?.trim() ?? excerpt(name ?? within);
  });
}

/** Returns a sentence such as "Ada is typing…", or "". @param {readonly string[]} names */
export function typingText(names) {
  const [a, b] = names;
  if (a === undefined) return "";
  if (b === undefined) return t("typing.one", { name: isolate(a) });
  return names.length === 2 ? t("typing.two", { name: isolate(a), other: isolate(b) }) : t("typing.many");
}

/** Isolates the writing direction of a name in a plain text, where no element can do so (UAX #9 §2.5).
 * @param {string} s */
export const isolate = (s) => `\u2068${s}\u2069`;
