// fuzzy.js: finds names by a few of their letters, and ranks them: the letters must occur in the name in their order;
// they count more at the start of words and side by side. No DOM.

const START = 8; // for a letter at the start of the name
const WORD = 6; // for a letter at the start of a word
const NEXT = 5; // for a letter that follows the letter before
const GAP = 1; // lost for each letter skipped, at most MOST_GAP
const MOST_GAP = 4;

/** Returns how well letters match a name (higher is better), or null if they do not. Case and accents are ignored.
 * @param {string} letters  @param {string} name  @returns {number | null} */
export function match(letters, name) {
  const wanted = [...folded(letters).replace(/\s+/g, "")];
  const text = [...folded(name)];
  if (wanted.length === 0) return 0;
  /** @type {(number | null)[]} the best score so far, by the index of the last letter in the name */
  let best = text.map((c, i) => (c === wanted[0] ? bonus(text, i) - Math.min(i, MOST_GAP) * 0.5 : null));
  for (const letter of wanted.slice(1)) {
    best = text.map((c, i) => {
      if (c !== letter) return null;
      /** @type {number | null} */
      let most = null;
      for (let j = 0; j < i; j++) {
        const before = best[j];
        if (before === null || before === undefined) continue;
        const score = before + (j === i - 1 ? NEXT : bonus(text, i) - Math.min(i - j - 1, MOST_GAP) * GAP);
        if (most === null || score > most) most = score;
      }
      return most;
    });
  }
  const scores = best.filter((s) => s !== null);
  return scores.length > 0 ? Math.max(...scores) - text.length * 0.01 : null; // of equal scores the shorter name wins
}

/** @param {string[]} text  @param {number} i */
const bonus = (text, i) => (i === 0 ? START : /[\s\-_.]/.test(text[i - 1] ?? "") ? WORD : 0);

/** @param {string} s */
const folded = (s) => s.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** Returns the items whose names match, best first; without letters, all items in their order. @template T
 * @param {readonly T[]} items  @param {string} letters  @param {(item: T) => string} name  @param {number} limit
 * @returns {T[]} */
export function best(items, letters, name, limit) {
  const found = items.map((item, i) => ({ item, i, score: match(letters, name(item)) }));
  const meant = found.filter((f) => f.score !== null);
  meant.sort((a, b) => (b.score ?? 0) - (a.score ?? 0) || a.i - b.i);
  return meant.slice(0, limit).map((f) => f.item);
}
