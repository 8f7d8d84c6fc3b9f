// load.js: loads modules after the page's first ones, also when the network breaks meanwhile.
import { HeldKeys } from "./held-keys.js";
import { partMissing } from "./page-build.js";
import { pressKey } from "./press-key.js";
import { Waiting } from "./waiting.js";

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

/** Loads a module that the person asked for. The caller opens it as soon as it is there; what the person has typed
 * meanwhile goes to it, and nowhere else. If loading fails, the person is told and may try again. It resolves to null
 * if they go elsewhere.
 * @template M  @param {() => Promise<M>} load  @returns {Promise<M | null>} */
export async function loadOrExplain(load) {
  const waiting = new Waiting((text) => keys.add(text));
  const keys = holdKeys({ isInside: (target) => waiting.contains(target) });
  try {
    for (;;) {
      const loaded = await Promise.race([load().catch(() => FAILED), keys.left]);
      if (loaded !== FAILED) {
        await Promise.race([waiting.composed(), keys.left]);
        setTimeout(() => passOn(keys, waiting.before)); // after the caller has opened it
        return /** @type {M | null} */ (loaded);
      }
      const isOld = await Promise.race([partMissing(), keys.left]); // then the page says so, and is loaded again
      keys.paused = true;
      if (isOld || !(await Promise.race([waiting.failed(), keys.left]))) {
        keys.drop();
        return null;
      }
      keys.paused = false;
    }
  } finally {
    waiting.close();
  }
}

const FAILED = Symbol("failed");

/** Passes on what was held, unless the focus is still where it was before, which it is not meant for.
 * @param {HeldKeys} keys  @param {Element | null} before */
function passOn(keys, before) {
  if (document.activeElement === before) keys.drop();
  else keys.pass();
}

/** Holds the keys that are pressed on this page from now on.
 * @param {Pick<ConstructorParameters<typeof HeldKeys>[0], "isInside" | "waitMs">} how */
export const holdKeys = (how) =>
  new HeldKeys({
    ...how,
    page: document,
    press: pressKey,
    setTimeout: (f, ms) => window.setTimeout(f, ms),
    clearTimeout: (id) => window.clearTimeout(id),
  });
