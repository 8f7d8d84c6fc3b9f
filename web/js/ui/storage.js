// storage.js: small values stored in the browser as JSON, under names with a prefix of our own. If the browser stores
// nothing (forbidden or full), they live as long as the page, and `durable` is false. No DOM.

const PREFIX = "parley:";

/** @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">} Backing */

export class Store {
  /** Whether the value that was put last outlives the page. */
  durable = true;
  /** @type {Map<string, string>} values that the browser did not store */
  #memory = new Map();

  /** @param {Backing | null} backing usually localStorage */
  constructor(backing) {
    this.backing = backing;
    this.durable = backing !== null;
  }

  /** Reports whether the browser stores anything for this page. */
  get works() {
    try {
      if (!this.backing) return false;
      this.backing.setItem(`${PREFIX}probe`, "1");
      this.backing.removeItem(`${PREFIX}probe`);
      return true;
    } catch {
      return false;
    }
  }

  /** @param {string} name  @returns {unknown} undefined if there is nothing */
  get(name) {
    const json = this.#memory.get(name) ?? this.#read(name);
    if (json === null || json === undefined) return undefined;
    try {
      return JSON.parse(json);
    } catch {
      return undefined; // not written by us, or only half written: treated as missing
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
      // storage is forbidden now: it holds nothing
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

/** Returns the name for the key of a `storage` event, or null if the key is not ours.
 * @param {string | null} key */
export const nameOf = (key) => (key?.startsWith(PREFIX) ? key.slice(PREFIX.length) : null);
