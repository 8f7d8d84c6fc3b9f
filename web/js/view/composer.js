// composer.js: where a person writes. Enter sends, Shift+Enter begins a new line. It knows how long a message may
// be and says so before the server has to; it forgets nothing by itself.
import { t } from "../i18n.js";
import { isolate, length } from "../text.js";
import { fromTemplate, part, setText, tell } from "./dom.js";

const TYPING_MS = 3_000; // the server passes on no more than that
const COUNT_FROM = 0.8; // of the limit: then the characters are counted aloud

export class MessageComposer extends HTMLElement {
  maxText = Infinity;
  #typedAt = -Infinity;

  connectedCallback() {
    this.append(fromTemplate("composer"));
    this.field.addEventListener("keydown", (e) => this.#pressed(e));
    this.field.addEventListener("input", () => this.#changed(true));
    part(this, "form", HTMLFormElement).addEventListener("submit", (e) => {
      e.preventDefault();
      this.#send();
    });
  }

  get field() {
    return part(this, "textarea", HTMLTextAreaElement);
  }

  get text() {
    return this.field.value;
  }

  set text(text) {
    this.field.value = text;
    this.#changed(false);
  }

  /** Says in the field whose room this is. @param {string} room */
  set room(room) {
    this.field.setAttribute("placeholder", t("composer.placeholder", { room: isolate(room) }));
  }

  /** @override */
  focus() {
    this.field.focus({ preventScroll: true });
  }

  /** Puts a message that comes back before what is there already. @param {string} text */
  giveBack(text) {
    this.text = this.text ? `${text}\n${this.text}` : text;
    this.focus();
  }

  /** @param {KeyboardEvent} e */
  #pressed(e) {
    if (e.isComposing || e.keyCode === 229) return; // the Enter that ends an input method's choice
    if (e.key === "Enter" && !e.shiftKey && !e.altKey && !e.ctrlKey && !e.metaKey) {
      e.preventDefault();
      this.#send();
    } else if (e.key === "ArrowUp" && this.text === "") {
      e.preventDefault();
      tell(this, "log");
    }
  }

  #send() {
    const text = this.text.replace(/^\s*\n|\s+$/gu, "");
    if (!/[^\s\p{Cc}\p{Cf}]/u.test(text) || length(text) > this.maxText) return;
    this.text = "";
    this.#typedAt = -Infinity;
    tell(this, "send", text);
    this.focus();
  }

  /** @param {boolean} typed by the person */
  #changed(typed) {
    this.#grow();
    const n = length(this.text);
    const over = n - this.maxText;
    const count = part(this, ".count", HTMLElement);
    count.classList.toggle("over", over > 0);
    setText(count, over > 0 ? t("composer.over", { n: over }) : n > this.maxText * COUNT_FROM ? t("composer.left", { n: -over }) : "");
    part(this, "button", HTMLButtonElement).disabled = over > 0 || !this.text.trim();
    tell(this, "draft", this.text);
    if (!typed || !this.text.trim() || performance.now() - this.#typedAt < TYPING_MS) return;
    this.#typedAt = performance.now();
    tell(this, "typing");
  }

  /** For browsers whose fields do not grow by themselves (field-sizing). */
  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.field.style.blockSize = "auto";
    this.field.style.blockSize = `${this.field.scrollHeight}px`;
  }
}

customElements.define("message-composer", MessageComposer);
