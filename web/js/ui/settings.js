// settings.js: what a person has set for the page, stored in this browser as one item ("settings"). Theme and language
// are items of their own, because they are read before anything else. Values that are missing or not valid any more
// have their defaults. No DOM.
/** @import { Store } from "./storage.js" */

/** @typedef {object} Choices
 * @property {"small" | "medium" | "large"} size  of the text
 * @property {"comfortable" | "compact"} density  of messages and rooms
 * @property {boolean} lastWords  the room list shows who wrote what last, and when
 * @property {boolean} sound  for messages that alert
 * @property {boolean} system  notifications of the operating system, if the person has allowed them in the browser
 * @property {boolean} quiet  no sound and no notifications between quietFrom and quietTo
 * @property {string} quietFrom  "22:00", local time
 * @property {string} quietTo
 * @property {"enter" | "ctrl-enter"} sendBy  "ctrl-enter": Enter makes a new line; Ctrl+Enter and the button send
 * @property {boolean} formats  composers show the formatting buttons
 * @property {boolean} people  the side panel shows who is in the room when the screen is wide enough
 */

/** @type {Choices} */
const DEFAULTS = {
  size: "medium",
  density: "comfortable",
  lastWords: true,
  sound: true,
  system: false,
  quiet: false,
  quietFrom: "22:00",
  quietTo: "07:00",
  sendBy: "enter",
  formats: true,
  people: true,
};

const VALID = /** @type {{ [K in keyof Choices]: (v: unknown) => boolean }} */ ({
  size: (v) => v === "small" || v === "medium" || v === "large",
  density: (v) => v === "comfortable" || v === "compact",
  lastWords: isBoolean,
  sound: isBoolean,
  system: isBoolean,
  quiet: isBoolean,
  formats: isBoolean,
  people: isBoolean,
  quietFrom: isTime,
  quietTo: isTime,
  sendBy: (v) => v === "enter" || v === "ctrl-enter",
});

export class Settings {
  /** @param {Store} store  @param {{ touch: boolean }} [device]  whether fingers write, on a keyboard of the screen */
  constructor(store, { touch } = { touch: false }) {
    this.store = store;
    /** @type {Choices} */
    this.defaults = { ...DEFAULTS, sendBy: touch ? "ctrl-enter" : "enter" };
  }

  /** @returns {Choices} */
  get all() {
    return { ...this.defaults, ...this.#chosen };
  }

  /** What the person has chosen. @returns {Partial<Choices>} */
  get #chosen() {
    const stored = this.store.get("settings");
    if (typeof stored !== "object" || stored === null) return {};
    const valid = ([name = "", v = /** @type {unknown} */ (null)]) =>
      Object.hasOwn(VALID, name) && VALID[/** @type {keyof Choices} */ (name)](v);
    return Object.fromEntries(Object.entries(stored).filter(valid));
  }

  /** @template {keyof Choices} K  @param {K} name  @returns {Choices[K]} */
  get(name) {
    return this.all[name];
  }

  /** @param {Partial<Choices>} choices */
  put(choices) {
    this.store.put("settings", { ...this.#chosen, ...choices });
  }
}

/** @param {unknown} v */
function isBoolean(v) {
  return typeof v === "boolean";
}

/** @param {unknown} v */
function isTime(v) {
  return typeof v === "string" && /^([01]\d|2[0-3]):[0-5]\d$/.test(v);
}
