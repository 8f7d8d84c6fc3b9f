// clipboard.js: copies text, also on plain HTTP, where browsers have no clipboard API.
import { topmost } from "./overlay.js";

/** Copies text. It resolves to false if the browser refuses. @param {string} text  @returns {Promise<boolean>} */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** @param {string} text */
function copyBySelection(text) {
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.readOnly = true;
  area.className = "visually-hidden";
  // While a modal dialog is open, only elements in it can take the focus.
  topmost().append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return done;
}
