// completion.js: completes the word at the caret: a person after "@", an emoji after ":", a command after "/". It
// knows neither the field nor the list on the screen. No DOM.
/** @import { Person } from "../wire/json.js" */
/** @import { SlashCommand } from "../wire/types.js" */
import { HERE, mayBeginMention, mayBeginShortCode } from "../room/mentions.js";

const MOST = 8; // suggestions at once
const MIN_CODE = 2; // letters of a short-code before emoji are suggested; so ":)" suggests none
const CLEAR_CODE = 3; // letters of a short-code before Enter takes an emoji; so "lol :xd" stays

/** The word at the caret: its range in the text, and its letters after the sign.
 * @typedef {{ sign: "@" | ":" | "/", from: number, to: number, query: string }} Word */

/** `text` replaces the word. @typedef {{ text: string, label: string, note: string, person?: Person }} Suggestion */

/** @param {string} text  @param {number} caret  @returns {Word | null} */
export function wordAt(text, caret) {
  const before = text.slice(0, caret);
  const command = /^\/([a-z]*)$/.exec(before);
  if (command) return { sign: "/", from: 0, to: caret, query: command[1] ?? "" };
  const code = /:([a-z0-9+][a-z0-9_+-]*|-1)$/.exec(before);
  if (code && (code[1] ?? "").length >= MIN_CODE && mayBeginShortCode(before.slice(0, code.index)))
    return { sign: ":", from: code.index, to: caret, query: code[1] ?? "" };
  const at = before.lastIndexOf("@");
  const query = before.slice(at + 1);
  if (at < 0 || query.length > 32 || /[\n@]/.test(query)) return null;
  return mayBeginMention(before.slice(0, at)) ? { sign: "@", from: at, to: caret, query } : null;
}

/** Returns which suggestion Enter takes although nobody has chosen it, or -1: the one of which the word is clearly the
 * beginning. Otherwise Enter sends what is written, such as `:10` or `/s`.
 * @param {Word} word  @param {readonly Suggestion[]} list */
export function clearChoice({ sign, query }, list) {
  const [first] = list;
  if (!first) return -1;
  if (sign === "/") return list.length === 1 ? 0 : -1;
  if (sign === ":")
    return query.length >= CLEAR_CODE && /^[a-z]/.test(query) && first.note.startsWith(`:${query}`) ? 0 : -1;
  const whole = list.some(({ text }) => text.toLowerCase() === `@${query.toLowerCase()}`); // it lacks nothing
  const letters = [...query].length;
  return !whole && !/\s$/u.test(query) && (letters > 1 || (letters === 1 && !/[ -~]/.test(query))) ? 0 : -1;
}

/** Returns people whose name, or a word of it, begins with the query: those in the room first, then by who wrote last.
 * @param {string} query  @param {readonly Person[]} here  @param {readonly Person[]} wrote the last one first
 * @param {string} me  @param {string} everybody the note for @here
 * @returns {Suggestion[]} */
export function suggestPeople(query, here, wrote, me, everybody) {
  const wanted = query.toLowerCase();
  /** @type {Map<string, Person>} by name: a mention cannot tell two people of one name apart */
  const found = new Map();
  for (const person of [...here, ...wrote]) {
    const name = person.name.toLowerCase();
    const matches = name.startsWith(wanted) || name.split(/[\s._-]+/u).some((word) => word.startsWith(wanted));
    if (matches && person.id !== me && !found.has(name)) found.set(name, person);
  }
  /** @type {Suggestion[]} */
  const list = [...found.values()].map((person) => ({ text: `@${person.name}`, label: person.name, note: "", person }));
  if (HERE.startsWith(wanted))
    list.splice(wanted ? list.length : MOST - 1, 0, { text: `@${HERE}`, label: `@${HERE}`, note: everybody });
  return list.slice(0, MOST);
}

/** @param {string} query  @param {readonly SlashCommand[]} commands  @returns {Suggestion[]} */
export function suggestCommands(query, commands) {
  return commands
    .filter((c) => c.name.startsWith(query))
    .slice(0, MOST)
    .map((c) => ({ text: `/${c.name}`, label: `/${c.name}${c.args ? ` ${c.args}` : ""}`, note: c.help }));
}

/** @param {readonly { emoji: string, code: string }[]} found  @returns {Suggestion[]} */
export const suggestEmoji = (found) =>
  found.slice(0, MOST).map(({ emoji, code }) => ({ text: emoji, label: emoji, note: `:${code}:` }));
