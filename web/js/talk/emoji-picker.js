// emoji-picker.js: a float to choose an emoji: search by short-code, the last used ones, all by groups, skin tones. It
// is loaded on first use.
/** @import { EmojiBook } from "./emoji.js" */
import { fromTemplate, part, setText } from "../ui/dom.js";
import { drawing } from "../ui/drawing.js";
import { reason, t } from "../ui/i18n.js";
import { openFloat } from "../ui/overlay.js";
import { grouped } from "./emoji-groups.js";
import { TONES, toned } from "./emoji.js";

const RECENT = 18;
const WIDTH = 22; // rem, as in overlays.css
const CLOCK = "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM12 7.5V12l3 2";

/** Emoji under a title; with an icon they are a group. @typedef {object} Section
 * @property {string} title
 * @property {string} [icon]
 * @property {string[][]} all each with a short-code
 */

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
  #groups = part(this.#picker, ".groups", HTMLElement);
  #columns = matchMedia("(pointer: coarse)").matches ? 8 : 9;
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
    this.#groups.addEventListener("click", (e) => this.#toGroup(e));
    this.#groups.addEventListener("keydown", (e) => this.#walkGroups(e));
    this.#grid.addEventListener("scroll", () => this.#showGroup(), { passive: true });
    this.#picker.style.setProperty("--columns", String(this.#columns));
    for (const type of ["focusin", "pointerover"]) this.#grid.addEventListener(type, (e) => this.#tellName(e.target));
    this.#showTones();
  }

  async open() {
    const at = placeOf(this.anchor);
    if (this.anchor instanceof HTMLButtonElement) this.anchor.setAttribute("aria-expanded", "true");
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
        { title: t("emoji.recent"), icon: CLOCK, all: recent },
        ...grouped(all).map(({ says, icon, all }) => ({ title: t(says), icon, all })),
      ]);
      setText(this.#status, "");
    } catch (err) {
      this.#fill([]);
      setText(this.#status, reason(err));
    }
  }

  /** @param {Section[]} sections */
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
      for (let i = 0; i < all.length; i += this.#columns) parts.push(line(all.slice(i, i + this.#columns)));
    }
    this.#grid.replaceChildren(...parts);
    const first = this.#grid.querySelector("button");
    if (first) first.tabIndex = 0;
    this.#grid.scrollTop = 0;
    this.#groups.hidden = !sections.some(({ icon }) => icon);
    this.#groups.replaceChildren(...sections.flatMap(({ icon, title }) => (icon ? [groupButton(title, icon)] : [])));
    this.#showGroup();
  }

  get #headings() {
    return /** @type {HTMLElement[]} */ ([...this.#grid.querySelectorAll(".section")]);
  }

  get #groupButtons() {
    return [...this.#groups.querySelectorAll("button")];
  }

  /** Scrolls to the group of a button. @param {MouseEvent} e */
  #toGroup(e) {
    const at = this.#groupButtons.findIndex((b) => e.target instanceof Node && b.contains(e.target));
    const heading = this.#headings[at];
    if (!heading) return;
    // Rows that were never in view have a height by guess, so the first jump may land beside the heading.
    for (let i = 0; i < 3; i++) this.#grid.scrollTop = heading.offsetTop;
    this.#showGroup(at);
  }

  /** Marks the group whose emoji are in view. @param {number} [at] the one that was gone to */
  #showGroup(at) {
    const end = this.#grid.scrollTop + this.#grid.clientHeight >= this.#grid.scrollHeight - 1;
    const shown = at ?? (end ? NaN : this.#headings.findLastIndex((h) => h.offsetTop <= this.#grid.scrollTop + 1));
    if (Number.isNaN(shown)) return; // the last groups may be too short to reach the top
    for (const [i, button] of this.#groupButtons.entries()) {
      button.setAttribute("aria-pressed", String(i === shown));
      button.tabIndex = i === Math.max(0, shown) ? 0 : -1;
    }
  }

  /** @param {KeyboardEvent} e */
  #walkGroups(e) {
    const buttons = this.#groupButtons;
    const at = buttons.findIndex((b) => b === document.activeElement);
    const turned = document.documentElement.dir === "rtl" ? -1 : 1;
    const to = { ArrowRight: at + turned, ArrowLeft: at - turned, Home: 0, End: buttons.length - 1 }[e.key];
    if (to === undefined || at < 0) return;
    e.preventDefault();
    e.stopPropagation();
    buttons[(to + buttons.length) % buttons.length]?.focus();
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
    } else if (e.target instanceof HTMLButtonElement && this.#grid.contains(e.target)) this.#walk(e, e.target);
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
    setText(this.#name, button?.getAttribute("aria-label")?.slice(button.textContent.length).trim() ?? "");
    setText(part(this.#picker, ".foot .face", HTMLElement), button?.textContent ?? "");
  }

  /** @param {string} emoji */
  #choose(emoji) {
    this.#chosen = emoji;
    this.book.used(emoji);
    this.#float?.close();
  }

  #closed() {
    if (this.anchor instanceof HTMLButtonElement) this.anchor.setAttribute("aria-expanded", "false");
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

/** @param {string} title  @param {string} icon */
function groupButton(title, icon) {
  const button = document.createElement("button");
  button.type = "button";
  button.title = title;
  button.setAttribute("aria-label", title);
  button.append(drawing(icon));
  return button;
}

/** Returns the box beside which the picker is placed: for a composer's button the end of the composer.
 * @param {HTMLElement} anchor  @returns {DOMRect} */
function placeOf(anchor) {
  const composer = anchor.closest("form.composer");
  if (!composer) return (anchor.querySelector(":scope > .body") ?? anchor).getBoundingClientRect();
  const { left, right, top, height } = composer.getBoundingClientRect();
  const width = WIDTH * parseFloat(getComputedStyle(document.documentElement).fontSize);
  return new DOMRect(document.documentElement.dir === "rtl" ? left : right - width, top, width, height);
}
