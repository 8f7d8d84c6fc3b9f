// tab.js: which tab of the browser this is. The id stays the same when the page is loaded again. No DOM of its own.

const NAME = "parley:tab";

/** Returns the id of this tab. It is in the tab's storage only while no page is open there: a tab that is duplicated
 * copies the storage, and would have the same id otherwise.
 * @param {() => Storage} storage  throws where the browser forbids it
 * @param {EventTarget} page the window  @param {() => string} make a new id */
export function tabId(storage, page, make) {
  const forget = () => attempt(() => storage().removeItem(NAME));
  const id = attempt(() => storage().getItem(NAME)) || make();
  forget();
  page.addEventListener("pagehide", () => attempt(() => storage().setItem(NAME, id)));
  page.addEventListener("pageshow", forget); // shown again without being loaded
  return id;
}

/** @template V  @param {() => V} f  @returns {V | null} null if the browser forbids it */
function attempt(f) {
  try {
    return f();
  } catch {
    return null;
  }
}
