// tabs.js: which tabs of this browser live. Tabs ask each other on a BroadcastChannel: an answer to a
// message is not slowed down in a background tab, as a timer's heartbeat would be, and Web Locks
// exist only in secure contexts. No DOM.

const ANSWER_MS = 500; // a living tab answers within a few milliseconds

/** @typedef {{ postMessage: (m: unknown) => void, onmessage: ((e: MessageEvent<unknown>) => void) | null }} Channel */

export class Tabs {
  /** @type {Set<string>} */
  #heard = new Set();

  /** @param {Channel} channel  @param {string} id this tab's  @param {(f: () => void, ms: number) => number} setTimeout
   * @param {() => void} onGone some tab said goodbye */
  constructor(channel, id, setTimeout, onGone) {
    this.channel = channel;
    this.id = id;
    this.setTimeout = setTimeout;
    channel.onmessage = ({ data }) => {
      if (data === "who") channel.postMessage({ alive: id });
      else if (data === "bye") onGone();
      else if (typeof data === "object" && data !== null && "alive" in data) this.#heard.add(String(data.alive));
    };
  }

  /** Returns the ids of all living tabs. @returns {Promise<ReadonlySet<string>>} */
  alive() {
    this.#heard = new Set([this.id]);
    this.channel.postMessage("who");
    return new Promise((resolve) => {
      this.setTimeout(() => resolve(this.#heard), ANSWER_MS);
    });
  }

  leave() {
    this.channel.postMessage("bye");
  }
}
