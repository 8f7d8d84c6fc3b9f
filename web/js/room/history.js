// history.js: reads pages of a room's or a thread's messages over HTTP when the person scrolls there. It reads one
// page at a time in each direction, and pauses after a failure. No DOM.
/** @import { Page, PageQuery } from "../wire/types.js" */
/** @import { HistoryOptions, State } from "./types.js" */
import { Refusal } from "../wire/protocol.js";
import { PAGE, appendPage, openWindow, prependPage } from "./room-pages.js";
import { atNewest, atOldest, isUsable } from "./room-state.js";

const PAUSE_MS = 2_000;
const TRIES = 5; // to get a page that is not outdated when it comes

const FIRST = 50; // messages of the first page: more than a screen, and half the bytes of a later one

/** Returns the query for the first page of a room: around a message, or the newest.
 * @param {number | null} [seq]  @returns {PageQuery} */
export const firstPage = (seq) => ({ around: seq ?? undefined, limit: seq ? PAGE : FIRST });

export class History {
  /** @type {Set<"older" | "newer">} */
  #busy = new Set();
  #generation = 0; // counts replacements of the window, so that pages requested before one are dropped

  /** @param {HistoryOptions} options */
  constructor(options) {
    this.options = options;
  }

  /** Replaces the window by the page around a seq, or the newest one, unless open is called again before the page
   * comes. The room's first page is around the read mark if that is further back.
   * @param {number} [seq] */
  async open(seq) {
    const generation = ++this.#generation;
    const { change, lastRead, state } = this.options;
    let page = await this.#read(firstPage(seq));
    const read = lastRead(page.epoch);
    const missed = page.more && read > 0 && read < (page.messages[0]?.seq ?? 0) - 1;
    if (missed && seq === undefined && !state().epoch) page = await this.#read({ around: read });
    if (generation === this.#generation) change((s) => openWindow(s, page, read));
  }

  older() {
    const state = this.options.state();
    const before = state.messages[0]?.seq;
    if (before !== undefined && !atOldest(state))
      this.#page("older", { before }, (s, page) => prependPage(s, page, before));
  }

  newer() {
    const state = this.options.state();
    const after = state.messages.at(-1)?.seq ?? 0;
    if (state.epoch && !atNewest(state)) this.#page("newer", { after }, (s, page) => appendPage(s, page, after));
  }

  /** Reads a page. It reads it again if more live events came meanwhile than are stored. @param {PageQuery} where */
  async #read(where) {
    for (let i = 0; i < TRIES; i++) {
      const page = await this.options.read({ limit: PAGE, ...where });
      if (isUsable(this.options.state(), page)) return page;
    }
    throw new Refusal("lost", "The room changes faster than it can be read.");
  }

  /** @param {"older" | "newer"} way  @param {PageQuery} where  @param {(s: State, page: Page) => State} put */
  async #page(way, where, put) {
    if (this.#busy.has(way)) return;
    this.#busy.add(way);
    const generation = this.#generation;
    const { state, change, setTimeout, onRetryable } = this.options;
    try {
      const page = await this.#read(where);
      this.#busy.delete(way);
      if (generation !== this.#generation) return;
      if (page.epoch !== state().epoch) await this.open();
      else change((s) => put(s, page));
    } catch {
      setTimeout(() => {
        this.#busy.delete(way);
        onRetryable();
      }, PAUSE_MS);
    }
  }
}
