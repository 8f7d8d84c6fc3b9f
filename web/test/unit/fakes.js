// fakes.js: storage, sockets and timers for modules without DOM.
/** @import { Socket } from "../../js/wire/types.js" */

export class MemoryStorage {
  /** @type {Map<string, string>} */
  items = new Map();
  full = false;

  get length() {
    return this.items.size;
  }
  /** @param {string} key */
  getItem(key) {
    return this.items.get(key) ?? null;
  }
  /** @param {string} key  @param {string} value */
  setItem(key, value) {
    if (this.full) throw new DOMException("full", "QuotaExceededError");
    this.items.set(key, value);
  }
  /** @param {string} key */
  removeItem(key) {
    this.items.delete(key);
  }
  /** @param {number} i */
  key(i) {
    return [...this.items.keys()][i] ?? null;
  }
}

/** Timers that run when the test says so. */
export class Timers {
  now = 0;
  /** @type {Map<number, { at: number, f: () => void }>} */
  #waiting = new Map();
  #last = 0;

  setTimeout = (/** @type {() => void} */ f, /** @type {number} */ ms) => {
    this.#waiting.set(++this.#last, { at: this.now + ms, f });
    return this.#last;
  };
  clearTimeout = (/** @type {number} */ id) => {
    this.#waiting.delete(id);
  };

  /** Lets time pass, and waits until the promises of due timers have settled. @param {number} ms */
  async pass(ms) {
    const end = this.now + ms;
    await settle();
    for (;;) {
      const due = [...this.#waiting].filter(([, t]) => t.at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.#waiting.delete(due[0]);
      this.now = due[1].at;
      due[1].f();
      await settle();
    }
    this.now = end;
  }
}

/** Lets all promises that can settle do so. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A socket whose other end is the test. @implements {Socket} */
export class FakeSocket {
  readyState = 0;
  /** @type {Record<string, unknown>[]} */
  sent = [];
  /** @type {Socket["onmessage"]} */
  onmessage = null;
  /** @type {Socket["onopen"]} */
  onopen = null;
  /** @type {Socket["onclose"]} */
  onclose = null;

  /** @param {string} data */
  send(data) {
    this.sent.push(JSON.parse(data));
  }
  close() {
    this.readyState = 3;
  }

  open() {
    this.readyState = 1;
    this.onopen?.(new Event("open"));
  }
  /** @param {object} message */
  say(message) {
    this.onmessage?.(new MessageEvent("message", { data: JSON.stringify(message) }));
  }
  /** Answers the last command. @param {object} fields */
  answer(fields) {
    this.say({ op: "ok", id: this.sent.at(-1)?.["id"], ...fields });
  }
  /** @param {number} [code] with which the server closes it  @param {string} [reason] */
  end(code = 1006, reason = "") {
    this.readyState = 3;
    this.onclose?.(/** @type {CloseEvent} */ (Object.assign(new Event("close"), { code, reason })));
  }
}

/** @param {number} seq  @param {Partial<import("../../js/wire/types.js").MessageState>} [more] */
export const event = (seq, more) => ({
  seq,
  at: Date.UTC(2026, 10, 23, 9) + seq * 1000,
  kind: "message",
  from: { id: "g", name: "Grace" },
  text: `text ${seq}`,
  html: "",
  ...more,
});

/** @param {number} from  @param {number} to */
export const events = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => event(from + i));

/** Returns a function that opens channels, each to all others that it has opened. */
export function channels() {
  /** @type {{ postMessage: (m: unknown) => void, onmessage: ((e: MessageEvent<unknown>) => void) | null }[]} */
  const all = [];
  return () => {
    const me = {
      postMessage: (/** @type {unknown} */ data) =>
        all.filter((c) => c !== me).forEach((c) => c.onmessage?.(new MessageEvent("message", { data }))),
      onmessage: /** @type {((e: MessageEvent<unknown>) => void) | null} */ (null),
    };
    all.push(me);
    return me;
  };
}
