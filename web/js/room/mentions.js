// mentions.js: finds the mentions in a text. The server says who is mentioned; this module only finds the places, by
// the same rules (internal/chat/mention.go). It also says where a mention or an emoji's short-code may begin. No DOM.
/** @import { Person } from "../wire/json.js" */

/** A piece of text. `names`: the id of the person that it mentions, or HERE.
 * @typedef {{ text: string, names?: string }} Named */

/** The word that mentions everybody in the room. */
export const HERE = "here";

// Scripts whose words are not separated by spaces: a word may end beside them anywhere. Korean has spaces, but attaches
// particles to words.
const UNSPACED = [
  ..."Han Hiragana Katakana Hangul Bopomofo Yi Thai Lao Khmer Myanmar Tibetan".split(" "),
].map((script) => String.raw`\p{Script=${script}}`);
const UNSPACED_ENDS = new RegExp(`[${UNSPACED.join("")}ーｰ]$`, "u");
const UNSPACED_BEGINS = new RegExp(`^[${UNSPACED.join("")}ーｰ]`, "u");
const WORD_ENDS = /[\p{L}\p{Nd}\p{M}_]$/u;
const WORD_BEGINS = /^[\p{L}\p{Nd}\p{M}_]/u;
const JOINED = /^[\p{M}_ーｰ\u0e30-\u0e3a]/u; // never begins a word: marks, vowel signs
const PATH = /(?:^|[ \t\n(])(?!@)[^\s.(]+\.[^\s(]*\/$/; // the beginning of an address with a path

/** Reports whether a text ends within a word of a script with spaces. @param {string} before */
export const endsInWord = (before) => WORD_ENDS.test(before) && !UNSPACED_ENDS.test(before);

/** Reports whether an "@" after a text may begin a mention: not in ada@example.org, nor in medium.com/@ada.
 * @param {string} before */
export function mayBeginMention(before) {
  const near = before.slice(-100);
  return !endsInWord(near.slice(-2)) && !(near.endsWith("/") && PATH.test(near));
}

/** Reports whether a ":" after a text may begin an emoji's short-code: not in 10:30 or a::b. @param {string} before */
export function mayBeginShortCode(before) {
  const last = before.slice(-2);
  return !last.endsWith(":") && (last.endsWith("_") || !endsInWord(last));
}

/** Cuts a text into pieces, some of which are mentions: `@` and a complete name, in any case.
 * @param {string} text  @param {readonly Person[]} mentions  @param {boolean} here whether @here is a mention
 * @returns {Named[]} joined, they are the text again */
export function cutMentions(text, mentions, here) {
  if (!text.includes("@") || (mentions.length === 0 && !here)) return [{ text }];
  const whom = new Map(mentions.map((p) => [fold(p.name), p.id]));
  /** @type {Named[]} */
  const pieces = [];
  let done = 0;
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
    if (at < done || !mayBeginMention(text.slice(Math.max(0, at - 100), at))) continue;
    const [end, names] = nameAt(text, at + 1, whom, here);
    if (!names) continue;
    if (at > done) pieces.push({ text: text.slice(done, at) });
    pieces.push({ text: text.slice(at, end), names });
    done = end;
  }
  if (done < text.length || pieces.length === 0) pieces.push({ text: text.slice(done) });
  return pieces;
}

const MAX_NAME = 32; // code points

/** Returns the end of the longest name at a place of a text, and whose it is.
 * @param {string} text  @param {number} from  @param {ReadonlyMap<string, string>} whom  @param {boolean} here
 * @returns {[end: number, names: string]} */
function nameAt(text, from, whom, here) {
  /** @type {[number, string]} */
  let found = [from, ""];
  let end = from;
  for (const point of [...text.slice(from, from + 2 * MAX_NAME)].slice(0, MAX_NAME)) {
    if (point === "\n" || (end === from && /\s/.test(point))) break;
    end += point.length;
    if (!endsName(text.slice(from, end).slice(-2), text.slice(end, end + 4))) continue;
    const name = text.slice(from, end);
    const id = here && name === HERE ? HERE : whom.get(fold(name));
    if (id !== undefined) found = [end, id];
  }
  return found;
}

/** Reports whether a name may end between two parts of a text. @param {string} before  @param {string} after */
function endsName(before, after) {
  if (/\s$/.test(before)) return false;
  if (WORD_BEGINS.test(after) && WORD_ENDS.test(before))
    return !JOINED.test(after) && (UNSPACED_ENDS.test(before) || UNSPACED_BEGINS.test(after));
  if (/^[/@]/.test(after) && endsInWord(before)) return !endsInWord(/^./u.exec(after.slice(1))?.[0] ?? "");
  return true;
}

/** Returns a name in the form that all its spellings share, as the server compares them. @param {string} s */
const fold = (s) => s.normalize("NFKC").toUpperCase().toLowerCase().replaceAll("ς", "σ").normalize("NFKC");
