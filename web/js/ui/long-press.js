// long-press.js: a finger that rests on something. Android's browsers send `contextmenu` for it, iOS sends nothing.

const PRESS_MS = 450;
const STEADY = 10; // px that a resting finger may move

/** Calls `then` when a finger rests on the element, and for the key or the mouse button that opens a menu there, as
 * `then` decides. If it returns true, the browser does nothing of its own, also when the finger is lifted.
 * @param {HTMLElement} element  @param {(target: Element, e: PointerEvent | MouseEvent) => boolean} then */
export function onLongPress(element, then) {
  let timer = 0;
  let pressed = false; // the finger that is still down has opened a menu
  let from = { x: 0, y: 0 };
  const end = () => clearTimeout(timer);
  element.addEventListener("pointerdown", (e) => {
    end();
    pressed = false;
    if (e.pointerType === "mouse" || !e.isPrimary) return;
    from = { x: e.clientX, y: e.clientY };
    timer = window.setTimeout(() => {
      pressed = e.target instanceof Element && then(e.target, e);
      if (pressed) ignoreClick();
    }, PRESS_MS);
  });
  element.addEventListener("pointermove", (e) => {
    if (Math.hypot(e.clientX - from.x, e.clientY - from.y) > STEADY) end();
  });
  for (const name of ["pointerup", "pointercancel"]) element.addEventListener(name, end);
  element.addEventListener("scroll", end, { capture: true, passive: true });
  element.addEventListener("contextmenu", (e) => {
    end();
    if (pressed || (e.target instanceof Element && then(e.target, e))) e.preventDefault();
  });
}

/** Ignores the click that some browsers send when the finger is lifted, on whatever lies below it by then. */
function ignoreClick() {
  const done = new AbortController();
  const how = { capture: true, signal: done.signal };
  const ignore = (/** @type {Event} */ e) => {
    e.preventDefault();
    e.stopPropagation();
    done.abort();
  };
  document.addEventListener("click", ignore, how);
  document.addEventListener("pointerdown", () => done.abort(), how);
}
