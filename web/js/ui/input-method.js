// input-method.js: keeps the keys of input methods away from the page. While somebody composes a word, as in Japanese
// or Chinese, Enter confirms it, arrows choose a candidate and Escape gives up: none of that is meant for the page. No
// DOM of its own.

/** Reports whether a key press belongs to an input method. Safari says so by the key code alone when Enter confirms a
 * word: the composition has ended by then. (UI Events §5.1.1: 229 is a key that the input method has processed.)
 * @param {Pick<KeyboardEvent, "isComposing" | "keyCode">} e */
export const isComposing = (e) => e.isComposing || e.keyCode === 229;

/** From now on no listener below `page` is told of a key that belongs to an input method. The key itself does what it
 * does. So no field, menu or dialog needs a check of its own.
 * @param {EventTarget} page the window, which has each event first */
export function keepFromPage(page) {
  page.addEventListener(
    "keydown",
    (e) => {
      if (isComposing(/** @type {KeyboardEvent} */ (e))) e.stopImmediatePropagation();
    },
    { capture: true },
  );
}
