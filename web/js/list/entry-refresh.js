// entry-refresh.js: asks the server for list entries whose counts only it knows (list-changes.js). Everybody who has
// the room in their list may have to ask at the same time, so each page waits for a time of its own. No DOM.
/** @import { ListEntry } from "../wire/types.js" */
import { isRetryable } from "../wire/protocol.js";
import { refreshed } from "./list-changes.js";

const WAIT_MS = 200;
const SPREAD_MS = 800;
const TRIES = 5; // to get an entry that is not older than ours; then it is taken as it is

/** @typedef {object} Options
 * @property {(room: string) => Promise<ListEntry | null>} read
 * @property {(f: () => void, ms: number) => unknown} setTimeout
 * @property {() => number} random
 * @property {(room: string) => ListEntry | undefined} entry
 * @property {(entry: ListEntry) => void} onEntry
 */

export class EntryRefresh {
  /** @type {Set<string>} rooms that are asked for */
  #asked = new Set();

  /** @param {Options} options */
  constructor(options) {
    this.options = options;
  }

  /** Asks for a room's entry if it is stale. @param {string} room */
  check(room) {
    if (!this.options.entry(room)?.stale || this.#asked.has(room)) return;
    this.#asked.add(room);
    this.#later(room, 1);
  }

  /** @param {string} room  @param {number} turn */
  #later(room, turn) {
    const { setTimeout, random } = this.options;
    setTimeout(() => this.#read(room, turn), WAIT_MS + random() * SPREAD_MS);
  }

  /** @param {string} room  @param {number} turn */
  async #read(room, turn) {
    const { read, entry, onEntry } = this.options;
    try {
      const theirs = await read(room);
      const ours = entry(room);
      if (ours?.stale && theirs) {
        const anew = refreshed(ours, theirs) ?? (turn < TRIES ? null : theirs);
        if (!anew) return this.#later(room, turn + 1);
        onEntry(anew);
      }
    } catch (err) {
      // Without a connection the list comes again with the next one; a room that is not found is not in the list.
      const code = /** @type {{ code?: string }} */ (err).code ?? "";
      if (turn < TRIES && isRetryable(code)) return this.#later(room, turn + 1);
    }
    this.#asked.delete(room);
  }
}
