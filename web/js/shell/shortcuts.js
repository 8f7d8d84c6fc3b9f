// shortcuts.js: the shortcuts of the whole page: one table, which the page acts by and which the list behind "?"
// shows. No DOM.
/** @import { Key } from "../lang/en.js" */
import { t } from "../ui/i18n.js";

/** @typedef {"switcher" | "search" | "settings" | "shortcuts" | "next-unread" | "previous" | "next" | "read" |
 * "people"} Action */

/** `mod` is Ctrl, on Apple keyboards Command. A key without a modifier is a shortcut only outside text fields.
 * @typedef {{ does: Action, key: string, mod?: boolean, shift?: boolean, alt?: boolean, says: Key }} Shortcut */

/** @type {readonly Shortcut[]} */
export const SHORTCUTS = [
  { does: "switcher", key: "k", mod: true, says: "keys.switcher" },
  { does: "search", key: "f", mod: true, shift: true, says: "keys.search" },
  { does: "previous", key: "ArrowUp", alt: true, says: "keys.previous" },
  { does: "next", key: "ArrowDown", alt: true, says: "keys.next" },
  { does: "next-unread", key: "ArrowDown", alt: true, shift: true, says: "keys.next-unread" },
  { does: "read", key: "Escape", shift: true, says: "keys.read" },
  { does: "people", key: "u", mod: true, shift: true, says: "keys.people" },
  { does: "settings", key: ",", mod: true, says: "keys.settings" },
  { does: "shortcuts", key: "?", says: "keys.shortcuts" },
];

/** Keys of single parts of the page, for the list alone. @type {readonly { keys: readonly string[], says: Key }[]} */
export const ELSEWHERE = [
  { keys: ["Enter"], says: "keys.send" },
  { keys: ["Shift", "Enter"], says: "keys.line" },
  { keys: ["↑"], says: "keys.edit" },
  { keys: ["Shift", "↑"], says: "keys.log" },
  { keys: ["Enter"], says: "keys.message" },
  { keys: ["Esc"], says: "keys.newest" },
];

/** The part of a keyboard event that is read.
 * @typedef {{ key: string, ctrlKey: boolean, metaKey: boolean, shiftKey: boolean, altKey: boolean }} Press */

/** Returns the action of a key press, or null.
 * @param {Press} press  @param {{ writing: boolean, apple: boolean }} where  @returns {Action | null} */
export function actionOf(press, { writing, apple }) {
  const mod = apple ? press.metaKey : press.ctrlKey;
  const other = apple ? press.ctrlKey : press.metaKey;
  if (other) return null;
  for (const s of SHORTCUTS) {
    const symbol = !/^[a-z]$|^[A-Z]\w/.test(s.key); // some keyboards need Shift for "?"
    if (s.key.toLowerCase() !== press.key.toLowerCase() || Boolean(s.mod) !== mod || Boolean(s.alt) !== press.altKey)
      continue;
    if (!symbol && Boolean(s.shift) !== press.shiftKey) continue;
    if (!s.mod && !s.alt && !s.shift && writing) continue;
    return s.does;
  }
  return null;
}

/** Returns the keys of a shortcut in the order in which they are pressed.
 * @param {Shortcut} s  @param {boolean} apple */
export const keysOf = (s, apple) => [
  ...(s.mod ? [apple ? "⌘" : t("key.ctrl")] : []),
  ...(s.alt ? [apple ? "⌥" : "Alt"] : []),
  ...(s.shift ? [apple ? "⇧" : "Shift"] : []),
  named(s.key),
];

/** @param {string} key */
const named = (key) =>
  ({ ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc" })[key] ?? (key.length === 1 ? key.toUpperCase() : key);
