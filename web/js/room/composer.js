// composer.js: where a person writes. Enter sends, Shift+Enter begins a new line. It shows when a message is too long,
// and keeps what cannot be sent, with a hint. It can answer a message or edit one.
/** @import { Settings } from "../ui/settings.js" */
/** @import { Person } from "../wire/json.js" */
/** @import { About, Draft } from "./browser-memory.js" */
import { bdi, emit, fill, fromTemplate, part, setText } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { replaceText } from "../ui/insert.js";
import { isolate, length } from "../ui/text.js";
import { asText, clientCommand, editedText, unknownCommand } from "./slash-commands.js";

const TYPING_MS = 3_000; // the server passes typing on at most this often
const COUNT_FROM = 0.8; // part of the limit from which on the remaining characters are shown

/** A message to send. @typedef {{ text: string, replyTo?: number, quote?: { from: Person, text: string } }} Outgoing */

export class MessageComposer extends HTMLElement {
  maxText = Infinity;
  /** @type {About | null} */
  #about = null;
  /** @type {Draft | null} the draft that comes back after a message was edited */
  #aside = null;
  /** @type {Map<number, string>} texts of edits that gave way to something else, by seq */
  #halfDone = new Map();
  #typedAt = -Infinity;
  /** Gets each key first; it returns true if it has used it. @type {{ takes: (e: KeyboardEvent) => boolean } | null} */
  assistant = null;

  connectedCallback() {
    if (this.childElementCount > 0) return; // inserted again
    this.append(fromTemplate("composer"));
    this.#nameParts(this.dataset["name"] ?? "composer");
    this.field.addEventListener("keydown", (e) => this.#pressed(e));
    this.field.addEventListener("input", () => {
      this.#hint("");
      this.#changed(true);
    });
    const form = part(this, "form", HTMLFormElement);
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      this.#send();
    });
    part(this, ".about .cancel", HTMLButtonElement).addEventListener("click", () => this.#cancel());
    part(this, ".hint .as-text", HTMLButtonElement).addEventListener("click", () => this.#send(true));
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

  /** What is being written; null: nothing. @returns {Draft | null} */
  get draft() {
    const { text } = this;
    const about = this.#about;
    if (!text && !about) return null;
    return { text, ...(about && { about }), ...(this.#aside && { aside: this.#aside }) };
  }

  /** @param {Draft | null} draft */
  set draft(draft) {
    this.#aside = draft?.aside ?? null;
    this.#show(draft?.about ?? null);
    const text = draft?.text ?? "";
    if (this.text !== text) this.field.value = text;
    this.#hint("");
    this.#changed(false);
  }

  /** Names the room in the field's placeholder. @param {string} room */
  set room(room) {
    this.field.setAttribute("placeholder", t("composer.placeholder", { room: isolate(room) }));
  }

  /** Whether the formatting buttons are shown. @param {boolean} on */
  set formats(on) {
    part(this, ".formats", HTMLElement).hidden = !on;
    part(this, ".formats-button", HTMLElement).setAttribute("aria-pressed", String(on));
  }

  /** Which key sends. @param {"enter" | "ctrl-enter"} key */
  set sendBy(key) {
    this.field.enterKeyHint = key === "enter" ? "send" : "enter";
    setText(part(this, ".keys", HTMLElement), t(key === "enter" ? "composer.by-enter" : "composer.by-ctrl-enter"));
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
    if (this.editing) this.#leaveEdit();
    replaceText(this.field, 0, 0, this.text ? `${text}\n` : text);
    if (this.text.length > text.length) this.field.setSelectionRange(text.length, text.length);
  }

  /** Begins to answer or edit a message. @param {About} about */
  write(about) {
    const again = about.to === "edit" && this.editing === about.seq;
    if (!again) {
      if (this.editing) this.#leaveEdit();
      const text = about.to === "edit" ? (this.#halfDone.get(about.seq) ?? about.text) : this.text;
      this.draft = { text, about, ...(about.to === "edit" && this.draft && { aside: this.draft }) };
    }
    this.focus();
    this.field.setSelectionRange(this.text.length, this.text.length);
  }

  /** Ends editing a message: the edit is stored. @param {number} seq */
  done(seq) {
    this.#halfDone.delete(seq);
    if (this.editing === seq) this.draft = this.#aside;
  }

  /** Ends answering or editing a message, without a trace. @param {number} seq */
  drop(seq) {
    this.done(seq);
    if (this.#about?.seq === seq) this.draft = { text: this.text };
  }

  /** Inserts text at the caret, such as an emoji. @param {string} text */
  insert(text) {
    const { selectionStart, selectionEnd } = this.field;
    replaceText(this.field, selectionStart, selectionEnd, text);
  }

  /** Sets the ids of the parts, since a page has more than one composer. @param {string} name */
  #nameParts(name) {
    this.field.id = `${name}-field`;
    part(this, "label", HTMLLabelElement).htmlFor = this.field.id;
    part(this, ".count", HTMLElement).id = `${name}-count`;
    part(this, ".about", HTMLElement).id = `${name}-about`;
    part(this, ".hint .words", HTMLElement).id = `${name}-hint`;
    part(this, ".formats", HTMLElement).setAttribute("aria-controls", this.field.id);
    this.field.setAttribute("aria-describedby", `${name}-about ${name}-hint ${name}-count`);
    if (name === "composer") return;
    setText(part(this, "label", HTMLElement), t("thread.composer"));
    this.field.placeholder = t("thread.composer");
  }

  /** @param {KeyboardEvent} e */
  #pressed(e) {
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

  /** Sends what is written, or says what is to be changed first.
   * @param {boolean} [plain] the text is no command, whatever it begins with */
  #send(plain = false) {
    const trimmed = this.text.replace(/^\s*\n|\s+$/gu, "");
    const text = plain ? asText(trimmed) : trimmed;
    const about = this.#about;
    const empty = !/[^\s\p{Cc}\p{Cf}]/u.test(text);
    if (length(text) > this.maxText) return;
    if (about?.to === "edit") return this.#sendEdit(about, empty ? "" : text);
    if (empty) return;
    const unknown = unknownCommand(text);
    if (unknown) return this.#hint(t("composer.no-command", { command: isolate(`/${unknown}`) }));
    const command = clientCommand(text);
    this.draft = null;
    this.#typedAt = -Infinity;
    if (command) return emit(this, "command", command);
    const answer = about && { replyTo: about.seq, quote: { from: about.from, text: about.text } };
    emit(this, "send", /** @type {Outgoing} */ ({ text, ...answer }));
    this.focus();
  }

  /** @param {About} about  @param {string} text  "": nothing is left */
  #sendEdit(about, text) {
    if (!text) return emit(this, "remove", about.seq); // it asks first
    if (text === about.text) return this.#cancel();
    const become = editedText(text, about.action === true);
    if (become !== null) emit(this, "edited", { seq: about.seq, text: become }); // the text stays until it is stored
    else this.#hint(t(about.action ? "composer.stays-action" : "composer.no-command-in-edit"), !about.action);
  }

  /** Says why the text was not sent; "": says nothing.
   * @param {string} words  @param {boolean} [textual] whether it can be sent as text */
  #hint(words, textual = true) {
    const hint = part(this, ".hint", HTMLElement);
    hint.hidden = !words;
    setText(part(hint, ".words", HTMLElement), words);
    part(hint, ".as-text", HTMLElement).hidden = !textual;
  }

  #cancel() {
    const about = this.#about;
    if (about) this.drop(about.seq);
    this.focus();
  }

  /** Puts an edit aside, so that something else can be written. It goes on when the message is edited again. */
  #leaveEdit() {
    this.#halfDone.set(this.editing, this.text);
    this.draft = this.#aside;
  }

