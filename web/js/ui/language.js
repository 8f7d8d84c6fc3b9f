// language.js: which language the page speaks: the one chosen, else the browser's, else English. The page waits for this
// file before it first paints (blocking="render"), and every module that shows something for this one.
import { bestLanguage, direction, language, speak } from "./i18n.js";
import { Store } from "./storage.js";
import { backing } from "./theme.js";

const store = new Store(backing());

/** The tag of the language chosen, "" for the browser's. */
export function chosenLanguage() {
  const kept = store.get("language");
  return typeof kept === "string" ? kept : "";
}

/** The page is drawn anew in another language by loading it again; what was written waits in drafts and outbox.
 * @param {string} tag "" for the browser's */
export function chooseLanguage(tag) {
  store.put("language", tag);
  const url = new URL(location.href);
  url.searchParams.delete("lang");
  if (url.href === location.href) location.reload();
  else location.replace(url);
}

const asked = new URLSearchParams(location.search).get("lang"); // for links and tests; not kept
const [tag, where] = bestLanguage(asked ?? chosenLanguage(), navigator.languages);
if (tag !== "en") {
  try {
    speak(tag, where, (await import(`../lang/${tag}.js`)).default);
  } catch {
    // the network broke: English is better than nothing
  }
} else {
  speak(tag, where, (await import("../lang/en.js")).default);
}
document.documentElement.lang = language();
document.documentElement.dir = direction();
