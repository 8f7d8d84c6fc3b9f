// outbox.js: what a person wrote in a room and the server has not acknowledged. It outlives reloads and the
// browser. No DOM, no socket; storage is a parameter.
//
// All tabs of a browser share the outbox, and each message in it has one owner, the tab that it was
// written in. Only the owner sends it, so a tab's messages keep their order and two tabs do not
// race. When the owner is gone (tabs.js tells), another tab makes itself the owner. Should two
// tabs send one message all the same, its nonce makes it one message on the server.
//
// Each message is an item of its own in the storage, because tabs that rewrite one common list
// would overwrite each other's additions.
/** @import { Store } from "../ui/storage.js" */
/** @import { Quote, Refusal } from "../wire/protocol.js" */
import { uuid7 } from "../wire/uuid.js";

/** What a message may be besides its text: an answer to another one, a part of a thread, and that for the room, too.
 * @typedef {{ replyTo?: number, quote?: Quote, thread?: number, echo?: boolean }} MessageOptions */

/** A message kept here. `attempted`: it was sent at least once without an answer, after the event `since`;
 * so it may be stored or not, which only the server knows. `failed`: why it was refused for good.
 * @typedef {MessageOptions & StoredFields} OutboxMessage */
/** @typedef {object} StoredFields
 * @property {string} nonce  UUIDv7: sorts by time, and names the message
 * @property {string} text
 * @property {number} at  when it was written, in milliseconds
 * @property {string} owner  the tab that sends it
 * @property {boolean} attempted
 * @property {number} since
 * @property {{ code: string, message: string } | null} failed
 */

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

  /** Everything in it, of all tabs, oldest first. @returns {readonly OutboxMessage[]} */
  messages() {
    this.#cache ??= this.store.names(this.#prefix).map((name) => this.store.get(name)).filter(isOutboxMessage);
    return this.#cache;
  }

  /** Whether an item of the storage, which another tab has changed, belongs here. If so it is read again.
   * @param {string | null} name null for all items */
  changed(name) {
    if (name !== null && !name.startsWith(this.#prefix)) return false;
    this.#cache = null;
    return true;
  }

  /** @param {string} text  @param {number} now  @param {MessageOptions} [extra]  @returns {OutboxMessage} */
  add(text, now, extra = {}) {
    const message = { nonce: uuid7(now), text, at: now, owner: this.tab, attempted: false, since: 0, failed: null, ...extra };
    this.#put(message);
    return message;
  }

  /** The message that this tab has to send next. @returns {OutboxMessage | undefined} */
  next() {
    return this.messages().find((e) => e.owner === this.tab && !e.failed);
  }

  /** Notes, before it goes out, that a message may arrive though no answer comes.
   * @param {string} nonce  @param {number} since the newest event then known */
  attempt(nonce, since) {
    this.#change(nonce, (e) => (e.attempted ? e : { ...e, attempted: true, since }));
  }

  /** @param {string} nonce  @param {Refusal} refusal */
  fail(nonce, refusal) {
    this.#change(nonce, (e) => ({ ...e, attempted: false, failed: { code: refusal.code, message: refusal.message } }));
  }

  /** The server answered that it has not stored it. @param {string} nonce */
  markNotStored(nonce) {
    this.#change(nonce, (e) => ({ ...e, attempted: false }));
  }

  /** The room's log is another one: which event was the newest before means nothing any more. */
  resetLog() {
    for (const { nonce } of this.messages()) this.#change(nonce, (e) => ({ ...e, since: 0 }));
  }

  /** A failed message goes out again, from this tab. With the nonce of something else it would be refused each time:
   * it gets a new one then. @param {string} nonce */
  retry(nonce) {
    const message = this.messages().find((e) => e.nonce === nonce);
    if (message?.failed?.code === "nonce_used") {
      this.#put({ ...message, nonce: uuid7(message.at), failed: null, owner: this.tab });
      this.remove(nonce);
      return;
    }
    this.#change(nonce, (e) => ({ ...e, failed: null, owner: this.tab }));
  }

  /** Takes a message out: it is stored, or the person wants it back. @param {string} nonce */
  remove(nonce) {
    this.store.remove(this.#prefix + nonce);
    this.#cache = null;
  }

  /** Whether there are messages of tabs other than this one. */
  hasOtherTabs() {
    return this.messages().some((e) => e.owner !== this.tab);
  }

  /** Makes this tab the owner of what belongs to no living tab. @param {ReadonlySet<string>} alive */
  takeOver(alive) {
    this.#cache = null;
    const orphans = this.messages().filter((e) => e.owner !== this.tab && !alive.has(e.owner));
    for (const e of orphans) this.#put({ ...e, owner: this.tab });
    return orphans.length > 0;
  }

  /** @param {string} nonce  @param {(e: OutboxMessage) => OutboxMessage} f */
  #change(nonce, f) {
    const message = this.store.get(this.#prefix + nonce);
    if (isOutboxMessage(message)) this.#put(f(message)); // else another tab has taken it out meanwhile
  }

  /** @param {OutboxMessage} message */
  #put(message) {
    this.store.put(this.#prefix + message.nonce, message);
    this.#cache = null;
  }
}

/** @param {unknown} v  @returns {v is OutboxMessage} */
function isOutboxMessage(v) {
  return typeof v === "object" && v !== null && "nonce" in v && typeof v.nonce === "string" && "text" in v && typeof v.text === "string";
}
