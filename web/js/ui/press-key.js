// press-key.js: presses a key for the person.
/** @import { Held } from "./held-keys.js" */

/** Gives a key to the focused element. If no listener handles it, it does what browsers do: it writes, sends a form or
 * clicks a button. A text is written. @param {Held} held */
export function pressKey(held) {
  if (typeof held === "string") return write(held);
  const { key, code, shiftKey } = held;
  const target = document.activeElement ?? document.body;
  const e = new KeyboardEvent("keydown", { key, code, shiftKey, bubbles: true, cancelable: true });
  if (!target.dispatchEvent(e)) return;
  const clicks = key === "Enter" || key === " ";
  if (target.matches("button, a[href], [type=checkbox], [type=radio]"))
    return void (clicks && target instanceof HTMLElement && target.click());
  if (!(target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement)) return;
  if (key === "Enter") target.form?.requestSubmit();
  else if (key === "Backspace") document.execCommand("delete");
  else if (key.length === 1) write(key);
}

/** Writes into the focused field; it can be undone, unlike setRangeText. @param {string} text */
const write = (text) => void document.execCommand("insertText", false, text);
