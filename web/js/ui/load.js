// load.js: loads modules after the page's first ones, also when the network breaks meanwhile.
import { HeldKeys } from "./held-keys.js";
import { t } from "./i18n.js";
import { partMissing } from "./page-build.js";
import { pressKey } from "./press-key.js";
import { say } from "./toast.js";

const RETRY_MS = 2_000;

/** Loads a module that the page needs. It retries until it succeeds.
 * @template M  @param {() => Promise<M>} load  @returns {Promise<M>} */
export async function loadWithRetry(load) {
  for (;;) {
    try {
      return await load();
    } catch {
      await partMissing();
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** Loads a module that the person asked for. The caller opens it as soon as it is there; the keys that the person has
 * pressed meanwhile go to it. If loading fails it shows a message. It resolves to null then, and if the person has gone
 * elsewhere.
 * @template M  @param {() => Promise<M>} load  @returns {Promise<M | null>} */
export async function loadOrExplain(load) {
  const keys = holdKeys();
  try {
    const loaded = await Promise.race([load(), keys.left]);
    setTimeout(() => keys.pass()); // after the caller has opened it
    return loaded;
  } catch {
    keys.drop();
    if (!(await partMissing())) say(t("error.silent"));
    return null;
  }
}

/** Holds the keys that are pressed on this page from now on. */
export const holdKeys = () =>
  new HeldKeys({
    page: document,
    press: pressKey,
    setTimeout: (f, ms) => window.setTimeout(f, ms),
    clearTimeout: (id) => window.clearTimeout(id),
  });
