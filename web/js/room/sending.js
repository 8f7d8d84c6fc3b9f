// sending.js: what the person writes in a room on its way to the server: the outbox, its sender, and messages that
// other tabs left in their outboxes when they were closed. No DOM.
/** @import { MessageOptions, SendingOptions } from "./types.js" */
import { uuid7 } from "../wire/uuid.js";
import { Outbox } from "./outbox.js";
import { Sender } from "./sender.js";
import { Tabs } from "./tabs.js";

const TAKE_OVER_MS = 15_000; // how often to look for messages of closed tabs

export class Sending {
  #closed = false;

  /** @param {SendingOptions} options */
  constructor(options) {
    const { channel, connection, newest, now, onChange, onStored, room, setTimeout, store } = options;
    this.options = options;
    this.outbox = new Outbox(store, room, uuid7(now()));
    this.sender = new Sender({
      outbox: this.outbox,
      room,
      request: (command) => connection.request(command),
      setTimeout,
      onChange,
      newest,
      onStored,
    });
    this.tabs = new Tabs(channel, this.outbox.tab, setTimeout, () => this.#takeOver());
  }

  /** Takes over the messages of closed tabs, now and periodically. */
  start() {
    if (this.#closed) return;
    this.#takeOver();
    this.options.setTimeout(() => this.start(), TAKE_OVER_MS);
  }

  /** Other tabs send what the outbox holds. */
  close() {
    this.#closed = true;
    this.sender.setOnline(false);
    this.tabs.close();
  }

  /** Writes a message into the outbox. The next pump sends it.
   * @param {string} text  @param {MessageOptions} [options] */
  add(text, options) {
    this.outbox.add(text, this.options.now(), options);
  }

  pump() {
    this.sender.pump();
    this.options.onChange();
  }

  /** @param {string} nonce */
  retry(nonce) {
    this.outbox.retry(nonce);
    this.pump();
  }

  /** Takes an unsent message back and returns its text. @param {string} nonce */
  takeBack(nonce) {
    const text = this.outbox.messages().find((e) => e.nonce === nonce)?.text ?? "";
    this.outbox.remove(nonce);
    this.options.onChange();
    return text;
  }

  /** Another tab has changed the shared storage. @param {string | null} name */
  storageChanged(name) {
    if (this.outbox.changed(name)) this.options.onChange();
  }

  async #takeOver() {
    if (!this.outbox.hasOtherTabs()) return;
    const alive = await this.tabs.alive();
    if (!this.#closed && this.outbox.takeOver(alive)) this.pump();
  }
}
