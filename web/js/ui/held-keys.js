// held-keys.js: holds the keys that a person presses while the part of the page that they are meant for is loaded, and
// passes them on to it. Otherwise they would go to what still has the focus, where letters can be commands. No DOM: the
// page, its timers and what presses a key are parameters.

const NAMED = /^(?:Enter|Tab|Backspace|Delete|Home|End|Page(?:Up|Down)|Arrow(?:Up|Down|Left|Right))$/;

/** A key that was held. @typedef {{ key: string, code: string, shiftKey: boolean }} Key */

/** What was held: keys, and texts that came without them. @typedef {Key | string} Held */

/** @typedef {object} Options
 * @property {EventTarget} page  has each event before the focused element
 * @property {(held: Held) => void} press  presses a key or writes a text where the focus is
 * @property {(target: EventTarget | null) => boolean} [isInside]  whether an event is at what is shown meanwhile
 * @property {number} [waitMs]  after this time the keyboard is free again, whether or not the part has come
 * @property {(f: () => void, ms: number) => number} setTimeout
 * @property {(id: number) => void} clearTimeout
 */

export class HeldKeys {
  /** @type {Held[]} */
  #held = [];
  #listening = new AbortController();
  #timer = 0;
  /** Whether the keys go where the focus is, while the person is asked something. */
  paused = false;
  /** Resolves to null when the person goes elsewhere, by Escape or the mouse, and rejects when the part is late. No
   * key is held after that, nor after pass or drop.
   * @type {Promise<null>} */
  left;

  /** @param {Options} options */
  constructor(options) {
    this.options = options;
    this.left = new Promise((resolve, reject) => {
      this.#listen(() => resolve(null));
      if (options.waitMs === undefined) return;
      this.#timer = options.setTimeout(() => {
        this.drop();
        reject(new Error("late"));
      }, options.waitMs);
    });
  }

  /** @param {() => void} onLeft */
  #listen(onLeft) {
    const leave = () => {
      this.drop();
      onLeft();
    };
    const pointed = (/** @type {Event} */ e) => {
      if (this.options.isInside?.(e.target)) return;
      if (/** @type {PointerEvent} */ (e).pointerType !== "touch") leave(); // a finger may only scroll
    };
    const pressed = (/** @type {Event} */ e) => {
      const press = /** @type {KeyboardEvent} */ (e);
      if (press.key === "Escape") leave();
      else if (!this.paused) this.take(press);
    };
    const how = { capture: true, signal: this.#listening.signal };
    this.options.page.addEventListener("pointerdown", pointed, how);
    this.options.page.addEventListener("keydown", pressed, how);
  }

  /** Holds a key. It reports whether it is one that can be held. @param {KeyboardEvent} e */
  take(e) {
    const { key, code, shiftKey } = e;
    if (e.ctrlKey || e.altKey || e.metaKey || !(key.length === 1 || NAMED.test(key))) return false;
    this.#held.push({ key, code, shiftKey });
    e.preventDefault();
    e.stopImmediatePropagation();
    return true;
  }

  /** Holds a text that came without keys. @param {string} text */
  add(text) {
    if (!this.#listening.signal.aborted) this.#held.push(text);
  }

  /** Ends the holding and presses the keys: the part has the focus now. */
  pass() {
    const all = this.#held;
    this.drop();
    for (const held of all) this.options.press(held);
  }

  /** Ends the holding and forgets the keys. */
  drop() {
    this.#held = [];
    this.#listening.abort();
    this.options.clearTimeout(this.#timer);
  }
}
