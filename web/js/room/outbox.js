// outbox.js: the messages of a room that a person has written and the server has not acknowledged. They survive a
// reload and a restart of the browser. No DOM, no socket; storage is a parameter.
//
// All tabs of a browser share the outbox. Each message has one owner, the tab that it was written in. Only the owner
// sends it, so the messages of a tab keep their order and two tabs do not race. When the owner is closed (tabs.js),
// another tab takes the message over. If two tabs send one message all the same, its nonce makes it one message on the
// server.
//
// Each message is an item of its own in the storage, because tabs that rewrite one common list would overwrite each
// other's additions.
/** @import { Store } from "../ui/storage.js" */
/** @import { Refusal } from "../wire/protocol.js" */
/** @import { MessageOptions, OutboxMessage } from "./types.js" */
import { uuid7 } from "../wire/uuid.js";

export class Outbox {
  #prefix;
  /** @type {readonly OutboxMessage[] | null} the messages as last read; null: read again */
  #cache = null;

  /** @param {Store} store  @param {string} room  @param {string} tab */
  constructor(store, room, tab) {
    this.store = store;
    this.tab = tab;
    this.#prefix = `outbox:${room}:`;
  }

  /** Returns the messages of all tabs, oldest first. @returns {readonly OutboxMessage[]} */
  messages() {
    this.#cache ??= this.store
      .names(this.#prefix)
      .map((name) => this.store.get(name))
      .filter(isOutboxMessage);
    return this.#cache;
  }

  /** Reports whether an item of the storage that another tab has changed belongs to this outbox. If so, the next call
   * of messages() reads it again.
   * @param {string | null} name null for all items */
  changed(name) {
    if (name !== null && !name.startsWith(this.#prefix)) return false;
    this.#cache = null;
    return true;
  }

  /** @param {string} text  @param {number} now  @param {MessageOptions} [options]  @returns {OutboxMessage} */
  add(text, now, options = {}) {
    const message = {
      nonce: uuid7(now),
      text,
      at: now,
      owner: this.tab,
      attempted: false,
      since: 0,
      failed: null,
      ...options,
    };
    this.#put(message);
    return message;
  }

  /** Returns the message that this tab has to send next. @returns {OutboxMessage | undefined} */
  next() {
    return this.messages().find((e) => e.owner === this.tab && !e.failed);
  }

  /** Notes before sending that the message may be stored even if no answer comes.
   * @param {string} nonce  @param {number} since the newest event then known */
  attempt(nonce, since) {
    this.#change(nonce, (e) => (e.attempted ? e : { ...e, attempted: true, since }));
  }

  /** @param {string} nonce  @param {Refusal} refusal */
  fail(nonce, refusal) {
    this.#change(nonce, (e) => ({ ...e, attempted: false, failed: { code: refusal.code, message: refusal.message } }));
  }

  /** Notes that the server has not stored the message. @param {string} nonce */
  markNotStored(nonce) {
    this.#change(nonce, (e) => ({ ...e, attempted: false }));
  }

  /** Clears `since` of all messages, because the room has another log now. */
  resetLog() {
    for (const { nonce } of this.messages()) this.#change(nonce, (e) => ({ ...e, since: 0 }));
  }

  /** Sends a failed message again, from this tab. It gets a new nonce if the server had used its nonce for something
   * else, because it would be refused each time. @param {string} nonce */
  retry(nonce) {
    const message = this.messages().find((e) => e.nonce === nonce);
    if (message?.failed?.code === "nonce_used") {
      this.#put({ ...message, nonce: uuid7(message.at), failed: null, owner: this.tab });
      this.remove(nonce);
      return;
    }
    this.#change(nonce, (e) => ({ ...e, failed: null, owner: this.tab }));
  }

  /** Removes a message: it is stored, or the person takes it back. @param {string} nonce */
  remove(nonce) {
    this.store.remove(this.#prefix + nonce);
    this.#cache = null;
  }

  /** Reports whether there are messages of other tabs. */
  hasOtherTabs() {
    return this.messages().some((e) => e.owner !== this.tab);
  }

  /** Makes this tab the owner of the messages whose tabs are closed. It reports whether there were any.
   * @param {ReadonlySet<string>} alive */
  takeOver(alive) {
    this.#cache = null;
    const orphans = this.messages().filter((e) => e.owner !== this.tab && !alive.has(e.owner));
    for (const e of orphans) this.#put({ ...e, owner: this.tab });
    return orphans.length > 0;
  }

  /** @param {string} nonce  @param {(e: OutboxMessage) => OutboxMessage} f */
  #change(nonce, f) {
    const message = this.store.get(this.#prefix + nonce);
    if (isOutboxMessage(message)) this.#put(f(message)); // else another tab has removed it
  }

  /** @param {OutboxMessage} message */
  #put(message) {
    this.store.put(this.#prefix + message.nonce, message);
    this.#cache = null;
  }
}

/** @param {unknown} v  @returns {v is OutboxMessage} */
function isOutboxMessage(v) {
  return (
    typeof v === "object" &&
    v !== null &&
    "nonce" in v &&
    typeof v.nonce === "string" &&
    "text" in v &&
    typeof v.text === "string"
  );
}
