// toast.js: a short message about something that was just done. It is announced politely and disappears by itself.
import { topmost } from "./overlay.js";

const SHOWN_MS = 3_500;

export class ParleyToast extends HTMLElement {
  #timer = 0;

  connectedCallback() {
    this.setAttribute("role", "status");
  }

  /** @param {string} text */
  say(text) {
    clearTimeout(this.#timer);
    // A modal dialog lies above the rest of the page, which is inert: only inside it the toast is seen and announced.
    topmost().append(this);
    this.textContent = text;
    this.classList.add("shown");
    this.#timer = window.setTimeout(() => {
      this.classList.remove("shown");
      this.textContent = "";
    }, SHOWN_MS);
  }
}

customElements.define("parley-toast", ParleyToast);

/** @param {string} text */
export function say(text) {
  const toast = document.querySelector("parley-toast");
  if (toast instanceof ParleyToast) toast.say(text);
}
