// tabs.js: finds out which tabs of this browser are open. Tabs ask each other on a BroadcastChannel: browsers slow
// down timers of background tabs, and so a heartbeat, but not the answer to a message; Web Locks exist only in secure
// contexts. No DOM.

const ANSWER_MS = 500; // an open tab answers within a few milliseconds

/** @typedef {{ postMessage: (m: unknown) => void, onmessage: ((e: MessageEvent<unknown>) => void) | null }} Channel */

export class Tabs {
  /** @type {Set<string>} */
  #heard = new Set();

  /** @param {Channel} channel  @param {string} id this tab's  @param {(f: () => void, ms: number) => number} setTimeout
   * @param {() => void} onGone a tab is closing */
  constructor(channel, id, setTimeout, onGone) {
    this.channel = channel;
    this.id = id;
    this.setTimeout = setTimeout;
    channel.onmessage = ({ data }) => {
      if (data === "who") channel.postMessage({ alive: id });
      else if (data === "bye") onGone();
      else if (typeof data === "object" && data !== null && "alive" in data) this.#heard.add(String(data.alive));
    };
    channel.postMessage({ alive: id }); // a tab that has just asked would count this one as closed
  }

  /** Resolves to the ids of all open tabs. @returns {Promise<ReadonlySet<string>>} */
  alive() {
    this.#heard = new Set([this.id]);
    this.channel.postMessage("who");
    return new Promise((resolve) => {
      this.setTimeout(() => resolve(this.#heard), ANSWER_MS);
    });
  }

  /** Tells the other tabs that this one is closing. It may come back: browsers keep pages that one has left. */
  leave() {
    this.channel.postMessage("bye");
  }

  /** Leaves for good: from now on the other tabs count this one as closed. */
  close() {
    this.channel.onmessage = null;
    this.leave();
  }
}
