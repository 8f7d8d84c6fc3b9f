// menu.js: a menu at a button or a point; on a small screen a sheet from below. Its keys follow the ARIA practices.
/** @import { Place } from "./overlay.js" */
import { fromTemplate, part } from "./dom.js";
import { openFloat } from "./overlay.js";

/** @typedef {object} Item
 * @property {string} label
 * @property {() => void} does
 * @property {string} [name]  becomes its data-do
 * @property {string} [icon]  its name in the sprite, without "i-"
 * @property {string} [face]  stands for it in the line of quick items, where the label is only read aloud
 * @property {string} [key]  chooses it: a letter or "Delete"
 * @property {string} [keyLabel]  how the key is shown, if not as the letter
 * @property {boolean} [checked]
 * @property {boolean} [radio]  one of several of which one is checked
 * @property {boolean} [rule]  a separator stands before it
 * @property {boolean} [danger]
 */

/** @typedef {object} Options
 * @property {Place} [at]  default: the anchor's box
 * @property {Element} [held]  the row that the menu is about; it looks as under the pointer
 * @property {HTMLElement} [head]  says above the items what the menu is about
 * @property {HTMLElement} [said]  shows on a sheet, which may cover the row, what it is about
 * @property {readonly Item[]} [quick]  items in one line above the others
 */

/** Opens a menu. When it closes, the focus returns to the anchor.
 * @param {HTMLElement} anchor  @param {string} label  @param {readonly Item[]} items  @param {Options} [options] */
export function openMenu(anchor, label, items, { at, head, held, said, quick = [] } = {}) {
  const content = part(fromTemplate("menu"), ".menu", HTMLElement);
  const menu = part(content, "[role=menu]", HTMLElement);
  menu.setAttribute("aria-label", label);
  const choose = (/** @type {Item} */ item) => {
    float.close();
    anchor.focus({ preventScroll: true }); // where a dialog that the item opens returns the focus to
    item.does();
  };
  const listen = (/** @type {Item} */ item, /** @type {HTMLElement} */ button) => {
    button.addEventListener("click", () => choose(item));
    return button;
  };
  if (said) content.prepend(said);
  if (head) content.prepend(head);
  if (quick.length > 0) menu.append(quickLine(quick.map((item) => listen(item, quickButton(item)))));
  for (const item of items) menu.append(...(item.rule ? [rule()] : []), listen(item, button(item)));
  menu.addEventListener("keydown", (e) => {
    const item = [...quick, ...items].find((i) => i.key === e.key && !e.ctrlKey && !e.metaKey && !e.altKey);
    if (e.key === "Tab") return float.close();
    if (item) choose(item);
    else if (!walk(e, buttons(menu))) return;
    e.preventDefault();
    e.stopPropagation();
  });
  held?.classList.add("held");
  if (anchor.hasAttribute("aria-haspopup")) anchor.setAttribute("aria-expanded", "true");
  const float = openFloat(content, { anchor, at: at ?? anchor.getBoundingClientRect(), closed });
  buttons(menu)[0]?.focus({ preventScroll: true });

  function closed() {
    held?.classList.remove("held");
    if (anchor.hasAttribute("aria-haspopup")) anchor.setAttribute("aria-expanded", "false");
    const { activeElement } = document;
    const lost = !activeElement || activeElement === document.body || menu.contains(activeElement);
    if (lost && anchor.isConnected) anchor.focus({ preventScroll: true });
  }
}

/** @param {HTMLElement} menu */
const buttons = (menu) => /** @type {HTMLElement[]} */ ([...menu.querySelectorAll("button")]);

/** @param {Item} item */
function button(item) {
  const button = part(fromTemplate("menu-item"), "button", HTMLButtonElement);
  const role = item.checked === undefined ? "menuitem" : item.radio ? "menuitemradio" : "menuitemcheckbox";
  button.setAttribute("role", role);
  if (item.name) button.dataset["do"] = item.name;
  if (item.checked !== undefined) button.setAttribute("aria-checked", String(item.checked));
  button.classList.toggle("danger", Boolean(item.danger));
  const icon = part(button, ".icon", SVGElement);
  if (item.icon) part(icon, "use", SVGElement).setAttribute("href", `#i-${item.icon}`); // else an empty place
  part(button, ".label", HTMLElement).textContent = item.label;
  part(button, "kbd", HTMLElement).textContent = item.keyLabel ?? item.key?.toUpperCase() ?? "";
  return button;
}

/** @param {Item} item */
function quickButton({ label, icon, face }) {
  const button = part(fromTemplate("menu-quick"), "button", HTMLButtonElement);
  button.setAttribute("aria-label", label);
  if (icon) part(button, "use", SVGElement).setAttribute("href", `#i-${icon}`);
  else button.replaceChildren(face ?? "");
  return button;
}

/** @param {HTMLElement[]} items */
function quickLine(items) {
  const line = document.createElement("div");
  line.className = "quick";
  line.setAttribute("role", "none");
  line.append(...items);
  return line;
}

function rule() {
  const line = document.createElement("hr");
  line.setAttribute("role", "separator");
  return line;
}

/** Moves the focus by an arrow key, or to the next item that begins with the letter. It reports whether it has.
 * @param {KeyboardEvent} e  @param {HTMLElement[]} all */
function walk(e, all) {
  const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const turned = document.documentElement.dir === "rtl" ? -1 : 1;
  const step = { ArrowDown: 1, ArrowUp: -1, ArrowRight: turned, ArrowLeft: -turned }[e.key];
  const to = step
    ? (at + step + all.length) % all.length
    : ({ Home: 0, End: all.length - 1 }[e.key] ?? letter(e, all, at));
  if (to === undefined) return false;
  all[to]?.focus({ preventScroll: true });
  all[to]?.scrollIntoView({ block: "nearest" });
  return true;
}

/** Returns the index of the next item that begins with the pressed letter.
 * @param {KeyboardEvent} e  @param {HTMLElement[]} all  @param {number} at */
function letter(e, all, at) {
  if (e.key.length !== 1 || e.ctrlKey || e.metaKey || e.altKey || e.key === " ") return undefined;
  const begins = (/** @type {number} */ i) =>
    (all[i]?.textContent ?? "").trim().toLocaleLowerCase().startsWith(e.key.toLocaleLowerCase());
  return [...all.keys()].map((i) => (at + 1 + i) % all.length).find(begins);
}
