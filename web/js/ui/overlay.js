// overlay.js: shows what lies above the page: dialogs, and floats, which are menus and pickers at a button. On a small
// screen and for fingers a float is a sheet from below. Back closes each of them (layers.js).
import { fromTemplate, part } from "./dom.js";
import { Layers } from "./layers.js";

/** Where floats are sheets. css/overlays.css has the same condition. */
const SHEETS = "(max-width: 40rem), (hover: none)";
const EDGE = 8; // px between a float and the edge of the screen
const AWAY = 60; // px by which a sheet is drawn down to close it

/** The layers of the page. */
export const layers = new Layers({
  history,
  address: () => location.pathname + location.search + location.hash,
  later: (f) => setTimeout(f),
});

/** Whether a dialog or a float is open, which gets Escape before the page does. */
export const isCovered = () => document.querySelector("dialog[open], [popover]:popover-open") !== null;

/** Returns what new elements have to be put into to lie above the page: the open modal dialog or the page. */
export const topmost = () => [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;

/** Shows a modal dialog. A click beside it closes it, and so does its cross.
 * @param {HTMLDialogElement} dialog which is in the document */
export function showDialog(dialog) {
  const shown = new AbortController();
  const { signal } = shown;
  const closed = () => {
    shown.abort();
    layers.closed();
  };
  const clicked = (/** @type {MouseEvent} */ e) => {
    const beside = e.target === dialog && e.detail > 0 && !inside(dialog, e);
    if (beside || (e.target instanceof Element && e.target.closest(".close"))) dialog.close();
  };
  dialog.addEventListener("click", clicked, { signal });
  dialog.addEventListener("close", closed, { signal });
  dialog.showModal();
  const title = dialog.querySelector(".head h2");
  if (title instanceof HTMLElement && !dialog.querySelector("[autofocus]")) {
    title.tabIndex = -1; // the cross comes first, but is not what one wants to press
    title.focus();
  }
  layers.open({ close: () => dialog.close(), isOpen: () => dialog.open });
}

/** Shows the dialog of a template, which is removed when it closes. @param {string} id */
export function openDialog(id) {
  const dialog = part(fromTemplate(id), "dialog", HTMLDialogElement);
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  showDialog(dialog);
  return dialog;
}

/** Lets Back close a popover that its markup opens. @param {HTMLElement} popover */
export function closeByBack(popover) {
  const layer = { close: () => popover.hidePopover(), isOpen: () => isShown(popover) };
  popover.addEventListener("toggle", () => (layer.isOpen() ? layers.open(layer) : layers.closed()));
}

/** A point or a box beside which a float is placed.
 * @typedef {{ clientX: number, clientY: number } | DOMRect} Place */

/** Opens a float with this content. Its caller focuses something in it.
 * @param {HTMLElement} content
 * @param {{ anchor: Element, at: Place, closed: () => void }} options  the element that it belongs to; `closed` is
 * called when it has been closed and before it is removed
 * @returns {{ close: () => void, place: () => void }} `place` fits it in again after its size has changed */
export function openFloat(content, { anchor, at, closed }) {
  const float = part(fromTemplate("float"), ".float", HTMLElement);
  float.append(content);
  const sheet = matchMedia(SHEETS).matches;
  // The browser would close the sheet when the finger that has opened it by a long press is lifted.
  float.popover = sheet ? "manual" : "auto";
  const shown = new AbortController();
  const layer = { close: () => void (isShown(float) && float.hidePopover()), isOpen: () => isShown(float) };
  float.addEventListener("beforetoggle", (e) => {
    if (!(e instanceof ToggleEvent) || e.target !== float || e.newState === "open") return;
    shown.abort();
    closed();
    queueMicrotask(() => {
      float.remove();
      layers.closed();
    });
  });
  const escape = (/** @type {KeyboardEvent} */ e) => {
    if (e.key !== "Escape" || !sheet) return;
    e.preventDefault();
    e.stopPropagation();
    layer.close();
  };
  document.addEventListener("keydown", escape, { capture: true, signal: shown.signal });
  // A tap beside the sheet closes it, but not the end of the press that has opened it.
  let beside = false;
  float.addEventListener("pointerdown", (e) => (beside = e.target === float));
  float.addEventListener("click", (e) => beside && e.target === float && layer.close());
  drawAway(float, layer.close);
  // In the drawer or dialog that has the anchor, so that this stays open, or else in a landmark of the page.
  (anchor.closest("dialog, [popover], main, header, side-panel") ?? topmost()).append(float);
  float.showPopover();
  layers.open(layer);
  const put = () => place(float, at);
  put();
  return { close: layer.close, place: put };
}

/** @param {HTMLElement} popover */
const isShown = (popover) => popover.isConnected && popover.matches(":popover-open");

/** @param {HTMLElement} float  @param {Place} at */
function place(float, at) {
  if (matchMedia(SHEETS).matches) return;
  const box = float.getBoundingClientRect();
  const [from, to, below, above] =
    at instanceof DOMRect
      ? [at.left, at.right, at.bottom + 4, at.top - 4]
      : [at.clientX, at.clientX, at.clientY + 2, at.clientY - 2];
  const x = from + to > innerWidth ? to - box.width : from; // it grows towards the middle of the page
  const left = Math.max(EDGE, Math.min(x, innerWidth - box.width - EDGE));
  const fits = below + box.height + EDGE <= innerHeight || above - box.height < EDGE;
  const top = Math.max(EDGE, Math.min(fits ? below : above - box.height, innerHeight - box.height - EDGE));
  float.style.setProperty("--x", `${left}px`);
  float.style.setProperty("--y", `${top}px`);
}

/** Closes a sheet when a finger draws its handle down. @param {HTMLElement} float  @param {() => void} close */
function drawAway(float, close) {
  const handle = part(float, ".grab", HTMLElement);
  let from = NaN;
  const move = (/** @type {number} */ by) => float.style.setProperty("--drawn", `${Math.max(0, by)}px`);
  handle.addEventListener("pointerdown", (e) => {
    from = e.clientY;
    handle.setPointerCapture(e.pointerId);
  });
  handle.addEventListener("pointermove", (e) => move(e.clientY - from));
  for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) {
    handle.addEventListener(end, (e) => {
      const far = e.type === "pointerup" && e.clientY - from > AWAY;
      from = NaN;
      if (far) close();
      else move(0);
    });
  }
}

/** Whether a click is within the box of a dialog. A click with a key has no place and is never beside.
 * @param {Element} element  @param {MouseEvent} e */
function inside(element, e) {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  return e.clientX >= left && e.clientX <= right && e.clientY >= top && e.clientY <= bottom;
}
