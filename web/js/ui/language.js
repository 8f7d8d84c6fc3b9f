// language.js: sets the page's language: the chosen one, else the browser's, else English. main.js waits for it.
/** @import { Catalogue } from "../lang/en.js" */
/** @import { Tag } from "./i18n.js" */
import en from "../lang/en.js";
import { bestLanguage, direction, language, speak } from "./i18n.js";
import { Store } from "./storage.js";
import { backing } from "./theme.js";

/** The texts of each language. English is always there.
 * @type {Record<Exclude<Tag, "en">, () => Promise<{ default: Catalogue }>>} */
const CATALOGUES = {
  de: () => import("../lang/de.js"),
  "xx-pseudo": () => import("../lang/xx-pseudo.js"),
};

const store = new Store(backing());

/** Returns the tag of the chosen language; "": the browser's. */
export function chosenLanguage() {
  const stored = store.get("language");
  return typeof stored === "string" ? stored : "";
}

const CHOSEN = "parley:language-chosen"; // in the session storage: the page is loaded again because of a choice

/** Chooses a language and reloads the page in it. Unsent texts survive as drafts and in the outbox.
 * @param {string} tag "" for the browser's */
export function chooseLanguage(tag) {
  store.put("language", tag);
  try {
    sessionStorage.setItem(CHOSEN, "1");
  } catch {
    // blocked: the settings are closed afterwards
  }
  const url = new URL(location.href);
  url.searchParams.delete("lang");
  if (url.href === location.href) location.reload();
  else location.replace(url);
}

/** Reports whether the page was loaded again because a language was chosen: once, to whoever asks first. */
export function languageWasChosen() {
  try {
    const was = sessionStorage.getItem(CHOSEN) !== null;
    sessionStorage.removeItem(CHOSEN);
    return was;
  } catch {
    return false;
  }
}

/** Sets the language. If the network fails, the page stays with English. */
async function setLanguage() {
  const asked = new URLSearchParams(location.search).get("lang"); // for links and tests; not stored
  const [tag, where] = bestLanguage(asked ?? chosenLanguage(), navigator.languages);
  try {
    speak(tag, where, tag === "en" ? en : (await CATALOGUES[tag]()).default);
  } catch {
    // stay with English
  }
  document.documentElement.lang = language();
  document.documentElement.dir = direction();
}

/** Resolves when the language is set. */
export const languageSet = setLanguage();
