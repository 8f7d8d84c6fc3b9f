// press.js: keeps a list still while a button or link in it is pressed, because a click on what has moved is lost.

// What ends a press. Where a press opens a menu or begins to drag a link, some browsers send no pointerup.
const ENDS = ["pointerup", "pointercancel", "contextmenu", "dragend", "blur"];

/** Returns a function that reports whether something in the list is pressed. If so, it calls `draw` after the release:
 * once, however often it was called. @param {HTMLElement} list  @returns {(draw: () => void) => boolean} */
export function whilePressed(list) {
  let pressed = false;
  const held = /** @type {Set<() => void>} */ (new Set());
  const release = () => {
    pressed = false;
    for (const draw of held) held.delete(draw) && draw();
  };
  const end = () => {
    for (const name of ENDS) removeEventListener(name, end);
    requestAnimationFrame(() => setTimeout(release)); // after the click
  };
  list.addEventListener("pointerdown", (e) => {
    if (!(e.target instanceof Element && e.target.closest("button, a"))) return;
    pressed = true;
    for (const name of ENDS) addEventListener(name, end);
  });
  return (draw) => pressed && !!held.add(draw);
}
