// composer.js: where a person writes. Enter sends, Shift+Enter begins a new line. It shows when a message is too long.
// It can answer a message or edit one.
/** @import { Settings } from "../ui/settings.js" */
/** @import { Person } from "../wire/json.js" */
import { bdi, emit, fill, fromTemplate, part, setText } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { excerpt, isolate, length } from "../ui/text.js";
import { clientCommand } from "./slash-commands.js";

const TYPING_MS = 3_000; // the server passes typing on at most this often
const COUNT_FROM = 0.8; // part of the limit from which on the remaining characters are shown

/** The message that is answered or edited.
 * @typedef {{ to: "answer" | "edit", seq: number, from: Person, text: string }} About */
/** A message to send. @typedef {{ text: string, replyTo?: number, quote?: { from: Person, text: string } }} Outgoing */

export class MessageComposer extends HTMLElement {
  maxText = Infinity;
  /** @type {About | null} */
  #about = null;
  #suspendedDraft = ""; // the draft that comes back after a message was edited
  #typedAt = -Infinity;
  /** Gets each key first; it returns true if it has used it. @type {{ takes: (e: KeyboardEvent) => boolean } | null} */
  assistant = null;

  connectedCallback() {
    if (this.childElementCount > 0) return; // inserted again
    this.append(fromTemplate("composer"));
    this.#nameParts(this.dataset["name"] ?? "composer");
    this.field.addEventListener("keydown", (e) => this.#pressed(e));
    this.field.addEventListener("input", () => this.#changed(true));
    const form = part(this, "form", HTMLFormElement);
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      this.#send();
    });
    part(this, ".about .cancel", HTMLButtonElement).addEventListener("click", () => this.#cancel());
    part(this, ".pick-emoji", HTMLButtonElement).addEventListener("click", () =>
      emit(this, "pick-for-text", part(this, ".pick-emoji", HTMLElement)),
    );
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

  /** Names the room in the field's placeholder. @param {string} room */
  set room(room) {
    this.field.setAttribute("placeholder", t("composer.placeholder", { room: isolate(room) }));
  }

  /** The seq of the message that is being edited; 0: none. */
  get editing() {
    return this.#about?.to === "edit" ? this.#about.seq : 0;
  }

  /** @override */
  focus() {
    this.field.focus({ preventScroll: true });
  }

  /** Inserts a text before the present one. @param {string} text */
  prependText(text) {
    if (this.editing) this.#cancel();
    this.text = this.text ? `${text}\n${this.text}` : text;
    this.focus();
  }

  /** Begins to answer or edit a message. @param {About} about */
  write(about) {
    if (this.editing) this.text = this.#suspendedDraft;
    if (about.to === "edit") this.#suspendedDraft = this.text;
    this.#show(about);
    if (about.to === "edit") this.text = about.text;
    this.focus();
    this.field.setSelectionRange(this.text.length, this.text.length);
  }

  /** Ends answering or editing a message. @param {number} seq */
  done(seq) {
    if (this.#about?.seq === seq) this.#cancel();
  }

  /** Inserts text at the caret, such as an emoji. @param {string} text */
  insert(text) {
    const { selectionStart, selectionEnd } = this.field;
    this.field.setRangeText(text, selectionStart, selectionEnd, "end");
    this.#changed(true);
    this.focus();
  }

  /** The field was changed on behalf of the person, by a suggestion. */
  typed() {
    this.#changed(true);
  }

  /** Sets the ids of the parts, since a page has more than one composer. @param {string} name */
  #nameParts(name) {
    this.field.id = `${name}-field`;
    part(this, "label", HTMLLabelElement).htmlFor = this.field.id;
    part(this, ".count", HTMLElement).id = `${name}-count`;
    part(this, ".about", HTMLElement).id = `${name}-about`;
    this.field.setAttribute("aria-describedby", `${name}-about ${name}-count`);
    if (name === "composer") return;
    setText(part(this, "label", HTMLElement), t("thread.composer"));
    this.field.placeholder = t("thread.composer");
  }

  /** @param {KeyboardEvent} e */
  #pressed(e) {
    if (e.isComposing || e.keyCode === 229) return; // this Enter confirms a choice of an input method
    const bare = !e.shiftKey && !e.altKey && !e.ctrlKey && !e.metaKey;
    if (this.assistant?.takes(e)) e.preventDefault();
    else if (e.key === "Enter" && bare) {
      e.preventDefault();
      this.#send();
    } else if (e.key === "Escape" && this.#about) {
      e.preventDefault();
      this.#cancel();
    } else if (e.key === "ArrowUp" && this.text === "" && !this.editing && (bare || e.shiftKey)) {
      e.preventDefault();
      emit(this, e.shiftKey ? "log" : "edit-last");
    }
  }

  #send() {
    const text = this.text.replace(/^\s*\n|\s+$/gu, "");
    if (!/[^\s\p{Cc}\p{Cf}]/u.test(text) || length(text) > this.maxText) return;
    const about = this.#about;
    if (about?.to === "edit") {
      if (text === about.text) this.#cancel();
      else emit(this, "edited", { seq: about.seq, text }); // the text stays until the server has stored it
      return;
    }
    const command = clientCommand(text);
    this.#show(null);
    this.text = "";
    this.#typedAt = -Infinity;
    if (command) emit(this, "command", command);
    else
      emit(
        this,
        "send",
        /** @type {Outgoing} */ ({
          text,
          ...(about && { replyTo: about.seq, quote: { from: about.from, text: about.text } }),
        }),
      );
    if (!command) this.focus();
  }

