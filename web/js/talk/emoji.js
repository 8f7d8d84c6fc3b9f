// emoji.js: all emoji with their short-codes, from the server, and the ones that the person uses. No DOM.
/** @import { Store } from "../ui/storage.js" */
/** @import { Api } from "../wire/api.js" */

const RECENT = 24;
const FIRST = ["👍", "❤️", "😂", "🎉", "😮", "👀"]; // suggested until the person has used some

/** Skin tones (Unicode TR51 §2.4), from none to the darkest. */
export const TONES = ["", "🏻", "🏼", "🏽", "🏾", "🏿"];

export class EmojiBook {
  /** @type {Promise<string[][]> | null} */
  #all = null;

  /** @param {Api} api  @param {Store} store */
  constructor(api, store) {
    this.api = api;
    this.store = store;
  }

  /** Returns each emoji followed by its short-codes. @returns {Promise<string[][]>} */
  all() {
    this.#all ??= this.api.emoji().catch((err) => {
      this.#all = null; // the next call asks again
      throw err;
    });
    return this.#all;
  }

  /** Returns the emoji whose short-codes contain the query, those that begin with it first, in the skin tone chosen.
   * @param {string} query  @returns {Promise<{ emoji: string, code: string }[]>} */
  async search(query) {
    const wanted = query.toLowerCase().trim().replace(/\s+/g, "_").replace(/^:|:$/g, "");
    const found = [];
    for (const [emoji = "", ...codes] of await this.all()) {
      const code = codes.find((c) => c.startsWith(wanted)) ?? codes.find((c) => c.includes(wanted));
      if (code !== undefined)
        found.push({
          emoji: toned(emoji, this.tone),
          code,
          rank: code === wanted ? 0 : code.startsWith(wanted) ? 1 : 2,
        });
    }
    return found.sort((a, b) => a.rank - b.rank);
  }

  get tone() {
    const stored = this.store.get("emoji:tone");
    return typeof stored === "string" && TONES.includes(stored) ? stored : "";
  }

  set tone(tone) {
    this.store.put("emoji:tone", tone);
  }

  /** Returns the last used emoji, filled up with common ones. @param {number} n  @returns {string[]} */
  recent(n) {
    const stored = this.store.get("emoji:recent");
    const own = Array.isArray(stored)
      ? stored.filter(
          (e) => typeof e === "string" && e.length <= 32 && /\p{Extended_Pictographic}|\p{RI}|\u20e3/u.test(e),
        )
      : [];
    return [...new Set([...own, ...FIRST])].slice(0, n);
  }

  /** @param {string} emoji */
  used(emoji) {
    this.store.put("emoji:recent", [emoji, ...this.recent(RECENT).filter((e) => e !== emoji)].slice(0, RECENT));
  }
}

/** Returns an emoji in a skin tone, which applies to each person and hand in it.
 * @param {string} emoji  @param {string} tone */
export function toned(emoji, tone) {
  return tone ? emoji.replace(/(\p{Emoji_Modifier_Base})\uFE0F?(?!\p{Emoji_Modifier})/gu, `$1${tone}`) : emoji;
}
