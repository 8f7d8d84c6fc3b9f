// mentions.js: finds the mentions in a text. The server says who is mentioned; this module only finds the places. No
// DOM.
/** @import { Person } from "../wire/json.js" */

/** A piece of text. `names`: the id of the person that it mentions, or HERE.
 * @typedef {{ text: string, names?: string }} Named */

/** The word that mentions everybody in the room. */
export const HERE = "here";

/** Cuts a text into pieces, some of which are mentions: `@` and a complete name, in any case.
 * @param {string} text  @param {readonly Person[]} mentions  @param {boolean} here whether @here is a mention
 * @returns {Named[]} joined, they are the text again */
export function cutMentions(text, mentions, here) {
  if (!text.includes("@") || (mentions.length === 0 && !here)) return [{ text }];
  const whom = [
    ...mentions.map((p) => ({ name: fold(p.name), id: p.id })),
    ...(here ? [{ name: HERE, id: HERE }] : []),
  ];
  whom.sort((a, b) => b.name.length - a.name.length); // "Ada Lovelace" before "Ada"
  /** @type {Named[]} */
  const pieces = [];
  let done = 0;
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
    if (at < done || /[\p{L}\p{N}_]$/u.test(text.slice(Math.max(0, at - 2), at))) continue; // as in an e-mail address
    const found = whom.find(({ name }) => name !== "" && startsWith(text, at + 1, name));
    if (!found) continue;
    if (at > done) pieces.push({ text: text.slice(done, at) });
    done = at + 1 + found.name.length;
    pieces.push({ text: text.slice(at, done), names: found.id });
  }
  if (done < text.length || pieces.length === 0) pieces.push({ text: text.slice(done) });
  return pieces;
}

/** Returns s in lower case if that keeps its length, so that offsets stay valid. @param {string} s */
const fold = (s) => (s.toLowerCase().length === s.length ? s.toLowerCase() : s);

/** @param {string} text  @param {number} at  @param {string} name folded */
function startsWith(text, at, name) {
  const end = at + name.length;
  return fold(text.slice(at, end)) === name && !/^[\p{L}\p{N}_]/u.test(text.slice(end, end + 2));
}
