// load.js: modules that come after the page's first ones, and what happens when the network breaks meanwhile.
import { t } from "./i18n.js";
import { say } from "./toast.js";

const RETRY_MS = 2_000;

/** Loads what the page needs by and by, however often that takes. @template M  @param {() => Promise<M>} load  @returns {Promise<M>} */
export async function loadWithRetry(load) {
  for (;;) {
    try {
      return await load();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** Loads what somebody has asked for, and says so if that cannot be done. @template M  @param {() => Promise<M>} load  @returns {Promise<M | null>} */
export async function loadOrExplain(load) {
  try {
    return await load();
  } catch {
    say(t("error.silent"));
    return null;
  }
}
