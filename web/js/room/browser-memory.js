// browser-memory.js: what this browser stores for a person: the name, the rooms visited and, for each room, a draft
// and the read mark. The server knows only the name and the read marks. No DOM.
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

  /** Returns the visited rooms, the last one first. @returns {Visit[]} */
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
    this.store.put(
      "visits",
      this.visits().filter((v) => v.room !== room),
    );
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

  /** Returns the read mark of a room, 0 if it is not known. It is valid for one epoch only.
   * @param {string} room  @param {string} epoch */
  lastRead(room, epoch) {
    const stored = this.store.get(`read:${room}`);
    return Array.isArray(stored) && stored[0] === epoch && typeof stored[1] === "number" ? stored[1] : 0;
  }

  /** Sets the read mark, also to an earlier seq. @param {string} room  @param {string} epoch  @param {number} seq */
  setLastRead(room, epoch, seq) {
    this.store.put(`read:${room}`, [epoch, seq]);
  }

  /** Moves the read mark forward; never back. @param {string} room  @param {string} epoch  @param {number} seq */
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
