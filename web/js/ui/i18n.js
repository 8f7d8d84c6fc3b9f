// i18n.js: what the page says, in the reader's language: one catalogue per language (lang/), and numbers, lists and
// dates by Intl. English is there from the start; language.js loads another before anything is shown. No DOM.
/** @import { Catalogue, Key } from "../lang/en.js" */
import en from "../lang/en.js";
import { Refusal } from "../wire/protocol.js";

/** What stands in a sentence's places. A number is written as the language writes it; `n` also chooses the plural.
 * @typedef {Readonly<Record<string, string | number>>} Values */

/** The languages that a person may choose, by their own names: for a further one, a file in lang/ and a line here. */
export const LANGUAGES = /** @type {const} */ ({ en: "English", de: "Deutsch" });

const PSEUDO = "xx-pseudo";
const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ur", PSEUDO]);

/** @type {Catalogue} */
let catalogue = en;
let tag = "en";
let locale = "en-GB"; // the language as it is written where the reader lives
let plurals = new Intl.PluralRules(locale);
let numbers = new Intl.NumberFormat(locale);

/** The language spoken, for <html lang>. */
export const language = () => tag;

/** What Intl is to be asked with. */
export const intl = () => locale;

/** @returns {"ltr" | "rtl"} */
export const direction = () => (RIGHT_TO_LEFT.has(tag) ? "rtl" : "ltr");

/** Returns the first language of a reader that there is, and where they read it: ["de", "de-AT"]. `chosen` comes first.
 * @param {string} chosen "" for none  @param {readonly string[]} reads  @returns {[string, string]} */
export function bestLanguage(chosen, reads) {
  if (chosen === PSEUDO) return [PSEUDO, PSEUDO];
  for (const wanted of Object.hasOwn(LANGUAGES, chosen) ? [chosen] : reads) {
    const found = wanted.toLowerCase().split("-")[0] ?? "";
    if (Object.hasOwn(LANGUAGES, found)) return [found, reads.find((r) => r.toLowerCase().startsWith(found)) ?? found];
  }
  return ["en", "en-GB"];
}

/** From now on the page speaks this language. @param {string} language  @param {string} where  @param {Catalogue} sentences */
export function speak(language, where, sentences) {
  catalogue = sentences;
  tag = language;
  locale = Intl.DateTimeFormat.supportedLocalesOf([where]).length > 0 ? where : "en-GB";
  plurals = new Intl.PluralRules(locale);
  numbers = new Intl.NumberFormat(locale);
}

/** Returns a sentence. @param {Key} key  @param {Values} [values] */
export const t = (key, values) => pieces(key, values ?? {}).map((v) => (typeof v === "number" ? number(v) : v)).join("");

/** Returns a sentence in pieces: words, and between them the values as they are, so that a view can put elements there.
 * @template V  @param {Key} key  @param {Readonly<Record<string, V>>} values  @returns {(string | V)[]} */
export function pieces(key, values) {
  const entry = catalogue[key];
  const n = values["n"];
  const sentence = typeof entry === "string" ? entry : (typeof n === "number" && entry[plurals.select(n)]) || entry.other;
  return sentence.split(/\{(\w+)\}/).map((piece, i) => (i % 2 ? (values[piece] ?? "") : piece));
}

/** @param {number} n */
export const number = (n) => numbers.format(n);

/** "Ada, Grace and Linus". @param {readonly string[]} items */
export const list = (items) => new Intl.ListFormat(locale).format(items);

const REFUSED = /** @type {Record<string, Key>} */ ({
  bad_room: "refused.bad_room", bad_name: "refused.bad_name", bad_text: "refused.bad_text", too_long: "refused.too_long", too_large: "refused.too_large",
  too_many: "refused.too_many", rate_limited: "refused.rate_limited", not_yours: "refused.not_yours", not_found: "refused.not_found", gone: "refused.gone",
  lost: "error.silent",
  nonce_used: "refused.nonce_used", search_unavailable: "search.unavailable",
});

/** Returns why something was refused. A refusal has a message in English, which says more than its code; readers of
 * other languages get the sentence of the code. @param {unknown} err */
export function reason(err) {
  const code = err instanceof Refusal ? err.code : "";
  if (err instanceof Refusal && err.message && tag === "en") return err.message;
  return t(REFUSED[code] ?? "refused.other");
}
