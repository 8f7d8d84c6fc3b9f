// mentions.js: where a text names people. The server says whom; here is only found where. No DOM.
/** @import { Person } from "../wire/json.js" */

/** A piece of text; `names` says whom. @typedef {{ text: string, names?: string }} Named */

/** The word that names everybody who is here. */
export const HERE = "here";

/** Returns text in pieces, of which some name somebody: `@` and a name as it is, in whatever case, that ends there.
 * @param {string} text  @param {readonly Person[]} mentions  @param {boolean} here whether @here counts
 * @returns {Named[]} put together they are the text again; `names` is an id, or HERE */
export function cutMentions(text, mentions, here) {
  if (!text.includes("@") || (mentions.length === 0 && !here)) return [{ text }];
  const whom = [...mentions.map((p) => ({ name: fold(p.name), id: p.id })), ...(here ? [{ name: HERE, id: HERE }] : [])];
  whom.sort((a, b) => b.name.length - a.name.length); // "Ada Lovelace" before "Ada"
  /** @type {Named[]} */
  const pieces = [];
  let done = 0;
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
    if (at < done || /[\p{L}\p{N}_]$/u.test(text.slice(Math.max(0, at - 2), at))) continue; // as in an address of mail
    const found = whom.find(({ name }) => name !== "" && startsWith(text, at + 1, name));
    if (!found) continue;
    if (at > done) pieces.push({ text: text.slice(done, at) });
    done = at + 1 + found.name.length;
    pieces.push({ text: text.slice(at, done), names: found.id });
  }
  if (done < text.length || pieces.length === 0) pieces.push({ text: text.slice(done) });
  return pieces;
}

/** Lower case where that keeps the length, so that places in the text stay. @param {string} s */
const fold = (s) => (s.toLowerCase().length === s.length ? s.toLowerCase() : s);

/** @param {string} text  @param {number} at  @param {string} name folded */
function startsWith(text, at, name) {
  const end = at + name.length;
  return fold(text.slice(at, end)) === name && !/^[\p{L}\p{N}_]/u.test(text.slice(end, end + 2));
}
