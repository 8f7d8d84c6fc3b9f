// bookmarks.js: the person's bookmarks, as far as this page knows them: the newest ones at the start, and the changes
// made here since. No DOM.
/** @import { Api } from "../wire/api.js" */
import { saved } from "./find-api.js";

/** @type {WeakMap<Api, Bookmarks>} */
const all = new WeakMap();

export class Bookmarks {
  /** @type {Set<string>} */
  #held = new Set();

  /** Returns the bookmarks, which all rooms of the page share. @param {Api} api */
  static of(api) {
    const known = all.get(api) ?? new Bookmarks();
    if (!all.has(api)) {
      all.set(api, known);
      known.#read(api);
    }
    return known;
  }

  /** @param {string} room  @param {number} seq */
  has(room, seq) {
    return this.#held.has(`${room} ${seq}`);
  }

  /** @param {string} room  @param {number} seq  @param {boolean} on */
  put(room, seq, on) {
    if (on) this.#held.add(`${room} ${seq}`);
    else this.#held.delete(`${room} ${seq}`);
  }

  /** Reads the newest bookmarks. If that fails, messages show as not bookmarked; bookmarking one again changes nothing.
   * @param {Api} api */
  async #read(api) {
    const { hits } = await saved(api, "", 200).catch(() => ({ hits: [] }));
    for (const { room, seq } of hits) this.put(room, seq, true);
  }
}
