// row-actions.js: the actions of a message: a small toolbar in the row under the pointer or the focus, a menu of all
// actions (also by a long press), and letter keys for the focused row. Actions are sent as intents; message-actions.js
// carries them out.
/** @import { Key } from "../lang/en.js" */
/** @import { MessageRow } from "../room/types.js" */
import { rowOf } from "../room/message.js";
import { emit, fromTemplate, part } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { placeToolbar } from "./toolbar-place.js";

/** @typedef {"pick" | "reply" | "thread" | "edit" | "copy" | "copy-text" | "pin" | "bookmark" | "forward" | "unread" |
 * "versions" | "remove"} Action */

/** @type {Record<string, Action>} */
const LETTERS = {
  "+": "pick",
  r: "reply",
  t: "thread",
  e: "edit",
  p: "pin",
  s: "bookmark",
  u: "unread",
  Delete: "remove",
};
const HINTS = Object.fromEntries(Object.entries(LETTERS).map(([letter, action]) => [action, letter]));

/** The texts of the actions, in the order of the menu. @type {Record<Action, Key>} */
const WORDS = {
  pick: "action.react",
  reply: "action.reply",
  thread: "action.thread",
  edit: "action.edit",
  "copy-text": "action.copy-text",
  copy: "message.copy",
  pin: "action.pin",
  bookmark: "action.bookmark",
  forward: "action.forward",
  unread: "action.unread",
  versions: "action.versions",
  remove: "action.remove",
};

const QUICK = 6; // emoji in the menu
const LINE = 24; // px of a message that its menu does not cover
const EDGE = 8; // px between a menu and the edge of the screen
const BAR_OVER = 14; // px of the toolbar that are over its row
const BAR_END = 12; // px between the toolbar and the row's end
const BAR_BELOW = [2, 18]; // px from the row's top to that of the toolbar, if it has no place above
const PRESSABLE = "a, button, input, summary, pre[tabindex], .spoiler:not(.shown), [data-do]";

/** Returns the actions that a message offers.
 * @param {MessageRow} row  @param {boolean} inThread  @returns {Set<Action>} */
export function offers({ message, pending, mine }, inThread) {
  if (pending || message.seq === 0) return new Set();
  if (message.deleted)
    return new Set(/** @type {Action[]} */ (message.replies && !inThread ? ["thread", "copy"] : ["copy"]));
  const all = new Set(/** @type {Action[]} */ (Object.keys(WORDS)));
  if (!mine) for (const own of /** @type {Action[]} */ (["edit", "remove"])) all.delete(own);
  if (message.forward) all.delete("edit"); // somebody else said it first
  if (!message.edited) all.delete("versions");
  if (inThread) for (const elsewhere of /** @type {Action[]} */ (["thread", "unread"])) all.delete(elsewhere);
  return all;
}

export class RowActions {
  /** A toolbar for the pointer and one for the focus. */
  #bars = { pointer: newBar(), focus: newBar() };
  #menu = part(fromTemplate("message-menu"), "[role=menu]", HTMLElement);
  /** @type {HTMLElement | null} the row of the open menu */
  #row = null;

