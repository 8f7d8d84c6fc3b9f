// i18n.js: the page's texts in the reader's language: one catalogue per language (lang/), and numbers, lists and dates
// formatted by Intl. The English catalogue is always loaded; language.js loads another one before the page shows
// anything. No DOM.
/** @import { Catalogue, Key } from "../lang/en.js" */
import en from "../lang/en.js";
import { Refusal } from "../wire/protocol.js";

/** The values of a sentence's placeholders. Numbers are formatted for the language; `n` also selects the plural form.
 * @typedef {Readonly<Record<string, string | number>>} Values */

/** The languages that a person may choose, with their own names. To add one, add a file to lang/, a line here, and
 * one in language.js. */
export const LANGUAGES = /** @type {const} */ ({ en: "English", de: "Deutsch" });

/** @typedef {keyof typeof LANGUAGES | "xx-pseudo"} Tag */

const PSEUDO = "xx-pseudo";
const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ur", PSEUDO]);

/** @type {Catalogue} */
let catalogue = en;
let tag = "en";
let locale = "en-GB"; // the language with the reader's region
let plurals = new Intl.PluralRules(locale);
let numbers = new Intl.NumberFormat(locale);

/** Returns the tag of the language in use, for <html lang>. */
export const language = () => tag;

/** Returns the locale for Intl. */
export const intl = () => locale;

/** @returns {"ltr" | "rtl"} */
export const direction = () => (RIGHT_TO_LEFT.has(tag) ? "rtl" : "ltr");

/** @param {string} tag  @returns {tag is keyof typeof LANGUAGES} */
const isTag = (tag) => Object.hasOwn(LANGUAGES, tag);

/** Returns the best available language for a reader and their regional variant of it, such as ["de", "de-AT"].
 * `chosen` takes precedence over the languages that the browser reads.
 * @param {string} chosen "" for none  @param {readonly string[]} reads  @returns {[Tag, string]} */
export function bestLanguage(chosen, reads) {
  if (chosen === PSEUDO) return [PSEUDO, PSEUDO];
  for (const wanted of isTag(chosen) ? [chosen] : reads) {
    const found = wanted.toLowerCase().split("-")[0] ?? "";
    if (isTag(found)) return [found, reads.find((r) => r.toLowerCase().startsWith(found)) ?? found];
  }
  return ["en", "en-GB"];
}

/** Sets the language of the page. @param {string} language  @param {string} where  @param {Catalogue} sentences */
export function speak(language, where, sentences) {
  catalogue = sentences;
  tag = language;
  locale = Intl.DateTimeFormat.supportedLocalesOf([where]).length > 0 ? where : "en-GB";
  plurals = new Intl.PluralRules(locale);
  numbers = new Intl.NumberFormat(locale);
}

/** Returns a sentence. @param {Key} key  @param {Values} [values] */
export const t = (key, values) =>
  pieces(key, values ?? {})
    .map((v) => (typeof v === "number" ? number(v) : v))
    .join("");

/** Returns a sentence in pieces: its words and, between them, the values unchanged, so that a view can insert elements.
 * @template V  @param {Key} key  @param {Readonly<Record<string, V>>} values  @returns {(string | V)[]} */
export function pieces(key, values) {
  const entry = catalogue[key];
  const n = values["n"];
  const sentence =
    typeof entry === "string" ? entry : (typeof n === "number" && entry[plurals.select(n)]) || entry.other;
  return sentence.split(/\{(\w+)\}/).map((piece, i) => (i % 2 ? (values[piece] ?? "") : piece));
}

/** @param {number} n */
export const number = (n) => numbers.format(n);

/** "Ada, Grace and Linus". @param {readonly string[]} items */
export const list = (items) => new Intl.ListFormat(locale).format(items);

const REFUSED = /** @type {Record<string, Key>} */ ({
  bad_room: "refused.bad_room",
  bad_name: "refused.bad_name",
  bad_text: "refused.bad_text",
  too_long: "refused.too_long",
  too_large: "refused.too_large",
  too_many: "refused.too_many",
  rate_limited: "refused.rate_limited",
  not_yours: "refused.not_yours",
  not_found: "refused.not_found",
  gone: "refused.gone",
  lost: "error.silent",
  nonce_used: "refused.nonce_used",
  search_unavailable: "search.unavailable",
});

/** Returns why something was refused. A refusal has a message in English, which says more than its code; readers of
 * other languages get the sentence of the code. @param {unknown} err */
export function reason(err) {
  const code = err instanceof Refusal ? err.code : "";
  if (err instanceof Refusal && err.message && tag === "en") return err.message;
  return t(REFUSED[code] ?? "refused.other");
}
