// shelf.js: values that outlive the page and are too large for storage.js, in the browser's cache storage. Browsers
// have that for HTTPS and localhost; elsewhere, and where it is full or forbidden, the shelf is empty. No DOM.

/** @typedef {Pick<CacheStorage, "open" | "delete">} Backing */

export class Shelf {
  /** @param {Backing | undefined} backing  @param {string} name */
  constructor(backing, name) {
    this.backing = backing;
    this.name = name;
  }

  /** @param {string} item  @returns {Promise<unknown>} undefined if there is no such item */
  read(item) {
    return this.#try(async (cache) => (await cache.match(address(item)))?.json());
  }

  /** @param {string} item  @param {unknown} value */
  async write(item, value) {
    const content = new Response(JSON.stringify(value), { headers: { "Content-Type": "application/json" } });
    await this.#try((cache) => cache.put(address(item), content));
  }

  /** @param {string} item */
  async remove(item) {
    await this.#try((cache) => cache.delete(address(item)));
  }

  /** Returns the names of all items. @returns {Promise<string[]>} */
  async items() {
    const requests = (await this.#try((cache) => cache.keys())) ?? [];
    return requests.map(({ url }) => decodeURIComponent(url.slice(url.lastIndexOf("/") + 1)));
  }

  async clear() {
    await this.backing?.delete(this.name).catch(() => undefined);
  }

  /** @template V  @param {(cache: Cache) => Promise<V>} f  @returns {Promise<V | undefined>} */
  async #try(f) {
    try {
      return this.backing && (await f(await this.backing.open(this.name)));
    } catch {
      return undefined;
    }
  }
}

/** @param {string} item */
const address = (item) => `/offline/${encodeURIComponent(item)}`;