  /** @param {HTMLElement} home gets the menu  @param {HTMLElement} log  @param {boolean} inThread
   * @param {(n: number) => string[]} recent emoji
   * @param {(seq: number) => boolean} isKept */
  constructor(home, log, inThread, recent, isKept) {
    this.log = log;
    this.inThread = inThread;
    this.recent = recent;
    this.isBookmarked = isKept;
    home.append(this.#menu);
    log.addEventListener("pointerover", (e) => {
      if (e.pointerType === "mouse") this.#put("pointer", e.target);
    });
    log.addEventListener("pointerleave", () => this.#bars.pointer.remove());
    log.addEventListener("focusin", (e) => this.#put("focus", e.target));
    log.addEventListener("focusout", (e) => {
      if (!(e.relatedTarget instanceof Node) || !log.contains(e.relatedTarget)) this.#bars.focus.remove();
    });
    log.addEventListener("keydown", (e) => this.#pressed(e));
    log.addEventListener("click", (e) => this.#clicked(e));
    log.addEventListener("contextmenu", (e) => {
      const row = rowAt(e.target);
      // A right click opens the browser's own menu.
      if (!row || (e instanceof PointerEvent && e.pointerType === "mouse")) return;
      if (this.openMenu(row, e)) e.preventDefault();
    });
    this.#menu.addEventListener("keydown", (e) => this.#inMenu(e));
    this.#menu.addEventListener("click", (e) => this.#chosen(e));
    this.#menu.addEventListener("toggle", (e) => {
      if (/** @type {ToggleEvent} */ (e).newState === "closed") this.#closed();
    });
  }

  /** Opens the menu of a message.
   * @param {HTMLElement} row  @param {{ clientX: number, clientY: number }} [at]
   * @returns {boolean} false: the message offers nothing */
  openMenu(row, at) {
    const shown = rowOf(row);
    const can = shown ? offers(shown, this.inThread) : new Set();
    if (!shown || can.size === 0) return false;
    this.#row = row;
    const items = Object.entries(WORDS)
      .filter(([action]) => can.has(action))
      .map(([action, key]) => {
        const item = part(fromTemplate("message-menu-item"), "button", HTMLElement);
        item.dataset["do"] = action;
        part(item, ".words", HTMLElement).textContent = t(
          action === "pin" && shown.message.pinned
            ? "action.unpin"
            : action === "bookmark" && this.isBookmarked(shown.message.seq)
              ? "action.unbookmark"
              : key,
        );
        part(item, "kbd", HTMLElement).textContent =
          HINTS[action] === "Delete" ? t("key.delete") : (HINTS[action] ?? "");
        return item;
      });
    part(this.#menu, ".items", HTMLElement).replaceChildren(...items);
    const quick = part(this.#menu, ".quick", HTMLElement);
    quick.hidden = !can.has("pick");
    quick.replaceChildren(...this.recent(QUICK).map(quickItem));
    this.#menu.showPopover();
    const { left, top, bottom } = part(row, ".body", HTMLElement).getBoundingClientRect();
    place(this.#menu, at ?? { clientX: left, clientY: Math.min(bottom, top + LINE) });
    this.#menu.querySelector("button")?.focus({ preventScroll: true });
    return true;
  }

  /** @param {"pointer" | "focus"} name  @param {EventTarget | null} target */
  #put(name, target) {
    const row = rowAt(target);
    const bar = this.#bars[name];
    const other = this.#bars[name === "pointer" ? "focus" : "pointer"];
    if (!row) return void (name === "pointer" && bar.remove());
    if (bar.parentElement === row) return;
    const shown = rowOf(row);
    const can = shown ? offers(shown, this.inThread) : new Set();
    if (can.size === 0 || other.parentElement === row) return bar.remove();
    for (const button of bar.querySelectorAll("button"))
      button.hidden = !can.has(button.dataset["do"] ?? "") && button.dataset["do"] !== "menu";
    part(bar, "[data-do=menu]", HTMLElement).hidden = shown?.message.deleted ?? false;
    rove(bar, bar.querySelector("button:not([hidden])"));
    row.append(bar);
    this.#place(bar, row);
  }

  /** Places a toolbar where it covers nothing that can be pressed.
   * @param {HTMLElement} bar  @param {HTMLElement} row */
  #place(bar, row) {
    const rtl = getComputedStyle(row).direction === "rtl";
    const box = (/** @type {Element} */ e) => {
      const { left, right, top, bottom } = e.getBoundingClientRect();
      return rtl ? { left: -right, right: -left, top, bottom } : { left, right, top, bottom };
    };
    const near = [row.previousElementSibling, row, row.nextElementSibling].filter((r) => r !== null);
    const all = near.flatMap((r) => [...r.querySelectorAll(PRESSABLE)]);
    const pressable = all.filter((e) => !e.closest("[role=toolbar]"));
    const { width, height } = bar.getBoundingClientRect();
    const { top: view } = this.log.getBoundingClientRect();
    const where = { end: BAR_END, tops: [BAR_OVER - height, -height, ...BAR_BELOW], top: view };
    const { end, top } = placeToolbar(box(row), { width, height }, pressable.map(box), where);
    bar.style.setProperty("--end", `${end}px`);
    bar.style.setProperty("--top", `${top}px`);
  }

  /** @param {KeyboardEvent} e */
  #pressed(e) {
    const target = e.target instanceof HTMLElement ? e.target : null;
    const row = rowAt(target);
    if (!target || !row || e.altKey || e.ctrlKey || e.metaKey) return;
    const bar = target.closest("[role=toolbar]");
    if (bar)
      return void (
        walk(
          e,
          [...bar.querySelectorAll("button")].filter((b) => !b.hidden),
          "ArrowRight",
          "ArrowLeft",
        ) && e.preventDefault()
      );
    if (e.key === "ContextMenu" || (e.key === "F10" && e.shiftKey) || (e.key === "Enter" && target === row)) {
      if (this.openMenu(row)) e.preventDefault();
      return;
    }
    const action = target === row && (!e.shiftKey || e.key === "+") ? LETTERS[e.key] : undefined;
    const shown = rowOf(row);
    if (!action || !shown || !offers(shown, this.inThread).has(action)) return;
    e.preventDefault();
    this.#emit(row, action);
  }

  /** @param {MouseEvent} e */
  #clicked(e) {
    const button = e.target instanceof Element ? e.target.closest("[role=toolbar] [data-do]") : null;
    const row = rowAt(button);
    if (!(button instanceof HTMLElement) || !row) return;
    if (button.dataset["do"] === "menu") {
      const { left, bottom } = button.getBoundingClientRect();
      this.openMenu(row, { clientX: left, clientY: bottom });
    } else this.#emit(row, /** @type {Action} */ (button.dataset["do"]));
  }

  /** @param {KeyboardEvent} e */
  #inMenu(e) {
    const items = [...this.#menu.querySelectorAll("button")];
    if (e.key === "Tab") e.preventDefault();
    else if (walk(e, items, "ArrowDown", "ArrowUp") || walk(e, items, "ArrowRight", "ArrowLeft")) e.preventDefault();
    else if (e.key === "Escape")
      e.stopPropagation(); // Escape closes the menu alone
    else if (e.key.length === 1 || e.key === "Delete") {
      const item = items.find((i) => i.dataset["do"] === LETTERS[e.key]);
      if (item) {
        e.preventDefault();
        item.click();
      }
    }
  }

  /** @param {MouseEvent} e */
  #chosen(e) {
    const item = e.target instanceof Element ? e.target.closest("button") : null;
    const row = this.#row;
    if (!(item instanceof HTMLElement) || !row) return;
    this.#menu.hidePopover();
    row.focus({ preventScroll: true }); // where a dialog returns the focus to
    const { emoji, do: action } = item.dataset;
    if (emoji) emit(row, "react", { seq: Number(row.dataset["seq"]), emoji });
    else this.#emit(row, /** @type {Action} */ (action));
  }

  /** Returns the focus to the message, unless it has moved elsewhere. */
  #closed() {
    const row = this.#row;
    this.#row = null;
    const { activeElement } = document;
    if (row?.isConnected && (!activeElement || activeElement === document.body || this.#menu.contains(activeElement)))
      row.focus({ preventScroll: true });
  }

  /** @param {HTMLElement} row  @param {Action} action */
  #emit(row, action) {
    emit(row, action, Number(row.dataset["seq"]));
  }
}

/** @param {EventTarget | null} target */
function rowAt(target) {
  const row = target instanceof Element ? target.closest(".message") : null;
  return row instanceof HTMLElement ? row : null;
}

function newBar() {
  return part(fromTemplate("message-actions"), "[role=toolbar]", HTMLElement);
}

/** @param {string} emoji */
function quickItem(emoji) {
  const item = document.createElement("button");
  item.type = "button";
  item.setAttribute("role", "menuitem");
  item.setAttribute("aria-label", t("reaction.put", { emoji }));
  item.tabIndex = -1;
  item.dataset["emoji"] = emoji;
  item.textContent = emoji;
  return item;
}

/** Moves the focus with the arrow keys. It reports whether the key was one of them.
 * @param {KeyboardEvent} e  @param {HTMLElement[]} items  @param {string} on  @param {string} back */
function walk(e, items, on, back) {
  const at = items.findIndex((i) => i === document.activeElement);
  const turned = on === "ArrowRight" && document.documentElement.dir === "rtl" ? -1 : 1;
  const to = { [on]: at + turned, [back]: at - turned, Home: 0, End: items.length - 1 }[e.key];
  if (to === undefined || items.length === 0) return false;
  const item = items[(to + items.length) % items.length];
  if (item?.closest("[role=toolbar]")) rove(/** @type {Element} */ (item.closest("[role=toolbar]")), item);
  item?.focus({ preventScroll: true });
  e.stopPropagation();
  return true;
}

/** Lets Tab reach one button of a toolbar only. @param {Element} bar  @param {Element | null} button */
function rove(bar, button) {
  for (const b of bar.querySelectorAll("button")) b.tabIndex = b === button ? 0 : -1;
}

/** Places a popover beside a point or a box, within the screen.
 * @param {HTMLElement} popover  @param {{ clientX: number, clientY: number } | DOMRect} at */
export function place(popover, at) {
  const box = popover.getBoundingClientRect();
  const [x, below, above] =
    at instanceof DOMRect ? [at.left, at.bottom + 4, at.top - 4] : [at.clientX, at.clientY + 2, at.clientY - 2];
  const left = Math.max(EDGE, Math.min(x, innerWidth - box.width - EDGE));
  const fits = below + box.height + EDGE <= innerHeight || above - box.height < EDGE;
  const top = Math.max(EDGE, Math.min(fits ? below : above - box.height, innerHeight - box.height - EDGE));
  popover.style.setProperty("--x", `${left}px`);
  popover.style.setProperty("--y", `${top}px`);
}
