// toast.js: a short word about something that was just done, said aloud politely and gone by itself.

const SHOWN_MS = 3_500;

export class ParleyToast extends HTMLElement {
  #timer = 0;

  connectedCallback() {
    this.setAttribute("role", "status");
  }

  /** @param {string} text */
  say(text) {
    clearTimeout(this.#timer);
    // A dialog lies above everything but what came after it: the toast goes there to be seen and heard.
    (document.querySelector("dialog[open]") ?? document.body).append(this);
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
