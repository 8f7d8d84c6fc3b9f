// history.js: pages of a room's log, read over HTTP when somebody scrolls there. Each direction asks for one
// page at a time, and waits a little after a failure.
/** @import { Api } from "./api.js" */
/** @import { Page } from "./protocol.js" */
/** @import { State } from "./room-state.js" */
import { PAGE, appended, atNewest, atOldest, opened, prepended } from "./room-state.js";

const PAUSE_MS = 2_000;

/** @typedef {object} Options
 * @property {Api} api
 * @property {string} room
 * @property {() => State} state
 * @property {(change: (s: State) => State) => void} change
 * @property {(epoch: string) => number} lastRead
 * @property {(f: () => void, ms: number) => unknown} setTimeout
 * @property {() => void} onPaused a direction that failed may be tried again
 */

export class History {
  /** @type {Set<"older" | "newer">} */
  #busy = new Set();
  #generation = 0; // counts what took the place of the window, so that a page asked for before is dropped

  /** @param {Options} options */
  constructor(options) {
    this.options = options;
  }

  /** Takes a page as the window: around a seq, or the newest, unless another one is asked for meanwhile.
   * The first of all is around where the person stopped reading, if that is further back.
   * @param {number} [seq] */
  async open(seq) {
    const generation = ++this.#generation;
    const { change, lastRead, state } = this.options;
    let page = await this.#around(seq);
    const read = lastRead(page.epoch);
    const missed = read > 0 && read < (page.messages[0]?.seq ?? 0) - 1;
    if (missed && seq === undefined && !state().epoch) page = await this.#around(read);
    if (generation === this.#generation) change((s) => opened(s, page, read));
  }

  /** @param {number | undefined} seq undefined for the end */
  #around(seq) {
    const { api, room } = this.options;
    return api.messages(room, { before: seq === undefined ? undefined : seq + PAGE / 2, limit: PAGE });
  }

  older() {
    const { events } = this.options.state();
    const first = events[0]?.seq;
    if (first !== undefined && !atOldest(this.options.state())) this.#page("older", { before: first }, prepended);
  }

  newer() {
    const state = this.options.state();
    if (state.epoch && !atNewest(state)) this.#page("newer", { after: state.events.at(-1)?.seq ?? 0 }, appended);
  }

  /** @param {"older" | "newer"} way  @param {{ before?: number, after?: number }} where  @param {(s: State, page: Page) => State} put */
  async #page(way, where, put) {
    if (this.#busy.has(way)) return;
    this.#busy.add(way);
    const generation = this.#generation;
    const { api, room, state, change, setTimeout, onPaused } = this.options;
    try {
      const page = await api.messages(room, { ...where, limit: PAGE });
      this.#busy.delete(way);
      if (generation !== this.#generation) return;
      if (page.epoch !== state().epoch) await this.open();
      else change((s) => put(s, page));
    } catch {
      setTimeout(() => {
        this.#busy.delete(way);
        onPaused();
      }, PAUSE_MS);
    }
  }
}