  /** @param {About | null} about */
  #show(about) {
    if (this.#about?.seq !== about?.seq || this.#about?.to !== about?.to) emit(this, "about");
    this.#about = about;
    const bar = part(this, ".about", HTMLElement);
    bar.hidden = about === null;
    this.classList.toggle("editing", about?.to === "edit");
    const words = part(bar, ".words", HTMLElement);
    if (about?.to === "answer") fill(words, "composer.answering", { name: bdi(about.from.name) });
    else setText(words, about ? t("composer.editing") : "");
    setText(part(bar, ".excerpt", HTMLElement), about?.to === "answer" ? about.text : "");
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
    part(this, ".keys", HTMLElement).hidden = !this.text;
    part(this, ".send", HTMLButtonElement).disabled = over > 0 || (!this.text.trim() && !this.editing);
    emit(this, "draft", this.draft);
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

/** Shows composers as the person has set them, and handles Enter for people who send with Ctrl+Enter or the button:
 * Enter begins a new line, unless it takes a suggestion.
 * @param {HTMLElement} on has a composer  @param {Settings} settings */
export function applySettings(on, settings) {
  const composer = part(on, "message-composer", MessageComposer);
  composer.formats = settings.get("formats");
  composer.sendBy = settings.get("sendBy");
  composer.field.addEventListener("focus", () => (composer.sendBy = settings.get("sendBy")));
  on.addEventListener(
    "keydown",
    (e) => {
      const field = e.target instanceof HTMLTextAreaElement ? e.target : null;
      if (!field || e.key !== "Enter" || e.shiftKey || e.altKey || settings.get("sendBy") === "enter") return;
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
