// notice.js: a sentence about this browser that stays at the top of the page until the person closes it. There is one;
// a later one replaces it.
import { fromTemplate, part, setText } from "./dom.js";

/** @param {string} sentence */
export function showNotice(sentence) {
  setText(part(shown() ?? added(), ".words", HTMLElement), sentence);
}

const shown = () => document.querySelector("body > .notice");

/** Returns the empty notice, in the page: what a live region holds from the beginning is not announced. */
function added() {
  const notice = part(fromTemplate("notice"), ".notice", HTMLElement);
  part(notice, "button", HTMLButtonElement).addEventListener("click", () => notice.remove());
  document.body.append(notice);
  return notice;
}
