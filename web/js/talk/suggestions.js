// suggestions.js: a list of completions above the field. The focus stays in the field: arrow keys choose, Enter takes
// what is chosen, Tab that or the first, Escape closes. (ARIA practices: combobox with list autocomplete.)
/** @import { Suggestion, Word } from "./completion.js" */
import { showAvatar } from "../ui/avatar.js";
import { bdi, fromTemplate, part, setText } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { replaceText } from "../ui/insert.js";
import { clearChoice, wordAt } from "./completion.js";

/** Returns the completions of a word. @typedef {(word: Word) => Suggestion[] | Promise<Suggestion[]>} Source */

export class Suggestions {
  /** @type {Word | null} */
  #word = null;
  /** @type {Suggestion[]} */
  #list = [];
  #chosen = -1; // what Enter takes; -1: nothing, it sends
  #closedAt = ""; // the word for which the person has closed the list
  #asked = 0;

  /** @param {HTMLTextAreaElement} field  @param {HTMLElement} home gets the list  @param {Source} source */
  constructor(field, home, source) {
    this.field = field;
    this.source = source;
    home.prepend(fromTemplate("suggestions"));
    this.box = part(home, "[role=listbox]", HTMLElement);
    this.told = part(home, ".told", HTMLElement);
    this.box.id = `${field.id}-suggestions`;
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", this.box.id);
    field.addEventListener("input", () => this.look());
    field.addEventListener("click", () => this.look());
    field.addEventListener("blur", () => this.close());
    field.addEventListener("keyup", (e) => {
      if (/^(?:Arrow(?:Left|Right)|Home|End)$/.test(e.key)) this.look();
    });
    this.box.addEventListener("mousedown", (e) => e.preventDefault()); // the field keeps the focus
    this.box.addEventListener("click", (e) => {
      const option = e.target instanceof Element ? e.target.closest("[role=option]") : null;
      if (option) this.#take([...this.box.children].indexOf(option));
    });
  }

  get isOpen() {
    return !this.box.hidden;
  }

  /** Shows the completions of the word at the caret. */
  async look() {
    const { selectionStart, selectionEnd, value } = this.field;
    const word =
      selectionStart === selectionEnd && document.activeElement === this.field ? wordAt(value, selectionStart) : null;
    const asked = ++this.#asked;
    const name = word ? `${word.sign}${word.from}` : "";
    if (name !== this.#closedAt || word?.query === "") this.#closedAt = ""; // it is another word, perhaps a new text
    if (!word || this.#closedAt) return this.close();
    const found = this.source(word);
    const list = Array.isArray(found) ? found : await found.catch(() => []);
    // The text may also have been sent meanwhile, which is no input.
    if (asked === this.#asked && this.field.value === value) this.#show(word, list);
  }

  close() {
    this.#asked++;
    this.#word = null;
    this.box.hidden = true;
    this.field.removeAttribute("aria-activedescendant");
    setText(this.told, "");
  }

  /** Handles a key. It reports whether the list has used it. @param {KeyboardEvent} e */
  takes(e) {
    if (!this.isOpen || e.ctrlKey || e.metaKey || e.altKey) return false;
    switch (e.key) {
      case "ArrowDown":
      case "ArrowUp":
        if (e.shiftKey) return false;
        this.#step(e.key === "ArrowDown" ? 1 : -1);
        return true;
      case "Enter":
      case "Tab":
        if (e.shiftKey) return false;
        if (e.key === "Enter" && (this.#chosen < 0 || this.#isWhole())) {
          this.close(); // the key sends the text
          return false;
        }
        this.#take(Math.max(0, this.#chosen));
        return true;
      case "Escape":
        this.#closedAt = this.#word ? `${this.#word.sign}${this.#word.from}` : "";
        this.close();
        return true;
      default:
        return false;
    }
  }

  /** Reports whether the word is complete already. */
  #isWhole() {
    const { from = 0, to = 0 } = this.#word ?? {};
    return this.field.value.slice(from, to) === this.#list[this.#chosen]?.text;
  }

  /** @param {Word} word  @param {Suggestion[]} list */
  #show(word, list) {
    if (list.length === 0) return this.close();
    this.#word = word;
    this.#list = list;
    this.box.replaceChildren(...list.map((s, i) => this.#option(s, i)));
    this.box.hidden = false;
    this.#choose(clearChoice(word, list));
    setText(this.told, t("suggest.n", { n: list.length }));
  }

  /** @param {Suggestion} suggestion  @param {number} i */
  #option({ label, note, person }, i) {
    const option = part(fromTemplate("suggestion"), "[role=option]", HTMLElement);
    option.id = `${this.box.id}-${i}`;
    const avatar = part(option, ".avatar", HTMLElement);
    avatar.hidden = !person;
    if (person) showAvatar(avatar, person);
    part(option, ".name", HTMLElement).replaceChildren(bdi(label));
    setText(part(option, ".note", HTMLElement), note);
    return option;
  }

  /** Chooses the next or previous suggestion, going round. @param {1 | -1} step */
  #step(step) {
    const n = this.#list.length;
    this.#choose(this.#chosen < 0 ? (step > 0 ? 0 : n - 1) : (this.#chosen + step + n) % n);
  }

  /** @param {number} i  -1: none */
  #choose(i) {
    this.#chosen = i;
    for (const [at, option] of [...this.box.children].entries()) option.setAttribute("aria-selected", String(at === i));
    const option = this.box.children[i];
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.field.setAttribute("aria-activedescendant", option.id);
    else this.field.removeAttribute("aria-activedescendant");
  }

  /** @param {number} i */
  #take(i) {
    const word = this.#word;
    const text = this.#list[i]?.text;
    if (!word || text === undefined) return;
    this.close();
    this.#closedAt = `${word.sign}${word.from}`; // it is complete
    replaceText(this.field, word.from, word.to, `${text} `);
  }
}
