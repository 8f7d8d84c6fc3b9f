// load.js: loads modules after the page's first ones, also when the network breaks meanwhile.
import { t } from "./i18n.js";
import { say } from "./toast.js";

const RETRY_MS = 2_000;

/** Loads a module that the page needs. It retries until it succeeds.
 * @template M  @param {() => Promise<M>} load  @returns {Promise<M>} */
export async function loadWithRetry(load) {
  for (;;) {
    try {
      return await load();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** Loads a module that the person asked for. If that fails it shows a message and resolves to null.
 * @template M  @param {() => Promise<M>} load  @returns {Promise<M | null>} */
export async function loadOrExplain(load) {
  try {
    return await load();
  } catch {
    say(t("error.silent"));
    return null;
  }
}
