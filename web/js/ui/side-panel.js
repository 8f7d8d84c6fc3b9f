// side-panel.js: the one panel beside the talk: people, a thread, pins, search … one at a time. What is in it belongs to
// whoever opened it. On a small screen it covers the talk, which then is out of reach until the panel is closed.
import { emit, fromTemplate, part, setText } from "./dom.js";

const COVERS = matchMedia("(max-width: 55.999rem)");
const ROOMY = matchMedia("(min-width: 72rem)"); // room for a panel that nobody asked for

/** What a panel shows. @typedef {{ name: string, element: HTMLElement, title: string }} Content */

export class SidePanel extends HTMLElement {
  /** @type {Content | null} */
  #shown = null;
  /** @type {Content | null} what is shown where there is room and nothing else to show */
  #default = null;
  /** @type {Element | null} what has the focus again when the panel closes */
  #opener = null;

  connectedCallback() {
    this.append(fromTemplate("side-panel"));
    part(this, ".close", HTMLElement).addEventListener("click", () => this.close());
    this.addEventListener("keydown", (e) => {
      if (e.key !== "Escape" || e.defaultPrevented || document.querySelector("dialog[open], [popover]:popover-open")) return;
      e.preventDefault();
      this.close();
    });
    COVERS.addEventListener("change", () => this.#cover());
    ROOMY.addEventListener("change", () => {
      if (this.#shown === null || this.#shown === this.#default) this.#show(ROOMY.matches ? this.#default : null);
    });
  }

  /** The name of what is shown, "" for nothing. */
  get name() {
    return this.#shown?.name ?? "";
  }

  /** Shows element in the panel, in place of what was there, and gives it the focus: to what wants it (`autofocus`), else
   * to the title. @param {string} name  @param {HTMLElement} element  @param {string} title */
  open(name, element, title) {
    if (!this.contains(document.activeElement)) this.#opener = document.activeElement;
    this.#show({ name, element, title });
    const wants = element.querySelector("[autofocus]");
    (wants instanceof HTMLElement ? wants : part(this, "h2", HTMLElement)).focus({ preventScroll: true });
  }

  /** Closes the panel, or only what has this name. @param {string} [name] */
  close(name) {
    if (!this.#shown || (name !== undefined && name !== this.name)) return;
    const hadFocus = this.contains(document.activeElement);
    if (this.#shown === this.#default) this.#default = null;
    this.#show(ROOMY.matches ? this.#default : null);
    const back = this.#opener?.isConnected ? this.#opener : document.querySelector("#composer-field");
    this.#opener = null;
    if (hadFocus && back instanceof HTMLElement) back.focus({ preventScroll: true });
  }

  /** Says what the panel shows while nothing is asked for, on a screen with room for it. @param {Content | null} content */
  setDefault(content) {
    const before = this.#default;
    this.#default = content;
    if (this.#shown === null || this.#shown === before) this.#show(ROOMY.matches ? content : null);
  }

  /** Another title for what is shown under a name. @param {string} name  @param {string} title */
  retitle(name, title) {
    if (this.name === name) setText(part(this, "h2", HTMLElement), title);
  }

  /** @param {Content | null} content */
  #show(content) {
    this.#shown = content;
    this.hidden = content === null;
    this.className = content?.name ?? "";
    setText(part(this, "h2", HTMLElement), content?.title ?? "");
    const body = part(this, ".panel-body", HTMLElement);
    if (!content) body.replaceChildren();
    else if (body.firstElementChild !== content.element) body.replaceChildren(content.element);
    this.#cover();
    emit(this, "panel", this.name);
  }

  /** Nothing that lies under the panel can be reached. */
  #cover() {
    for (const element of this.parentElement?.children ?? []) {
      if (element instanceof HTMLElement && element !== this) element.inert = !this.hidden && COVERS.matches;
    }
  }
}

customElements.define("side-panel", SidePanel);

/** The page's panel. */
export const sidePanel = () => part(document, "side-panel", SidePanel);

/** Opens the page's panel, see SidePanel.open. @param {string} name  @param {HTMLElement} element  @param {string} title */
export const openPanel = (name, element, title) => sidePanel().open(name, element, title);
