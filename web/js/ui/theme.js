// theme.js: light, dark, of high contrast, or as the system has it; and how large its text is. The page waits for this file before it first paints
// (blocking="render"), so that it does not flash in the other one.
import { Settings } from "./settings.js";
import { Store } from "./storage.js";

/** @typedef {"system" | "light" | "dark" | "contrast"} Theme */

/** Returns localStorage, or null where the browser forbids it. */
export function backing() {
  try {
    return globalThis.localStorage;
  } catch {
    return null;
  }
}

const store = new Store(backing());

/** @returns {Theme} */
export function theme() {
  const kept = store.get("theme");
  return kept === "light" || kept === "dark" || kept === "contrast" ? kept : "system";
}

/** @param {Theme} choice */
export function setTheme(choice) {
  store.put("theme", choice);
  show();
}

function show() {
  const choice = theme();
  document.documentElement.dataset["theme"] = choice;
  document.documentElement.dataset["contrast"] = choice === "contrast" || matchMedia("(prefers-contrast: more)").matches ? "more" : "usual";
  const dark = choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.querySelector("meta[name=theme-color]")?.setAttribute("content", dark ? "#17191c" : "#faf9f6");
}

/** As settings.js has it. */
export function showSize() {
  document.documentElement.dataset["size"] = new Settings(store).get("size");
}

show();
showSize();
for (const wish of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"]) matchMedia(wish).addEventListener("change", show);
addEventListener("storage", () => {
  show(); // chosen in another tab
  showSize();
});
