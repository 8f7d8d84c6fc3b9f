// layers.js: what lies above the page (drawer, side panel on a small screen, dialog, menu), so that Back closes it
// before it leaves the page. Each open layer has one entry of the browser's history, with the page's own address and
// `{ layer: n }` as its state. A layer that closes otherwise takes its entry away again. No DOM: the history is a
// parameter.

/** Something that lies above the page. `close` may take time; `isOpen` reports whether it is still there.
 * @typedef {{ close: () => void, isOpen: () => boolean }} Layer */

/** @typedef {object} Options
 * @property {Pick<History, "state" | "length" | "go" | "pushState" | "replaceState">} history
 * @property {() => string} address  the present one: path and hash
 * @property {(f: () => void) => unknown} later  calls f in a task of its own
 */

export class Layers {
  /** @type {Layer[]} the topmost last */
  #layers = [];
  #entries = 0; // how many of our entries lie below and at the present one
  #address = "";
  #travelling = false; // we have called history.go, and its popstate has not come yet
  /** @type {(() => void)[]} what waits for that popstate */
  #waiting = [];

  /** @param {Options} options */
  constructor(options) {
    this.options = options;
  }

  /** The page has been loaded, perhaps again at an entry of a layer: leaves that entry. */
  begin() {
    const { history, address } = this.options;
    this.#entries = depth(history.state);
    this.#address = address();
    if (this.#entries < history.length) this.#settle();
  }

  /** A layer has been opened. @param {Layer} layer */
  open(layer) {
    this.#layers = this.#layers.filter((l) => l !== layer && l.isOpen());
    this.#layers.push(layer);
    if (!this.#travelling) this.#push();
  }

  /** A layer may have been closed. */
  closed() {
    this.options.later(() => this.#settle());
  }

  /** Goes to another address of the page. What was open until now closes; its entry becomes the new address's.
   * @param {string} address */
  async visit(address) {
    const { history } = this.options;
    while (this.#travelling) await this.#arrival();
    if (this.#entries > 1) {
      this.#travel(1);
      await this.#arrival();
    }
    if (this.#entries > 0) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
    this.#entries = 0;
    this.#address = this.options.address();
    this.closed();
  }

  /** Changes the address of what is shown. @param {string} address */
  rename(address) {
    this.options.history.replaceState(this.options.history.state, "", address);
    this.#address = this.options.address();
  }

  /** The browser has gone to another entry, whose state is given. It reports whether that is another address, which the
   * caller has to show. @param {unknown} state */
  travelled(state) {
    const { history, address } = this.options;
    const before = this.#entries;
    this.#entries = depth(state);
    const elsewhere = address() !== this.#address;
    if (this.#travelling) {
      this.#travelling = false;
      // The address may have been changed while a layer was open.
      if (elsewhere) history.replaceState(state, "", this.#address);
      for (const go of this.#waiting.splice(0)) go();
      this.closed();
      return false;
    }
    this.#address = address();
    this.#layers = this.#layers.filter((l) => l.isOpen());
    if (this.#entries < before) for (const layer of this.#layers.splice(this.#entries).reverse()) layer.close();
    this.#settle(); // leaves the entry of a layer that is closed, to which somebody went forward
    return elsewhere;
  }

  /** Makes the entries as many as the open layers. */
  #settle() {
    if (this.#travelling) return;
    this.#layers = this.#layers.filter((l) => l.isOpen());
    if (this.#entries > this.#layers.length) this.#travel(this.#layers.length);
    else this.#push();
  }

  #push() {
    while (this.#entries < this.#layers.length) this.options.history.pushState({ layer: ++this.#entries }, "");
  }

  /** @param {number} entries how many of our entries shall be left */
  #travel(entries) {
    this.#travelling = true;
    this.options.history.go(entries - this.#entries);
  }

  /** Waits until the browser is where we have sent it. @returns {Promise<void>} */
  #arrival() {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** @param {unknown} state of an entry */
function depth(state) {
  const n = typeof state === "object" && state !== null && "layer" in state ? Number(state.layer) : 0;
  return Number.isSafeInteger(n) && n > 0 ? n : 0;
}
