// language.js: sets the page's language: the chosen one, else the browser's, else English. The page does not paint
// before this module is loaded (blocking="render"), and modules that show texts run after it.
import { bestLanguage, direction, language, speak } from "./i18n.js";
import { Store } from "./storage.js";
import { backing } from "./theme.js";

const store = new Store(backing());

/** Returns the tag of the chosen language; "": the browser's. */
export function chosenLanguage() {
  const stored = store.get("language");
  return typeof stored === "string" ? stored : "";
}

/** Chooses a language and reloads the page in it. Unsent texts survive as drafts and in the outbox.
 * @param {string} tag "" for the browser's */
export function chooseLanguage(tag) {
  store.put("language", tag);
  const url = new URL(location.href);
  url.searchParams.delete("lang");
  if (url.href === location.href) location.reload();
  else location.replace(url);
}

const asked = new URLSearchParams(location.search).get("lang"); // for links and tests; not stored
const [tag, where] = bestLanguage(asked ?? chosenLanguage(), navigator.languages);
if (tag !== "en") {
  try {
    speak(tag, where, (await import(`../lang/${tag}.js`)).default);
  } catch {
    // the network failed: stay with English
  }
} else {
  speak(tag, where, (await import("../lang/en.js")).default);
}
document.documentElement.lang = language();
document.documentElement.dir = direction();
