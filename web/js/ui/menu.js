// menu.js: a menu that opens at a button. It is a popover, so that it lies above everything and closes by itself; its
// keys follow the ARIA practices.
import { fromTemplate, part } from "./dom.js";

/** @typedef {{ label: string, does: () => void, checked?: boolean, radio?: boolean, rule?: boolean, danger?: boolean }}
 * Item `rule`: a separator stands before it */

/** Opens a menu. When it closes, the focus returns to the anchor.
 * @param {HTMLElement} anchor  @param {string} label  @param {readonly Item[]} items */
export function openMenu(anchor, label, items) {
  document.querySelector(".menu")?.remove();
  const menu = part(fromTemplate("menu"), ".menu", HTMLElement);
  menu.setAttribute("aria-label", label);
  menu.append(...items.flatMap((item) => (item.rule ? [rule(), row(item, menu)] : [row(item, menu)])));
  menu.addEventListener("keydown", (e) => pressed(e, menu));
  menu.addEventListener("toggle", (e) => {
    if (!(e instanceof ToggleEvent) || e.newState === "open") return;
    anchor.setAttribute("aria-expanded", "false");
    if (menu.contains(document.activeElement) || document.activeElement === document.body)
      anchor.focus({ preventScroll: true });
    menu.remove();
  });
  // Inside the drawer that has the anchor, so that the drawer stays open.
  (anchor.closest("[popover], dialog") ?? document.body).append(menu);
  menu.showPopover();
  place(menu, anchor);
  anchor.setAttribute("aria-expanded", "true");
  buttons(menu)[0]?.focus();
}

/** @param {HTMLElement} menu */
const buttons = (menu) => /** @type {HTMLElement[]} */ ([...menu.querySelectorAll("button")]);

/** @param {Item} item  @param {HTMLElement} menu */
function row(item, menu) {
  const button = part(fromTemplate("menu-item"), "button", HTMLButtonElement);
  button.setAttribute(
    "role",
    item.checked === undefined ? "menuitem" : item.radio ? "menuitemradio" : "menuitemcheckbox",
  );
  if (item.checked !== undefined) button.setAttribute("aria-checked", String(item.checked));
  button.classList.toggle("danger", Boolean(item.danger));
  part(button, ".label", HTMLElement).textContent = item.label;
  button.addEventListener("click", () => {
    menu.hidePopover();
    item.does();
  });
  return button;
}

function rule() {
  const line = document.createElement("hr");
  line.setAttribute("role", "separator");
  return line;
}

/** Places the menu below the anchor, aligned with its end, or above it if there is no room below.
 * @param {HTMLElement} menu  @param {HTMLElement} anchor */
function place(menu, anchor) {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const rtl = getComputedStyle(anchor).direction === "rtl";
  const left = rtl ? at.left : at.right - width;
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  menu.style.top = `${at.bottom + height + 8 > innerHeight ? Math.max(8, at.top - height - 4) : at.bottom + 4}px`;
}

/** @param {KeyboardEvent} e  @param {HTMLElement} menu */
function pressed(e, menu) {
  const all = buttons(menu);
  const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const to =
    { ArrowDown: (at + 1) % all.length, ArrowUp: (at - 1 + all.length) % all.length, Home: 0, End: all.length - 1 }[
      e.key
    ] ?? letter(e, all, at);
  if (e.key === "Tab") return menu.hidePopover();
  if (to === undefined) return;
  e.preventDefault();
  e.stopPropagation();
  all[to]?.focus();
}

/** Returns the index of the next item that begins with the pressed letter.
 * @param {KeyboardEvent} e  @param {HTMLElement[]} all  @param {number} at */
function letter(e, all, at) {
  if (e.key.length !== 1 || e.ctrlKey || e.metaKey || e.altKey || e.key === " ") return undefined;
  const begins = (/** @type {HTMLElement} */ b) =>
    (b.textContent ?? "").trim().toLocaleLowerCase().startsWith(e.key.toLocaleLowerCase());
  const found = [...all.keys()]
    .map((i) => (at + 1 + i) % all.length)
    .find((i) => begins(/** @type {HTMLElement} */ (all[i])));
  return found;
}
