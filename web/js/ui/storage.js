// storage.js: small things kept in the browser, as JSON under names of our own. Where the browser keeps
// nothing (storage forbidden or full), they live as long as the page, and `durable` says so. No DOM.

const PREFIX = "parley:";

/** @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">} Backing */

export class Store {
  /** Whether what was put last outlives the page. */
  durable = true;
  /** @type {Map<string, string>} what the browser would not take */
  #memory = new Map();

  /** @param {Backing | null} backing usually localStorage */
  constructor(backing) {
    this.backing = backing;
    this.durable = backing !== null;
  }

  /** @param {string} name  @returns {unknown} undefined if there is nothing */
  get(name) {
    const json = this.#memory.get(name) ?? this.#read(name);
    if (json === null || json === undefined) return undefined;
    try {
      return JSON.parse(json);
    } catch {
      return undefined; // somebody else's, or half written: as if it were not there
    }
  }

  /** @param {string} name  @param {unknown} value */
  put(name, value) {
    const json = JSON.stringify(value);
    try {
      if (!this.backing) throw new Error("no storage");
      this.backing.setItem(PREFIX + name, json);
      this.#memory.delete(name);
      this.durable = true;
    } catch {
      this.#memory.set(name, json);
      this.durable = false;
    }
  }

  /** @param {string} name */
  remove(name) {
    this.#memory.delete(name);
    try {
      this.backing?.removeItem(PREFIX + name);
    } catch {
      // storage was taken away from us: then it holds nothing either
    }
  }

  /** Returns the names that begin with start, sorted. @param {string} start  @returns {string[]} */
  names(start) {
    const found = new Set([...this.#memory.keys()].filter((name) => name.startsWith(start)));
    try {
      for (let i = 0; i < (this.backing?.length ?? 0); i++) {
        const key = this.backing?.key(i) ?? "";
        if (key.startsWith(PREFIX + start)) found.add(key.slice(PREFIX.length));
      }
    } catch {
      // as above
    }
    return [...found].sort();
  }

  /** @param {string} name */
  #read(name) {
    try {
      return this.backing?.getItem(PREFIX + name);
    } catch {
      return undefined;
    }
  }
}

/** Returns the name in our store of a key that a `storage` event tells, or null if it is not ours.
 * @param {string | null} key */
export const nameOf = (key) => (key?.startsWith(PREFIX) ? key.slice(PREFIX.length) : null);
