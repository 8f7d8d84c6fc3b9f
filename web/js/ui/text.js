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

const segmenter = "Segmenter" in Intl ? new Intl.Segmenter("en", { granularity: "grapheme" }) : null;

/** Returns one or two letters that stand for a name. @param {string} name */
export function initials(name) {
  const words = name
    .trim()
    .split(/[\s._-]+/u)
    .filter((w) => /[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(w));
  const first = (/** @type {string} */ w) =>
    (segmenter ? segmenter.segment(w)[Symbol.iterator]().next().value?.segment : [...w][0]) ?? "";
  const letters = words.length > 1 ? [words[0] ?? "", words.at(-1) ?? ""].map(first) : [first(words[0] ?? name)];
  return letters.join("").toLocaleUpperCase("en");
}

/** Returns a hue in degrees for a person. It depends on the id alone. @param {string} id */
export function hue(id) {
  let h = 2166136261; // FNV-1a
  for (let i = 0; i < id.length; i++) h = Math.imul(h ^ id.charCodeAt(i), 16777619);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d); // mixes in the high bits
  return ((h >>> 8) % 30) * 12; // 30 hues that the eye can tell apart
}

const EMOJI = String.raw`(?:\p{RI}\p{RI}|\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F)`;
const MODIFIERS = String.raw`(?:\p{EMod}|\u200D\p{Extended_Pictographic}\uFE0F?)*`;
const JUMBO = new RegExp(`^(?:${EMOJI}${MODIFIERS}\\s*){1,6}$`, "u");

/** Reports whether a text consists of one to six emoji; such a message is shown large. @param {string} text */
export function isJumbo(text) {
  return text.length <= 80 && JUMBO.test(text);
}

const HIDDEN = "▒▒▒";

/** Returns a message's text on one line, without formatting marks and with spoilers hidden. @param {string} text */
export function excerpt(text) {
  return text
    .replace(/\|\|.+?\|\|/gs, HIDDEN)
    .replace(/^```.*$/gm, "")
    .replace(/^(?:> ?|#+ )/gm, "")
    .replace(/(\*\*|~~|__|[*`_])(?=\S)(.+?)(?<=\S)\1/gs, "$2")
    .replace(/\s+/g, " ")
    .trim();
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
