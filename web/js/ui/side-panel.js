// side-panel.js: the panel beside the messages. It shows one thing at a time: people, a thread, pins, search and so
// on. Its caller owns the element that is shown. On a small screen the panel covers the messages, which are inert
// until it closes.
import { bdi, emit, fromTemplate, part, setText } from "./dom.js";
import { isCovered, layers } from "./overlay.js";

const COVERS = matchMedia("(max-width: 55.999rem)");
const ROOMY = matchMedia("(min-width: 72rem)"); // wide enough for the default content

/** What the panel shows; `about` stands below the title, `tool` beside it.
 * @typedef {{ name: string, element: HTMLElement, title: string, about?: string, tool?: HTMLElement }} Content */

export class SidePanel extends HTMLElement {
  /** @type {Content | null} */
  #shown = null;
  /** @type {Content | null} shown on a wide screen when nothing else is open */
  #default = null;
  /** @type {Element | null} gets the focus back when the panel closes */
  #opener = null;
  #layer = { close: () => this.close(), isOpen: () => this.isConnected && !this.hidden && COVERS.matches };

  connectedCallback() {
    this.append(fromTemplate("side-panel"));
    part(this, ".close", HTMLElement).addEventListener("click", () => this.close());
    document.addEventListener("keydown", (e) => {
      const mine = this.contains(/** @type {Node} */ (e.target)) || (this.name && COVERS.matches);
      if (e.key !== "Escape" || !mine || e.defaultPrevented || isCovered()) return;
      e.preventDefault();
      this.close();
    });
    COVERS.addEventListener("change", () => this.#cover());
    ROOMY.addEventListener("change", () => {
      if (this.#shown === null || this.#shown === this.#default) this.#show(ROOMY.matches ? this.#default : null);
    });
  }

  /** The name of the content shown; "": closed. */
  get name() {
    return this.#shown?.name ?? "";
  }

  /** Shows an element in place of the content before and moves the focus to its `autofocus` element, or else to the
   * title.
   * @param {string} name  @param {HTMLElement} element  @param {string} title
   * @param {Pick<Content, "about" | "tool">} [more] */
  open(name, element, title, more) {
    if (!this.contains(document.activeElement)) this.#opener = document.activeElement;
    this.#show({ name, element, title, ...more });
    const wants = element.querySelector("[autofocus]");
    (wants instanceof HTMLElement ? wants : part(this, "h2", HTMLElement)).focus({ preventScroll: true });
  }

  /** Closes the panel; with a name, only if the content has this name. @param {string} [name] */
  close(name) {
    if (!this.#shown || (name !== undefined && name !== this.name)) return;
    const hadFocus = this.contains(document.activeElement);
    if (this.#shown === this.#default) this.#default = null;
    this.#show(ROOMY.matches ? this.#default : null);
    const back = this.#opener?.isConnected ? this.#opener : document.querySelector("#composer-field");
    this.#opener = null;
    if (hadFocus && back instanceof HTMLElement) back.focus({ preventScroll: true });
  }

  /** Sets the content that is shown on a wide screen while nothing else is open. @param {Content | null} content */
  setDefault(content) {
    const before = this.#default;
    this.#default = content;
    if (this.#shown === null || this.#shown === before) this.#show(ROOMY.matches ? content : null);
  }

  /** Changes the title if the content has this name. @param {string} name  @param {string} title */
  retitle(name, title) {
    if (this.name === name) setText(part(this, "h2", HTMLElement), title);
  }

  /** @param {Content | null} content */
  #show(content) {
    this.#shown = content;
    this.hidden = content === null;
    this.className = content?.name ?? "";
    setText(part(this, "h2", HTMLElement), content?.title ?? "");
    part(this, ".about", HTMLElement).replaceChildren(...(content?.about ? [bdi(content.about)] : []));
    part(this, ".tool", HTMLElement).replaceChildren(...(content?.tool ? [content.tool] : []));
    const body = part(this, ".panel-body", HTMLElement);
    if (!content) body.replaceChildren();
    else if (body.firstElementChild !== content.element) body.replaceChildren(content.element);
    this.#cover();
    emit(this, "panel", this.name);
  }

  /** Makes the elements that lie under the panel inert. */
  #cover() {
    for (const element of this.parentElement?.children ?? []) {
      if (element instanceof HTMLElement && element !== this) element.inert = this.#layer.isOpen();
    }
    if (this.#layer.isOpen()) layers.open(this.#layer);
    else layers.closed();
  }
}

customElements.define("side-panel", SidePanel);

/** The page's panel. */
export const sidePanel = () => part(document, "side-panel", SidePanel);

/** Opens the page's panel, see SidePanel.open.
 * @param {string} name  @param {HTMLElement} element  @param {string} title */
export const openPanel = (name, element, title) => sidePanel().open(name, element, title);
