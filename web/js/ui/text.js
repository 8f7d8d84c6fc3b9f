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
