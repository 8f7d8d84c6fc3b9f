// own-name.js: a button's label with the person's own name: only the name is visible, and a screen reader reads a
// whole sentence.
import { bdi } from "./dom.js";
import { pieces } from "./i18n.js";

/** @param {Element} label  @param {string} name */
export function showYou(label, name) {
  const span = document.createElement("span");
  span.className = "name";
  span.append(bdi(name));
  label.replaceChildren(...pieces("you.button", { name: span }).map(unseen));
}

/** @param {string | Node} piece */
function unseen(piece) {
  if (typeof piece !== "string") return piece;
  const span = document.createElement("span");
  span.className = "visually-hidden";
  span.textContent = piece;
  return span;
}
