import assert from "node:assert/strict";
import { test } from "node:test";
import { SHORTCUTS, actionOf, keysOf } from "../../js/shell/shortcuts.js";

/** @param {string} keys such as "Ctrl+Shift+f" */
function press(keys) {
  const parts = keys.split("+");
  return {
    key: parts.at(-1) ?? "",
    ctrlKey: parts.includes("Ctrl"),
    metaKey: parts.includes("Meta"),
    shiftKey: parts.includes("Shift"),
    altKey: parts.includes("Alt"),
  };
}

test("shortcuts do not clash, and a key without a modifier does nothing in a text field", () => {
  const does = (/** @type {string} */ keys, where = { writing: false, apple: false }) => actionOf(press(keys), where);
  assert.deepEqual(
    ["Ctrl+k", "Ctrl+Shift+F", "Alt+ArrowUp", "Alt+Shift+ArrowDown", "Shift+Escape", "Ctrl+,", "?", "Shift+?"].map(
      (k) => does(k),
    ),
    ["switcher", "search", "previous", "next-unread", "read", "settings", "shortcuts", "shortcuts"],
  );
  assert.deepEqual(
    ["k", "Ctrl+f", "Ctrl+Alt+k", "Meta+k", "Escape", "ArrowUp", "Ctrl+Shift+k"].map((k) => does(k)),
    Array(7).fill(null),
  );
  assert.equal(does("Meta+k", { writing: false, apple: true }), "switcher");
  assert.equal(does("Ctrl+k", { writing: false, apple: true }), null);
  assert.deepEqual(
    ["?", "Ctrl+k", "Alt+ArrowUp"].map((k) => does(k, { writing: true, apple: false })),
    [null, "switcher", "previous"],
  );
  const seen = SHORTCUTS.map((s) => keysOf(s, false).join("+"));
  assert.equal(new Set(seen).size, seen.length);
  assert.deepEqual(keysOf(SHORTCUTS[0] ?? { does: "switcher", key: "", says: "keys.switcher" }, true), ["⌘", "K"]);
});
