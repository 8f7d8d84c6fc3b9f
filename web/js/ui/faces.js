// faces.js: which of the twelve faces a person has on this page, and which of several people of one name they are.
// No DOM.
/** @import { Store } from "./storage.js" */
/** @import { Person } from "../wire/json.js" */

/** How many faces there are: --face-1 to --face-12 in tokens.css. */
export const FACES = 12;

const STEP = 5; // from a face that is taken to the next one to try; reaches all, and none that looks alike first
const MAX_NAMES = 5_000; // remembered at a time

export class Faces {
  /** The faces of people who are or were present. @type {Map<string, number>} */
  #given = new Map();
  /** The ids of people of one name, in the order in which this browser saw them. @type {Map<string, string[]>} */
  #namesakes = new Map();

  /** @param {Pick<Store, "get" | "put">} store remembers who was first among people of one name */
  constructor(store) {
    this.store = store;
    const stored = store.get("namesakes");
    for (const entry of Array.isArray(stored) ? stored : []) {
      const [name, ids] = Array.isArray(entry) ? entry : [];
      if (isText(name) && Array.isArray(ids)) this.#namesakes.set(name, ids.filter(isText));
    }
  }

  /** Returns a person's face, from 1 to 12. @param {string} id */
  of(id) {
    return this.#given.get(id) ?? usual(id);
  }

  /** Gives the people who are present a face each, different ones as long as there are enough. Whoever has one keeps
   * it if they can. Returns the ids of those whose face has changed. @param {Iterable<Person>} people */
  present(people) {
    /** @type {Set<number>} */
    const taken = new Set();
    /** @type {string[]} */
    const changed = [];
    /** @type {(id: string, face: number) => boolean} */
    const give = (id, face) => {
      if (taken.has(face)) return false;
      taken.add(face);
      if (face !== this.of(id)) changed.push(id);
      this.#given.set(id, face);
      return true;
    };
    // The same order on every page, so that they agree if the same people are there.
    const ids = [...new Set([...people].map((p) => p.id))].sort();
    const known = ids.filter((id) => this.#given.has(id));
    const open = [...known, ...ids.filter((id) => !this.#given.has(id))].filter((id) => !give(id, this.of(id)));
    for (const id of open) {
      let face = usual(id);
      for (let i = 0; i < FACES && !give(id, face); i++) face = ((face - 1 + STEP) % FACES) + 1;
    }
    return changed;
  }

  /** Returns 1 for the first person of a name, 2 for the second. @param {Person} person */
  number({ id, name }) {
    const folded = name.normalize("NFKC").toLowerCase();
    const ids = this.#namesakes.get(folded) ?? [];
    const at = ids.indexOf(id);
    if (at >= 0) return at + 1;
    if (this.#namesakes.size >= MAX_NAMES) this.#namesakes.clear();
    this.#namesakes.set(folded, [...ids, id]);
    if (ids.length > 0) this.store.put("namesakes", this.#stored());
    return ids.length + 1;
  }

  /** The names that several people have, the last ones. */
  #stored() {
    return [...this.#namesakes].filter(([, ids]) => ids.length > 1).slice(-100);
  }
}

/** The face that a person has if nobody else took it: it depends on the id alone. @param {string} id */
function usual(id) {
  let h = 2166136261; // FNV-1a
  for (let i = 0; i < id.length; i++) h = Math.imul(h ^ id.charCodeAt(i), 16777619);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d); // mixes in the high bits
  return ((h >>> 8) % FACES) + 1;
}

/** @param {unknown} v  @returns {v is string} */
const isText = (v) => typeof v === "string";

const segmenter = "Segmenter" in Intl ? new Intl.Segmenter("en", { granularity: "grapheme" }) : null;

/** Returns what a reader perceives as the characters of a text. @param {string} s */
const characters = (s) => (segmenter ? Array.from(segmenter.segment(s), ({ segment }) => segment) : [...s]);

/** Returns the two letters that stand for a name: the first ones of its first and last word, or of its only word. An
 * emoji or a letter with many marks stands alone. The second person of a name has its number as the second letter.
 * @param {string} name  @param {number} [number] */
export function letters(name, number = 1) {
  const words = name
    .trim()
    .split(/[\s._-]+/u)
    .filter((w) => /[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(w));
  const [first = "", second = ""] = characters(words[0] ?? name).filter((c) => /[^\p{P}\p{S}]|\p{So}/u.test(c));
  const last = words.length > 1 ? (characters(words.at(-1) ?? "")[0] ?? "") : "";
  const capital = capitalised(first || (characters(name)[0] ?? ""));
  if (number > 1) return capital + (number > 9 ? "+" : number);
  if (isWide(capital)) return capital;
  if (last) return isWide(last) ? capital : `${capital}\u200c${capitalised(last)}`; // initials do not join
  return isWide(second) || [...capital, ...second].length > 4 ? capital : capital + second;
}

/** @param {string} c */
const isWide = (c) => /\p{Extended_Pictographic}|\p{RI}/u.test(c) && !/^[\p{L}\p{N}]/u.test(c);

/** Returns a letter as a capital if that is one letter too: not ß. @param {string} c */
function capitalised(c) {
  const capital = c.toLocaleUpperCase("en");
  return characters(capital).length === 1 ? capital : c;
}
