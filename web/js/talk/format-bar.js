// format-bar.js: the formatting buttons above the field of a composer, and the keys for three of them. The button "Aa"
// shows and hides them in all composers; that is remembered. (ARIA practices: toolbar.)
/** @import { Key } from "../lang/en.js" */
/** @import { Settings } from "../ui/settings.js" */
/** @import { Format } from "./format-text.js" */
import { MessageComposer } from "../room/composer.js";
import { part } from "../ui/dom.js";
import { drawing } from "../ui/drawing.js";
import { t } from "../ui/i18n.js";
import { replaceText } from "../ui/insert.js";
import { applyFormat } from "./format-text.js";

const APPLE = /Mac|iPhone|iPad/.test(navigator.platform);

/** What a button does, its name, its icon as a path, and its key with Ctrl or ⌘; "": a line between buttons.
 * @type {readonly (readonly [format: Format, says: Key, icon: string, key?: string, shift?: boolean] | "")[]} */
const BUTTONS = [
  ["bold", "formats.bold", "M7.5 5h5.2a3.4 3.4 0 0 1 0 6.8H7.5Zm0 6.8h6a3.6 3.6 0 0 1 0 7.2h-6Z", "b"],
  ["italic", "formats.italic", "M10.5 5h6.5M7 19h6.5M14 5l-4 14", "i"],
  [
    "struck",
    "formats.struck",
    "M4.5 12h15M16.5 7.5C16 6 14.3 5 12 5c-2.7 0-4.5 1.3-4.5 3.4 0 1.3.7 2.3 2 3M7 16.2c.6 1.7 2.5 2.8 5 " +
      "2.8 2.8 0 4.8-1.4 4.8-3.6 0-.9-.3-1.6-.8-2.2",
    "x",
    true,
  ],
  "",
  [
    "link",
    "formats.link",
    "M10 14a4.5 4.5 0 0 0 6.4 0l3.2-3.2a4.5 4.5 0 0 0-6.4-6.4L12 5.6M14 10a4.5 4.5 0 0 0-6.4 0l-3.2 3.2a4.5 " +
      "4.5 0 0 0 6.4 6.4l1.2-1.2",
  ],
  ["bullets", "formats.bullets", "M9.5 6.5h10M9.5 12h10M9.5 17.5h10M5 6.5h.01M5 12h.01M5 17.5h.01"],
  [
    "numbers",
    "formats.numbers",
    "M10 6.5h9.5M10 12h9.5M10 17.5h9.5M4 5l1.3-.8V9M3.8 14.8c1-1.4 2.7-.6 2 .7l-2 2.7h2.5",
  ],
  ["tasks", "formats.tasks", "M12 7h7.5M12 17h7.5M4 6.8l1.6 1.6L8.5 5M4.5 14.5h4v4h-4Z"],
  "",
  ["quote", "formats.quote", "M5 5v14M9.5 7h10M9.5 12h10M9.5 17h6"],
  ["code", "formats.code", "m8.5 7-5 5 5 5m7-10 5 5-5 5"],
];

/** Fills the row of formatting buttons of a composer. @param {MessageComposer} composer  @param {Settings} settings */
export function addFormatBar(composer, settings) {
  const bar = part(composer, ".formats", HTMLElement);
  bar.append(...BUTTONS.map((b) => (b ? button(...b) : document.createElement("hr"))));
  const buttons = /** @type {HTMLElement[]} */ ([...bar.querySelectorAll("button")]);
  rove(buttons, buttons[0]);
  bar.addEventListener("mousedown", (e) => e.preventDefault()); // the field keeps the focus
  bar.addEventListener("click", (e) => {
    const pressed = e.target instanceof Element ? e.target.closest("button") : null;
    if (pressed) apply(composer, /** @type {Format} */ (pressed.dataset["format"]));
  });
  bar.addEventListener("keydown", (e) => walk(e, buttons));
  composer.field.addEventListener("keydown", (e) => {
    const format = formatOf(e);
    if (!format) return;
    e.preventDefault();
    apply(composer, format);
  });
  part(composer, ".formats-button", HTMLElement).addEventListener("click", () => {
    const formats = !settings.get("formats");
    settings.put({ formats });
    for (const other of document.querySelectorAll("message-composer"))
      if (other instanceof MessageComposer) other.formats = formats;
    composer.focus();
  });
}

/** @param {MessageComposer} composer  @param {Format} format */
function apply({ field }, format) {
  const { value, selectionStart, selectionEnd } = field;
  const { from, to, text, select } = applyFormat(format, value, selectionStart, selectionEnd);
  replaceText(field, from, to, text);
  field.setSelectionRange(...select);
}

/** @param {KeyboardEvent} e */
function formatOf(e) {
  if (e.altKey || !(APPLE ? e.metaKey && !e.ctrlKey : e.ctrlKey && !e.metaKey)) return null;
  const found = BUTTONS.find((b) => b && b[3] === e.key.toLowerCase() && Boolean(b[4]) === e.shiftKey);
  return found ? found[0] : null;
}

/** @param {Format} format  @param {Key} says  @param {string} icon  @param {string} [key]  @param {boolean} [shift] */
function button(format, says, icon, key, shift) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "icon-button";
  element.dataset["format"] = format;
  element.setAttribute("aria-label", t(says));
  const keys = [APPLE ? "⌘" : t("key.ctrl"), ...(shift ? [APPLE ? "⇧" : "Shift"] : []), key?.toUpperCase()];
  element.title = key ? `${t(says)} (${keys.join("+")})` : t(says);
  element.append(drawing(icon));
  return element;
}

/** Moves the focus among the buttons with the arrow keys. @param {KeyboardEvent} e  @param {HTMLElement[]} buttons */
function walk(e, buttons) {
  const at = buttons.findIndex((b) => b === document.activeElement);
  const onwards = document.documentElement.dir === "rtl" ? -1 : 1;
  const to = { ArrowRight: at + onwards, ArrowLeft: at - onwards, Home: 0, End: buttons.length - 1 }[e.key];
  if (to === undefined || at < 0) return;
  e.preventDefault();
  const button = buttons[(to + buttons.length) % buttons.length];
  rove(buttons, button);
  button?.focus();
}

/** Lets Tab reach one of the buttons. @param {HTMLElement[]} buttons  @param {HTMLElement | undefined} one */
function rove(buttons, one) {
  for (const b of buttons) b.tabIndex = b === one ? 0 : -1;
}
