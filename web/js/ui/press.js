// press.js: keeps a list still while a button or link in it is pressed, because a click on what has moved is lost.

/** Returns a function that reports whether something in the list is pressed. If so, it calls `draw` after the release:
 * once, however often it was called. @param {HTMLElement} list  @returns {(draw: () => void) => boolean} */
export function whilePressed(list) {
  let pressed = false;
  const held = /** @type {Set<() => void>} */ (new Set());
  const release = () => {
    pressed = false;
    for (const draw of held) held.delete(draw) && draw();
  };
  const up = () => requestAnimationFrame(() => setTimeout(release)); // after the click
  list.addEventListener("pointerdown", (e) => {
    pressed = e.target instanceof Element && e.target.closest("button, a") !== null;
    for (const name of ["pointerup", "pointercancel", "blur"]) addEventListener(name, up, { once: true });
  });
  return (draw) => pressed && !!held.add(draw);
}
