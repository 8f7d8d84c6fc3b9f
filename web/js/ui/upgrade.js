// upgrade.js: decides when the page loads itself again, because the server has another build of it. While several
// servers are upgraded in turn, some have one build and some the other: a tab loads itself at most once for each build,
// and never goes back by itself. No DOM.
/** @import { Store } from "./storage.js" */

const SPREAD_MS = 5_000; // within this time, so that a thousand pages do not load at the same moment
const RETRY_MS = 15_000; // how often to look whether nothing is being written any more

/** @typedef {object} Deps
 * @property {string} own the build of this page
 * @property {Store} store lives as long as the tab
 * @property {() => boolean} isBusy  whether the person writes, or would lose what is open
 * @property {() => Promise<string>} served  the build that the server has now
 * @property {() => void} offer  tells the person that there is another build
 * @property {() => void} reload
 * @property {(f: () => void, ms: number) => void} setTimeout
 * @property {() => number} random between 0 and 1
 */

export class Upgrade {
  #other = ""; // the build that the page should become; "": none
  #scheduled = false;

  /** @param {Deps} deps */
  constructor(deps) {
    this.deps = deps;
    this.#note("builds", deps.own);
  }

  /** A server has said which build it has. @param {string} build */
  announced(build) {
    if (build === this.deps.own) this.#other = "";
    else if (!this.#noted("builds").includes(build)) this.#prepare(build, SPREAD_MS * this.deps.random());
  }

  /** A part of the page could not be loaded. Resolves to whether that is because the server has another build. */
  async partMissing() {
    const build = await this.deps.served().catch(() => "");
    if (!build || build === this.deps.own) return false;
    this.deps.offer();
    this.#prepare(build, 0);
    return true;
  }

  /** @param {string} build  @param {number} ms */
  #prepare(build, ms) {
    this.#other = build;
    if (this.#noted("reloaded").includes(build) || !this.deps.store.durable) this.deps.offer();
    else this.#schedule(ms);
  }

  /** @param {number} ms */
  #schedule(ms) {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.deps.setTimeout(async () => {
      this.#scheduled = false;
      const build = this.#other;
      if (!build || (await this.#become(build))) return;
      this.#schedule(RETRY_MS);
    }, ms);
  }

  /** Loads the page again if nothing is being written and the server has that build. @param {string} build */
  async #become(build) {
    const { isBusy, offer, reload, served } = this.deps;
    if (isBusy()) offer();
    else if ((await served().catch(() => "")) === build && build === this.#other && !isBusy()) {
      this.#note("reloaded", build);
      if (this.deps.store.durable) reload();
      else offer();
      return true;
    }
    return false;
  }

  /** @param {string} name  @returns {unknown[]} */
  #noted(name) {
    const noted = this.deps.store.get(name);
    return Array.isArray(noted) ? noted : [];
  }

  /** @param {string} name  @param {string} build */
  #note(name, build) {
    this.deps.store.put(name, [...this.#noted(name).filter((b) => b !== build), build]);
  }
}
