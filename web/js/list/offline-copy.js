// offline-copy.js: what this browser holds of a person's rooms, so that they can be read without a network: the room
// list, and the newest messages of the rooms read last. No DOM.
//
// Deletions hold here, too. The copy of a room on the screen is written anew from what the screen shows. Every other
// copy is removed, and read again a little later, when something in its room was edited or deleted, and when the list
// says that the room has gone on while nobody listened.
/** @import { State } from "../room/types.js" */
/** @import { Person } from "../wire/json.js" */
/** @import { ListEntry, ListUpdate, Page, PageQuery } from "../wire/types.js" */
import { person, record } from "../wire/json.js";

const ROOMS = 12;
const MESSAGES = 50; // in each room
const WRITE_MS = 10_000; // a room that changes is written this often
const READ_MS = 5_000; // within this time at first, and then one room after the other
const ROOM = "room ";

/** @typedef {object} Deps
 * @property {{ read: (item: string) => Promise<unknown>, write: (item: string, value: unknown) => Promise<void>,
 *   remove: (item: string) => Promise<void>, items: () => Promise<string[]>, clear: () => Promise<void> }} shelf
 * @property {(room: string, where: PageQuery) => Promise<Page>} messages
 * @property {() => readonly string[]} visited  the rooms, the one visited last first
 * @property {(f: () => void, ms: number) => void} setTimeout
 * @property {() => number} random between 0 and 1
 */

export class OfflineCopy {
  /** What is written next, by item. @type {Map<string, () => unknown>} */
  #waiting = new Map();
  /** Rooms that are read next. @type {Set<string>} */
  #stale = new Set();
  #writes = false;
  #reads = false;
  #ended = false;

  /** @param {Deps} deps */
  constructor(deps) {
    this.deps = deps;
  }

  /** Returns the person whose copy this is, if there is one. @returns {Promise<Person | null>} */
  async whose() {
    return person(record(await this.deps.shelf.read("me"))) ?? null;
  }

  /** Begins or goes on with a person's copy. That of somebody else is removed. @param {Person} me */
  async begin(me) {
    if ((await this.whose())?.id !== me.id) await this.deps.shelf.clear();
    if (!this.#ended) await this.deps.shelf.write("me", me);
  }

  /** Removes everything, and holds nothing any more: the person is signed out. */
  async end() {
    this.#ended = true;
    await this.deps.shelf.clear();
  }

  /** @returns {Promise<ListEntry[]>} */
  async list() {
    return /** @type {ListEntry[] | undefined} */ (await this.deps.shelf.read("list")) ?? [];
  }

  /** @param {string} room  @returns {Promise<Page | null>} */
  async room(room) {
    return /** @type {Page | undefined} */ (await this.deps.shelf.read(ROOM + room)) ?? null;
  }

  /** The list has changed. @param {() => Iterable<ListEntry>} entries */
  listChanged(entries) {
    this.#write("list", () => [...entries()].map(({ heard, stale, ...entry }) => entry));
  }

  /** A room has changed of which every event is heard.
   * @param {string} room  @param {() => State | null} state returns null if that is not so any more */
  roomChanged(room, state) {
    this.#stale.delete(room);
    this.#write(ROOM + room, () => pageOf(state()));
  }

  /** The list of the server has come. The copies of rooms that have gone on are removed, and read again.
   * @param {ReadonlyMap<string, ListEntry>} rooms  @param {string} epoch */
  async listCame(rooms, epoch) {
    this.listChanged(() => rooms.values());
    const written = await this.flush(); // from the screen, where every event is heard
    for (const room of await this.#rooms()) {
      if (written.has(ROOM + room)) continue;
      const copy = await this.room(room);
      if (copy?.seq !== rooms.get(room)?.seq || copy?.epoch !== epoch) await this.#outdated(room);
    }
  }

  /** Something has happened in a room that is not on the screen. @param {ListUpdate} update */
  async heard({ room, kind }) {
    if (kind !== "edit" && kind !== "delete") return;
    if ((await this.#rooms()).includes(room)) await this.#outdated(room);
  }

  async #rooms() {
    const items = await this.deps.shelf.items();
    return items.filter((item) => item.startsWith(ROOM)).map((item) => item.slice(ROOM.length));
  }

  /** Removes a copy, and reads it again unless the person has left the room for good. @param {string} room */
  async #outdated(room) {
    await this.deps.shelf.remove(ROOM + room);
    if (this.#ended || !this.deps.visited().includes(room)) return;
    this.#stale.add(room);
    this.#readNext();
  }

  #readNext() {
    if (this.#reads || this.#stale.size === 0) return;
    this.#reads = true;
    this.deps.setTimeout(async () => {
      this.#reads = false;
      const [room] = this.#stale;
      if (room === undefined || this.#ended) return;
      const page = await this.deps.messages(room, { limit: MESSAGES }).catch(() => null);
      // If it has changed meanwhile, it is written or read again anyway.
      if (page && this.#stale.delete(room) && !this.#ended) await this.deps.shelf.write(ROOM + room, page);
      else this.#stale.delete(room);
      this.#readNext();
    }, READ_MS * this.deps.random());
  }

  /** @param {string} item  @param {() => unknown} value */
  #write(item, value) {
    if (this.#ended) return;
    this.#waiting.set(item, value);
    if (this.#writes) return;
    this.#writes = true;
    this.deps.setTimeout(() => this.flush(), WRITE_MS);
  }

  /** Writes what waits to be written, and returns the items. */
  async flush() {
    this.#writes = false;
    const items = [...this.#waiting];
    this.#waiting.clear();
    /** @type {Set<string>} */
    const written = new Set();
    for (const [item, value] of items) {
      const v = this.#ended ? null : value();
      if (v) await this.deps.shelf.write(item, v);
      if (v) written.add(item);
    }
    const latest = new Set(this.deps.visited().slice(0, ROOMS));
    for (const room of await this.#rooms()) if (!latest.has(room)) await this.deps.shelf.remove(ROOM + room);
    if (this.#ended) await this.deps.shelf.clear(); // it ended while something was written
    return written;
  }
}

/** Returns the newest messages as a page of history, or null if the window has others.
 * @param {State | null} s  @returns {Page | null} */
function pageOf(s) {
  if (!s?.epoch || s.newer) return null;
  const messages = s.messages.slice(-MESSAGES);
  const more = s.older || messages.length < s.messages.length;
  return { room: s.room, seq: s.head, at: s.headAt, epoch: s.epoch, topic: s.topic, more, messages };
}
