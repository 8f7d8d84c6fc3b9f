// emoji.js: all emoji with their short-codes, as the server has them, and which ones a person uses. No DOM.
/** @import { Store } from "../ui/storage.js" */
/** @import { Api } from "../wire/api.js" */

const RECENT = 24;
const FIRST = ["👍", "❤️", "😂", "🎉", "😮", "👀"]; // until a person has some of their own

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

  /** Every emoji, each followed by its short-codes. @returns {Promise<string[][]>} */
  all() {
    this.#all ??= this.api.emoji().catch((err) => {
      this.#all = null; // to be asked again
      throw err;
    });
    return this.#all;
  }

  /** Those with a short-code that has the words in it: the ones that begin so first. In a skin tone if they have one.
   * @param {string} query  @returns {Promise<{ emoji: string, code: string }[]>} */
  async search(query) {
    const wanted = query.toLowerCase().trim().replace(/\s+/g, "_").replace(/^:|:$/g, "");
    const found = [];
    for (const [emoji = "", ...codes] of await this.all()) {
      const code = codes.find((c) => c.startsWith(wanted)) ?? codes.find((c) => c.includes(wanted));
      if (code !== undefined) found.push({ emoji: toned(emoji, this.tone), code, rank: code === wanted ? 0 : code.startsWith(wanted) ? 1 : 2 });
    }
    return found.sort((a, b) => a.rank - b.rank);
  }

  get tone() {
    const kept = this.store.get("emoji:tone");
    return typeof kept === "string" && TONES.includes(kept) ? kept : "";
  }

  set tone(tone) {
    this.store.put("emoji:tone", tone);
  }

  /** Those used last, filled up with what people use most. @param {number} n  @returns {string[]} */
  recent(n) {
    const kept = this.store.get("emoji:recent");
    const own = Array.isArray(kept) ? kept.filter((e) => typeof e === "string" && e.length <= 32 && /\p{Extended_Pictographic}|\p{RI}|\u20e3/u.test(e)) : [];
    return [...new Set([...own, ...FIRST])].slice(0, n);
  }

  /** @param {string} emoji */
  used(emoji) {
    this.store.put("emoji:recent", [emoji, ...this.recent(RECENT).filter((e) => e !== emoji)].slice(0, RECENT));
  }
}

/** Returns an emoji in a skin tone: each person or hand in it takes it. @param {string} emoji  @param {string} tone */
export function toned(emoji, tone) {
  return tone ? emoji.replace(/(\p{Emoji_Modifier_Base})\uFE0F?(?!\p{Emoji_Modifier})/gu, `$1${tone}`) : emoji;
}
