// refusal.js: the page that says why there is nothing to see.
import { fromTemplate, part } from "../ui/dom.js";

/** @param {string} title  @param {string} reason  @returns {DocumentFragment} */
export function refusal(title, reason) {
  const page = fromTemplate("refusal");
  part(page, "h1", HTMLElement).textContent = title;
  part(page, ".reason", HTMLElement).textContent = reason;
  document.title = `${title} – Parley`;
  return page;
}
