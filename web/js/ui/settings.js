// settings.js: how a person wants the page, kept in this browser as one item ("settings") beside the theme and the language,
// which are read before anything else is there. What is not set, or no longer known, has its default. No DOM.
/** @import { Store } from "./storage.js" */

/** @typedef {object} Choices
 * @property {"small" | "medium" | "large"} size  of the text
 * @property {boolean} sound  for what calls
 * @property {boolean} system  the system's own notifications, if the browser was allowed to
 * @property {boolean} quiet  whether there are hours without sound and notifications
 * @property {string} quietFrom  "22:00", local time
 * @property {string} quietTo
 * @property {"enter" | "ctrl-enter"} sendBy
 * @property {boolean} people  whether who is here is shown where there is room
 */

/** @type {Choices} */
const DEFAULTS = { size: "medium", sound: true, system: false, quiet: false, quietFrom: "22:00", quietTo: "07:00", sendBy: "enter", people: true };

const VALID = /** @type {{ [K in keyof Choices]: (v: unknown) => boolean }} */ ({
  size: (v) => v === "small" || v === "medium" || v === "large",
  sound: isBoolean, system: isBoolean, quiet: isBoolean, people: isBoolean,
  quietFrom: isTime, quietTo: isTime,
  sendBy: (v) => v === "enter" || v === "ctrl-enter",
});

export class Settings {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
  }

  /** @returns {Choices} */
  get all() {
    const kept = this.store.get("settings");
    const known = typeof kept === "object" && kept !== null ? Object.entries(kept).filter(([name, v]) => Object.hasOwn(VALID, name) && VALID[/** @type {keyof Choices} */ (name)](v)) : [];
    return { ...DEFAULTS, ...Object.fromEntries(known) };
  }

  /** @template {keyof Choices} K  @param {K} name  @returns {Choices[K]} */
  get(name) {
    return this.all[name];
  }

  /** @param {Partial<Choices>} choices */
  put(choices) {
    this.store.put("settings", { ...this.all, ...choices });
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
