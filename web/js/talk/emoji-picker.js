// emoji-picker.js: a popover to choose an emoji: search by short-code, the last used ones, skin tones. It is loaded on
// first use.
/** @import { EmojiBook } from "./emoji.js" */
import { fromTemplate, part, setText } from "../ui/dom.js";
import { reason, t } from "../ui/i18n.js";
import { openFloat } from "../ui/overlay.js";
import { TONES, toned } from "./emoji.js";

const COLUMNS = 8;
const RECENT = 16;

/** Lets a person choose an emoji; resolves to "" if they choose none.
 * @param {EmojiBook} book  @param {HTMLElement} anchor the element beside the popover, which gets the focus back
 * @returns {Promise<string>} */
export function pickEmoji(book, anchor) {
  return new Promise((resolve) => new Picker(book, anchor, resolve).open());
}

class Picker {
  #chosen = "";
  #picker = part(fromTemplate("emoji-picker"), ".emoji-picker", HTMLElement);
  /** @type {ReturnType<typeof openFloat> | null} */
  #float = null;
  #field = part(this.#picker, "input[type=search]", HTMLInputElement);
  #grid = part(this.#picker, "[role=grid]", HTMLElement);
  #status = part(this.#picker, ".status", HTMLElement);
  #name = part(this.#picker, ".name", HTMLElement);
  #drawn = Promise.resolve(); // settled when the grid shows what the field asks for

