// row-actions.js: the actions of a message: a small toolbar in the row under the pointer or the focus, a menu of all
// actions (also by a long press), and letter keys for the focused row. Actions are sent as intents; message-actions.js
// carries them out.
/** @import { Key } from "../lang/en.js" */
/** @import { MessageRow } from "../room/types.js" */
/** @import { Item } from "../ui/menu.js" */
import { rowOf } from "../room/message.js";
import { plainText } from "../room/plain-text.js";
import { showAvatar } from "../ui/avatar.js";
import { bdi, emit, fromTemplate, part } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { onLongPress } from "../ui/long-press.js";
import { openMenu } from "../ui/menu.js";
import { placeToolbar } from "./toolbar-place.js";

/** @typedef {"pick" | "reply" | "thread" | "edit" | "copy" | "copy-text" | "select" | "pin" | "bookmark" | "forward" |
 * "unread" | "versions" | "remove"} Action */

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

/** The actions in the order of the menu: text, icon, and whether a separator stands before it.
 * @type {Record<Action, [words: Key, icon: string, rule?: boolean]>} */
const MENU = {
  pick: ["action.react", "react"],
  reply: ["action.reply", "reply"],
  thread: ["action.thread", "thread"],
  edit: ["action.edit", "edit"],
  forward: ["action.forward", "forward"],
  "copy-text": ["action.copy-text", "copy", true],
  copy: ["message.copy", "link"],
  select: ["action.select", "select"],
  bookmark: ["action.bookmark", "saved"],
  pin: ["action.pin", "pin"],
  unread: ["action.unread", "unread"],
  versions: ["action.versions", "clock"],
  remove: ["action.remove", "trash", true],
};

const QUICK = 6; // emoji in the menu
const LINE = 24; // px of a message that its menu does not cover
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
  const all = new Set(/** @type {Action[]} */ (Object.keys(MENU)));
  if (!mine) for (const own of /** @type {Action[]} */ (["edit", "remove"])) all.delete(own);
  if (message.forward) all.delete("edit"); // somebody else said it first
  if (!message.edited) all.delete("versions");
  if (!matchMedia("(hover: none)").matches) all.delete("select"); // a mouse selects by itself
  if (inThread) for (const elsewhere of /** @type {Action[]} */ (["thread", "unread"])) all.delete(elsewhere);
  return all;
}

export class RowActions {
  /** A toolbar for the pointer and one for the focus. */
  #bars = { pointer: newBar(), focus: newBar() };