  #cancel() {
    const wasEdit = this.editing > 0;
    this.#show(null);
    if (wasEdit) this.text = this.#suspendedDraft;
    this.focus();
  }

  /** @param {About | null} about */
  #show(about) {
    this.#about = about;
    const bar = part(this, ".about", HTMLElement);
    bar.hidden = about === null;
    this.classList.toggle("editing", about?.to === "edit");
    const words = part(bar, ".words", HTMLElement);
    if (about?.to === "answer") fill(words, "composer.answering", { name: bdi(about.from.name) });
    else setText(words, about ? t("composer.editing") : "");
    setText(part(bar, ".excerpt", HTMLElement), about?.to === "answer" ? excerpt(about.text) : "");
    part(this, ".send", HTMLElement).setAttribute(
      "aria-label",
      t(about?.to === "edit" ? "composer.save" : "composer.send"),
    );
  }

  /** @param {boolean} typed by the person */
  #changed(typed) {
    this.#grow();
    const n = length(this.text);
    const over = n - this.maxText;
    const count = part(this, ".count", HTMLElement);
    count.classList.toggle("over", over > 0);
    setText(
      count,
      over > 0
        ? t("composer.over", { n: over })
        : n > this.maxText * COUNT_FROM
          ? t("composer.left", { n: -over })
          : "",
    );
    part(this, ".send", HTMLButtonElement).disabled = over > 0 || !this.text.trim();
    if (!this.editing) emit(this, "draft", this.text);
    if (!typed || this.editing || !this.text.trim() || performance.now() - this.#typedAt < TYPING_MS) return;
    this.#typedAt = performance.now();
    emit(this, "typing");
  }

  /** Adapts the height in browsers without field-sizing. */
  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.field.style.blockSize = "auto";
    this.field.style.blockSize = `${this.field.scrollHeight}px`;
  }
}

/** Handles Enter for people who send with Ctrl+Enter: Enter begins a new line, unless it takes a suggestion.
 * @param {HTMLElement} on  @param {Settings} settings */
export function sendByCtrlEnter(on, settings) {
  on.addEventListener(
    "keydown",
    (e) => {
      const field = e.target instanceof HTMLTextAreaElement ? e.target : null;
      if (
        !field ||
        e.key !== "Enter" ||
        e.isComposing ||
        e.shiftKey ||
        e.altKey ||
        settings.get("sendBy") !== "ctrl-enter"
      )
        return;
      if (field.hasAttribute("aria-activedescendant")) return; // a suggestion is selected
      e.stopPropagation();
      if (!e.ctrlKey && !e.metaKey) return;
      e.preventDefault();
      field.form?.requestSubmit();
    },
    { capture: true },
  );
}

customElements.define("message-composer", MessageComposer);
