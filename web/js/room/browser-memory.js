// browser-memory.js: what the browser remembers for a person: their name, the rooms they visited, and per
// room a draft and the last message they read. The server knows none of it but the name. No DOM.
/** @import { Store } from "../ui/storage.js" */

/** @typedef {{ room: string, at: number }} Visit */

const MAX_VISITS = 50;

export class BrowserMemory {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
  }

  get name() {
    return text(this.store.get("name"));
  }

  set name(name) {
    this.store.put("name", name);
  }

  /** The rooms visited, last first. @returns {Visit[]} */
  visits() {
    const list = this.store.get("visits");
    return Array.isArray(list) ? list.filter(isVisit) : [];
  }

  /** @param {string} room  @param {number} at */
  visited(room, at) {
    this.store.put("visits", [{ room, at }, ...this.visits().filter((v) => v.room !== room)].slice(0, MAX_VISITS));
  }

  /** @param {string} room */
  forget(room) {
    this.store.put("visits", this.visits().filter((v) => v.room !== room));
    this.store.remove(`draft:${room}`);
    this.store.remove(`read:${room}`);
  }

  /** @param {string} room */
  draft(room) {
    return text(this.store.get(`draft:${room}`));
  }

  /** @param {string} room  @param {string} draft */
  setDraft(room, draft) {
    if (draft) this.store.put(`draft:${room}`, draft);
    else this.store.remove(`draft:${room}`);
  }

  /** The last seq read in a room, 0 if none is known. With another epoch the numbers mean nothing.
   * @param {string} room  @param {string} epoch */
  lastRead(room, epoch) {
    const kept = this.store.get(`read:${room}`);
    return Array.isArray(kept) && kept[0] === epoch && typeof kept[1] === "number" ? kept[1] : 0;
  }

  /** Whether anything had been written in a room when one was there. @param {string} room */
  wasWritten(room) {
    return this.store.get(`read:${room}`) !== undefined;
  }

  /** As the server knows it, which may also be less. @param {string} room  @param {string} epoch  @param {number} seq */
  setLastRead(room, epoch, seq) {
    this.store.put(`read:${room}`, [epoch, seq]);
  }

  /** @param {string} room  @param {string} epoch  @param {number} seq */
  advanceLastRead(room, epoch, seq) {
    if (seq > this.lastRead(room, epoch)) this.store.put(`read:${room}`, [epoch, seq]);
  }
}

/** @param {unknown} v */
const text = (v) => (typeof v === "string" ? v : "");

/** @param {unknown} v  @returns {v is Visit} */
function isVisit(v) {
  return typeof v === "object" && v !== null && "room" in v && typeof v.room === "string";
}