  /** @param {HTMLElement} log  @param {boolean} inThread
   * @param {(n: number) => string[]} recent emoji
   * @param {(seq: number) => boolean} isKept */
  constructor(log, inThread, recent, isKept) {
    this.log = log;
    this.inThread = inThread;
    this.recent = recent;
    this.isBookmarked = isKept;
    log.addEventListener("pointerover", (e) => {
      if (e.pointerType === "mouse") this.#put("pointer", e.target);
    });
    // The pointer may have been there before the actions were loaded.
    if (matchMedia("(hover: hover)").matches) this.#put("pointer", log.querySelector(".message:hover"));
    log.addEventListener("pointerleave", () => this.#takeAway("pointer"));
    log.addEventListener("focusin", (e) => this.#put("focus", e.target));
    log.addEventListener("focusout", (e) => {
      if (!(e.relatedTarget instanceof Node) || !log.contains(e.relatedTarget)) this.#takeAway("focus");
    });
    log.addEventListener("keydown", (e) => this.#pressed(e));
    log.addEventListener("click", (e) => this.#clicked(e));
    onLongPress(log, (target, e) => {
      const row = rowAt(target);
      // A right click opens the browser's own menu, and so does a finger on text that is being selected.
      if (!row || (e instanceof PointerEvent && e.pointerType === "mouse") || row.matches(".selecting")) return false;
      return this.openMenu(row, e);
    });
  }

  /** Opens the menu of a message.
   * @param {HTMLElement} row  @param {{ clientX: number, clientY: number }} [at]
   * @returns {boolean} false: the message offers nothing */
  openMenu(row, at) {
    const shown = rowOf(row);
    const can = shown ? offers(shown, this.inThread) : new Set();
    if (!shown || can.size === 0) return false;
    const actions = /** @type {Action[]} */ (Object.keys(MENU).filter((action) => can.has(action)));
    const { left, top, bottom } = part(row, ".body", HTMLElement).getBoundingClientRect();
    openMenu(
      row,
      t("action.menu"),
      actions.filter((action) => action !== "pick").map((action) => this.#item(action, row, shown)),
      {
        at: at ?? new DOMRect(left, top, 0, Math.min(bottom - top, LINE)),
        held: row,
        said: said(shown),
        quick: can.has("pick")
          ? [...this.recent(QUICK).map((emoji) => quickItem(row, emoji)), this.#item("pick", row, shown)]
          : [],
      },
    );
    return true;
  }

  /** @param {Action} action  @param {HTMLElement} row  @param {MessageRow} shown  @returns {Item} */
  #item(action, row, { message }) {
    const [words, icon, rule = false] = MENU[action];
    const key = HINTS[action];
    const undo =
      action === "pin" && message.pinned
        ? "action.unpin"
        : action === "bookmark" && this.isBookmarked(message.seq)
          ? "action.unbookmark"
          : null;
    return {
      name: action,
      label: t(undo ?? words),
      icon,
      rule,
      danger: action === "remove",
      ...(key && { key, keyLabel: key === "Delete" ? t("key.delete") : key.toUpperCase() }),
      does: () => (action === "select" ? selectText(row) : this.#emit(row, action)),
    };
  }

  /** @param {"pointer" | "focus"} name  @param {EventTarget | null} target */
  #put(name, target) {
    const row = rowAt(target);
    const bar = this.#bars[name];
    const other = this.#bars[name === "pointer" ? "focus" : "pointer"];
    if (!row) return void (name === "pointer" && this.#takeAway(name));
    if (bar.parentElement === row) return;
    const shown = rowOf(row);
    const can = shown ? offers(shown, this.inThread) : new Set();
    this.#takeAway(name);
    if (can.size === 0 || other.parentElement === row) return;
    for (const button of bar.querySelectorAll("button"))
      button.hidden = !can.has(button.dataset["do"] ?? "") && button.dataset["do"] !== "menu";
    part(bar, "[data-do=menu]", HTMLElement).hidden = shown?.message.deleted ?? false;
    rove(bar, bar.querySelector("button:not([hidden])"));
    row.append(bar);
    row.classList.add("tooled");
    this.#place(bar, row);
  }

  /** @param {"pointer" | "focus"} name */
  #takeAway(name) {
    const bar = this.#bars[name];
    const row = bar.parentElement;
    bar.remove();
    if (!row?.querySelector(".message-actions")) row?.classList.remove("tooled");
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
    if (!action || !shown) return;
    e.preventDefault(); // it is no text either if the message does not offer the action
    if (offers(shown, this.inThread).has(action)) this.#emit(row, action);
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

/** @param {HTMLElement} row  @param {string} emoji  @returns {Item} */
const quickItem = (row, emoji) => ({
  label: t("reaction.put", { emoji }),
  face: emoji,
  does: () => emit(row, "react", { seq: Number(row.dataset["seq"]), emoji }),
});

/** Says at the top of a sheet which message it is about. @param {MessageRow} row */
function said({ message }) {
  const line = part(fromTemplate("menu-said"), ".said", HTMLElement);
  showAvatar(part(line, ".avatar", HTMLElement), message.from);
  part(line, ".author", HTMLElement).append(bdi(message.from.name));
  part(line, ".words", HTMLElement).textContent = plainText(message);
  return line;
}

/** Selects the text of a message and lets fingers change what is selected, until they tap elsewhere: a long press
 * opens the menu otherwise. @param {HTMLElement} row */
function selectText(row) {
  const chosen = getSelection();
  if (!chosen) return;
  row.classList.add("selecting");
  chosen.selectAllChildren(part(row, ".body", HTMLElement));
  const changed = () => {
    if (!chosen.isCollapsed && chosen.containsNode(row, true)) return;
    row.classList.remove("selecting");
    document.removeEventListener("selectionchange", changed);
  };
  document.addEventListener("selectionchange", changed);
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
