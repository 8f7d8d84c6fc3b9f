// waiting.js: has the focus while a part of the page is loaded. So whatever is typed goes to that part and never into
// the field that had the focus before: keys are held (held-keys.js), and what no key says arrives here, as of an input
// method, from dictation or by paste. It says that it waits if that takes long, and what to do if loading has failed.
import { fromTemplate, part, setText } from "./dom.js";
import { t } from "./i18n.js";

export class Waiting {
  /** What had the focus before. */
  before = document.activeElement instanceof HTMLElement ? document.activeElement : null;
  #element = part(fromTemplate("waiting"), ".waiting", HTMLElement);
  #field = part(this.#element, "input", HTMLInputElement);
  #composing = false;

  /** @param {(text: string) => void} onText */
  constructor(onText) {
    const take = () => {
      if (this.#composing || !this.#field.value) return;
      onText(this.#field.value);
      this.#field.value = "";
    };
    this.#field.addEventListener("compositionstart", () => (this.#composing = true));
    this.#field.addEventListener("compositionend", () => {
      this.#composing = false;
      take();
    });
    this.#field.addEventListener("input", take);
    // In what lies above the page, so that this is neither inert nor below it, and closes no popover.
    const above = [...document.querySelectorAll("dialog[open], [popover]:popover-open")].at(-1);
    (above ?? document.body).append(this.#element);
    this.#field.focus({ preventScroll: true });
  }

  /** @param {EventTarget | null} target */
  contains(target) {
    return target instanceof Node && this.#element.contains(target);
  }

  /** Resolves when no input method is in the middle of a word. */
  async composed() {
    while (this.#composing) await new Promise((f) => this.#field.addEventListener("compositionend", f, { once: true }));
  }

  /** Says that loading has failed. It resolves when the person wants to try again.
   * @returns {Promise<"again" | null>} null: they do not */
  failed() {
    const show = (/** @type {boolean} */ failed) => {
      this.#element.classList.toggle("failed", failed);
      setText(part(this.#element, ".state", HTMLElement), t(failed ? "error.silent" : "waiting"));
    };
    show(true);
    return new Promise((resolve) => {
      const again = () => {
        show(false);
        this.#field.focus();
        resolve("again");
      };
      this.#field.addEventListener("keydown", (e) => e.key === "Enter" && again());
      part(this.#element, ".again", HTMLElement).addEventListener("click", again);
      part(this.#element, ".close", HTMLElement).addEventListener("click", () => resolve(null));
    });
  }

  /** Gives the focus back. */
  close() {
    const focused = this.contains(document.activeElement);
    this.#element.remove();
    if (focused) this.before?.focus({ preventScroll: true });
  }
}
