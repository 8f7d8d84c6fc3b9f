// typing-anywhere.js: what is typed while no field has the focus is written into the composer.

const FIELDS = "input, textarea, select, [contenteditable]";
const OVERLAYS = "dialog[open], [popover]:popover-open";

/** Reports whether a key press writes something: a character, or what Ctrl+V pastes. Space scrolls and presses buttons.
 * @param {KeyboardEvent} e */
function writes(e) {
  const { key, ctrlKey, metaKey, altKey, shiftKey } = e;
  if ((ctrlKey || metaKey) && !altKey && !shiftKey && key.toLowerCase() === "v") return true;
  if ((ctrlKey || metaKey || altKey) && !e.getModifierState("AltGraph")) return false;
  return key === "Dead" || ([...key].length === 1 && key !== " "); // a dead key begins an accented letter
}

/** Gives the composer the focus when somebody begins to write elsewhere on the page, before the key does what it does.
 * Keys that something else has used, such as the letters of a message's actions, are not written.
 * @param {(from: Element) => { focus: () => void } | null} composerFor  null: nothing can be written now
 * @param {AbortSignal} signal ends it */
export function typeAnywhere(composerFor, signal) {
  document.addEventListener(
    "keydown",
    (e) => {
      const from = e.target instanceof Element ? e.target : document.body;
      if (e.defaultPrevented || !writes(e) || from.closest(FIELDS) || document.querySelector(OVERLAYS)) return;
      composerFor(from)?.focus();
    },
    { signal },
  );
}