  /** @param {EmojiBook} book  @param {HTMLElement} anchor  @param {(emoji: string) => void} resolve */
  constructor(book, anchor, resolve) {
    this.book = book;
    this.anchor = anchor;
    this.resolve = resolve;
    this.#field.addEventListener("input", () => this.#show());
    this.#picker.addEventListener("keydown", (e) => this.#pressed(e));
    this.#grid.addEventListener("click", (e) => {
      const button = e.target instanceof Element ? e.target.closest("button") : null;
      if (button?.dataset["emoji"]) this.#choose(button.dataset["emoji"]);
    });
    for (const type of ["focusin", "pointerover"]) this.#grid.addEventListener(type, (e) => this.#tellName(e.target));
    this.#showTones();
  }

  async open() {
    const at = (this.anchor.querySelector(":scope > .body") ?? this.anchor).getBoundingClientRect();
    this.#float = openFloat(this.#picker, { anchor: this.anchor, at, closed: () => this.#closed() });
    if (!matchMedia("(hover: none)").matches) // on a phone this would open the keyboard
      this.#field.focus({ preventScroll: true }); // before the emoji are there, so that it gets the next key
    await this.#show();
    this.#float.place();
  }

  #show() {
    return (this.#drawn = this.#draw());
  }

  async #draw() {
    const query = this.#field.value.trim();
    try {
      if (query) {
        const found = await this.book.search(query);
        if (query !== this.#field.value.trim()) return; // the query has changed since
        this.#fill([{ title: "", all: found.map(({ emoji, code }) => [emoji, code]) }]);
        setText(this.#status, t("emoji.found", { n: found.length }));
        return;
      }
      const { tone } = this.book;
      const book = await this.book.all();
      if (this.#field.value.trim()) return; // the query has changed since
      const all = book.map(([emoji = "", code = ""]) => [toned(emoji, tone), code]);
      const names = new Map(all.map(([emoji = "", code = ""]) => [emoji, code]));
      const recent = this.book.recent(RECENT).map((emoji) => [emoji, names.get(emoji) ?? ""]);
      this.#fill([
        { title: t("emoji.recent"), all: recent },
        { title: t("emoji.all"), all },
      ]);
      setText(this.#status, "");
    } catch (err) {
      this.#fill([]);
      setText(this.#status, reason(err));
    }
  }

  /** @param {{ title: string, all: string[][] }[]} sections */
  #fill(sections) {
    const parts = [];
    for (const { title, all } of sections) {
      if (title) {
        const heading = document.createElement("div");
        heading.className = "section";
        heading.setAttribute("role", "presentation");
        heading.textContent = title;
        parts.push(heading);
      }
      for (let i = 0; i < all.length; i += COLUMNS) parts.push(line(all.slice(i, i + COLUMNS)));
    }
    this.#grid.replaceChildren(...parts);
    const first = this.#grid.querySelector("button");
    if (first) first.tabIndex = 0;
    this.#grid.scrollTop = 0;
  }

  #showTones() {
    const group = part(this.#picker, ".tones", HTMLElement);
    for (const [i, tone] of TONES.entries()) {
      const label = document.createElement("label");
      const radio = document.createElement("input");
      Object.assign(radio, { type: "radio", name: "tone", value: tone, checked: tone === this.book.tone });
      radio.setAttribute("aria-label", t("emoji.tone", { n: i }));
      radio.addEventListener("change", () => {
        this.book.tone = tone;
        this.#show();
      });
      const face = document.createElement("span");
      face.textContent = toned("✋", tone);
      label.append(radio, face);
      group.append(label);
    }
  }

  /** @param {KeyboardEvent} e */
  #pressed(e) {
    if (e.key === "Escape") return e.stopPropagation(); // closes the popover alone
    const inField = e.target === this.#field;
    if (inField && e.key === "Enter") {
      e.preventDefault();
      this.#drawn.then(() => {
        const first = this.#grid.querySelector("button");
        if (first?.dataset["emoji"]) this.#choose(first.dataset["emoji"]);
      });
    } else if (inField && e.key === "ArrowDown") {
      e.preventDefault();
      this.#grid.querySelector("button")?.focus();
    } else if (e.target instanceof HTMLButtonElement) this.#walk(e, e.target);
  }

  /** Walks the grid. @param {KeyboardEvent} e  @param {HTMLButtonElement} from */
  #walk(e, from) {
    const lines = [...this.#grid.querySelectorAll("[role=row]")].map((row) => [...row.querySelectorAll("button")]);
    const y = lines.findIndex((l) => l.includes(from));
    const x = lines[y]?.indexOf(from) ?? 0;
    const turned = document.documentElement.dir === "rtl" ? -1 : 1;
    const flat = lines.flat();
    const at = flat.indexOf(from);
    const column = (/** @type {HTMLButtonElement[] | undefined} */ l) => l?.[Math.min(x, l.length - 1)];
    /** @type {Record<string, () => HTMLElement | undefined>} */
    const steps = {
      ArrowRight: () => flat[at + turned],
      ArrowLeft: () => flat[at - turned],
      ArrowDown: () => column(lines[y + 1]),
      ArrowUp: () => column(lines[y - 1]) ?? this.#field,
      Home: () => lines[y]?.[0],
      End: () => lines[y]?.at(-1),
      PageDown: () => column(lines[Math.min(y + 5, lines.length - 1)]),
      PageUp: () => column(lines[Math.max(y - 5, 0)]),
    };
    const to = steps[e.key]?.();
    if (to === undefined) return;
    e.preventDefault();
    if (to instanceof HTMLButtonElement) {
      from.tabIndex = -1;
      to.tabIndex = 0;
    }
    to.focus();
  }

  /** @param {EventTarget | null} target */
  #tellName(target) {
    const button = target instanceof Element ? target.closest("button") : null;
    setText(this.#name, button ? (button.getAttribute("aria-label") ?? "") : "");
  }

  /** @param {string} emoji */
  #choose(emoji) {
    this.#chosen = emoji;
    this.book.used(emoji);
    this.#float?.close();
  }

  #closed() {
    if (this.anchor.isConnected && (!document.activeElement || document.activeElement === document.body))
      this.anchor.focus({ preventScroll: true });
    this.resolve(this.#chosen);
  }
}

/** @param {string[][]} emoji with a short-code each */
function line(emoji) {
  const row = document.createElement("div");
  row.setAttribute("role", "row");
  for (const [face = "", code = ""] of emoji) {
    const cell = document.createElement("div");
    cell.setAttribute("role", "gridcell");
    const button = document.createElement("button");
    button.type = "button";
    button.tabIndex = -1;
    button.dataset["emoji"] = face;
    button.setAttribute("aria-label", code ? `${face} ${code.replaceAll("_", " ")}` : face);
    button.textContent = face;
    cell.append(button);
    row.append(cell);
  }
  return row;
}
