// keyboard.js: keeps the page above the keyboard of the screen. Browsers that know `interactive-widget` (index.html)
// make the page smaller by themselves; Safari only moves the visual viewport. No DOM of its own.

/** Tells how much of the page's lower end the keyboard covers, in px, now and whenever that changes.
 * @param {Pick<VisualViewport, "height" | "offsetTop" | "scale" | "addEventListener">} viewport
 * @param {() => number} pageHeight  @param {(px: number) => void} tell */
export function watchKeyboard(viewport, pageHeight, tell) {
  let before = 0;
  const look = () => {
    if (viewport.scale !== 1) return; // the person has zoomed in
    const covered = Math.max(0, Math.round(pageHeight() - viewport.height - viewport.offsetTop));
    if (covered === before) return;
    before = covered;
    tell(covered);
  };
  for (const type of ["resize", "scroll"]) viewport.addEventListener(type, look);
  look();
}
