// browser-memory.js: what this browser stores for a person: the name, the rooms visited and, for each room, drafts
// and the read mark. The server knows only the name and the read marks. No DOM.
//
// Each tab has a draft of its own at each place. A place is a room, or a thread: the room's name, a space and the seq.
/** @import { Store } from "../ui/storage.js" */
/** @import { Person } from "../wire/json.js" */

/** @typedef {{ room: string, at: number }} Visit */

/** The message that is answered or edited. `action`: it says what its author does.
 * @typedef {{ to: "answer" | "edit", seq: number, from: Person, text: string, action?: boolean }} About */

/** What a person has begun to write. `about`: the message that it answers or edits. `aside`: the draft that comes back
 * after an edit. @typedef {{ text: string, about?: About, aside?: Draft }} Draft */

const MAX_VISITS = 50;

export class BrowserMemory {
  /** The drafts of this tab, by the names of their items. @type {Map<string, Draft>} */
  #drafts = new Map();

  /** @param {Store} store  @param {string} [tab] this tab's id  @param {() => number} [now] */
  constructor(store, tab = "", now = Date.now) {
    this.store = store;
    this.tab = tab;
    this.now = now;
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
    for (const name of [...this.#draftNames(room), ...this.store.names(`draft:${room} `)]) {
      this.#drafts.delete(name);
      this.store.remove(name);
    }
    this.store.remove(`read:${room}`);
  }

  /** Returns what was begun to be written at a place, for this tab to go on with: what this tab has left there, else
   * the newest that any other tab has. If that tab is open, both have it from now on.
   * @param {string} place  @returns {Draft | null} */
  takeDraft(place) {
    const name = this.#draftName(place);
    const own = asDraft(this.store.get(name));
    if (own) {
      this.#drafts.set(name, own);
      return own;
    }
    const left = this.#draftNames(place)
      .map((name) => ({ name, value: this.store.get(name) }))
      .sort((a, b) => writtenAt(b.value) - writtenAt(a.value))
      .find(({ value }) => asDraft(value));
    const draft = left ? asDraft(left.value) : null;
    if (!left || !draft) return null;
    this.setDraft(place, draft);
    this.store.remove(left.name);
    return draft;
  }

  /** @param {string} place  @param {Draft | null} draft */
  setDraft(place, draft) {
    const name = this.#draftName(place);
    if (draft) {
      this.#drafts.set(name, draft);
      this.store.put(name, { ...draft, at: this.now() });
    } else if (this.#drafts.delete(name) || this.store.get(name) !== undefined) this.store.remove(name);
  }

  /** Another tab has changed the storage. If it took a draft that is being written here, it is put back.
   * @param {string | null} name null for all items */
  storageChanged(name) {
    for (const [own, draft] of this.#drafts)
      if ((name === null || name === own) && this.store.get(own) === undefined)
        this.store.put(own, { ...draft, at: this.now() });
  }

  /** @param {string} place */
  #draftName = (place) => `draft:${place}:${this.tab}`;

  /** Returns the names of the drafts of a place, of all tabs. @param {string} place */
  #draftNames = (place) => [
    ...this.store.names(`draft:${place}:`),
    ...this.store.names(`draft:${place}`).filter((name) => name === `draft:${place}`), // of earlier pages
  ];

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

/** Returns a stored value as a draft. Earlier versions of the page stored the text alone.
 * @param {unknown} v  @returns {Draft | null} */
function asDraft(v) {
  if (typeof v === "string") return v ? { text: v } : null;
  if (typeof v !== "object" || v === null || !("text" in v) || typeof v.text !== "string") return null;
  const about = "about" in v && isAbout(v.about) ? v.about : undefined;
  const aside = about?.to === "edit" && "aside" in v ? asDraft(v.aside) : null;
  return v.text || about ? { text: v.text, ...(about && { about }), ...(aside && { aside }) } : null;
}

/** @param {unknown} v  @returns {v is About} */
function isAbout(v) {
  if (typeof v !== "object" || v === null) return false;
  const { to, seq, from, text } = /** @type {Record<string, unknown>} */ (v);
  const named = typeof from === "object" && from !== null && "id" in from && "name" in from;
  return (
    (to === "answer" || to === "edit") &&
    typeof seq === "number" &&
    typeof text === "string" &&
    named &&
    typeof from.name === "string"
  );
}

/** @param {unknown} v */
const writtenAt = (v) => (typeof v === "object" && v !== null && "at" in v && typeof v.at === "number" ? v.at : 0);

/** @param {unknown} v  @returns {v is Visit} */
function isVisit(v) {
  return typeof v === "object" && v !== null && "room" in v && typeof v.room === "string";
}
