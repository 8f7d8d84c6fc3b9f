// app-shell.js: the page's frame: the rooms at the start, in the middle what one is at, at the end the side panel. Where there is
// no room for it, the list of rooms is a drawer (a popover) and the panel covers the middle.
import { fromTemplate, part } from "./dom.js";
import "./side-panel.js";

export class AppShell extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount === 0) this.append(fromTemplate("app-shell"));
  }

  /** Puts an element in the middle. @template {Element} T  @param {T} element  @returns {T} */
  show(element) {
    part(this, ".middle", HTMLElement).replaceChildren(element);
    return element;
  }
}

customElements.define("app-shell", AppShell);
