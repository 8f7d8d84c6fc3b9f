// theme.js: the theme (light, dark, high contrast, or as the system is set), the size of the text, and the density. The
// page does not paint before this module has run.
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
  const stored = store.get("theme");
  return stored === "light" || stored === "dark" || stored === "contrast" ? stored : "system";
}

/** @param {Theme} choice */
export function setTheme(choice) {
  store.put("theme", choice);
  show();
}

function show() {
  const choice = theme();
  document.documentElement.dataset["theme"] = choice;
  document.documentElement.dataset["contrast"] =
    choice === "contrast" || matchMedia("(prefers-contrast: more)").matches ? "more" : "usual";
  const dark = choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.querySelector("meta[name=theme-color]")?.setAttribute("content", dark ? "#1b1916" : "#fdfcfa");
}

/** Applies the text size and the density of the settings. */
export function showSize() {
  const { size, density } = new Settings(store).all;
  Object.assign(document.documentElement.dataset, { size, density });
}

/** Applies whether the room list shows last words. */
export function showLastWords() {
  document.documentElement.dataset["lastWords"] = new Settings(store).get("lastWords") ? "on" : "off";
}

show();
showSize();
showLastWords();
for (const wish of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"])
  matchMedia(wish).addEventListener("change", show);
addEventListener("storage", () => {
  show(); // another tab may have changed it
  showSize();
  showLastWords();
});
