// held-keys.js: holds the keys that a person presses while the part of the page that they are meant for is loaded, and
// passes them on to it. Otherwise they would go to what still has the focus, where letters can be commands. No DOM: the
// page, its timers and what presses a key are parameters.

const WAIT_MS = 10_000; // after this time the keyboard is free again, whether or not the part has come

const NAMED = /^(?:Enter|Tab|Backspace|Delete|Home|End|Page(?:Up|Down)|Arrow(?:Up|Down|Left|Right))$/;

/** A key that was held. @typedef {{ key: string, code: string, shiftKey: boolean }} Key */

/** @typedef {object} Options
 * @property {EventTarget} page  has each event before the focused element
 * @property {(key: Key) => void} press  presses a key where the focus is
 * @property {(f: () => void, ms: number) => number} setTimeout
 * @property {(id: number) => void} clearTimeout
 */

export class HeldKeys {
  /** @type {Key[]} */
  #keys = [];
  #listening = new AbortController();
  #timer = 0;
  /** Resolves to null when the person goes elsewhere, by Escape or the mouse, and rejects when the part is late. No
   * key is held after that, nor after pass or drop.
   * @type {Promise<null>} */
  left;

  /** @param {Options} options */
  constructor(options) {
    this.options = options;
    this.left = new Promise((resolve, reject) => {
      this.#listen(() => resolve(null));
      this.#timer = options.setTimeout(() => {
        this.drop();
        reject(new Error("late"));
      }, WAIT_MS);
    });
  }

  /** @param {() => void} onLeft */
  #listen(onLeft) {
    const leave = () => {
      this.drop();
      onLeft();
    };
    const pointed = (/** @type {Event} */ e) => {
      if (/** @type {PointerEvent} */ (e).pointerType !== "touch") leave(); // a finger may only scroll
    };
    const pressed = (/** @type {Event} */ e) => {
      const press = /** @type {KeyboardEvent} */ (e);
      if (!this.take(press) && press.key === "Escape") leave();
    };
    const how = { capture: true, signal: this.#listening.signal };
    this.options.page.addEventListener("pointerdown", pointed, how);
    this.options.page.addEventListener("keydown", pressed, how);
  }

  /** Holds a key. It reports whether it is one that can be held. @param {KeyboardEvent} e */
  take(e) {
    const { key, code, shiftKey } = e;
    if (e.ctrlKey || e.altKey || e.metaKey || !(key.length === 1 || NAMED.test(key))) return false;
    this.#keys.push({ key, code, shiftKey });
    e.preventDefault();
    e.stopImmediatePropagation();
    return true;
  }

  /** Ends the holding and presses the keys: the part has the focus now. */
  pass() {
    const keys = this.#keys;
    this.drop();
    for (const key of keys) this.options.press(key);
  }

  /** Ends the holding and forgets the keys. */
  drop() {
    this.#keys = [];
    this.#listening.abort();
    this.options.clearTimeout(this.#timer);
  }
}
