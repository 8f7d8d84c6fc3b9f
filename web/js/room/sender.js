// sender.js: sends the outbox to the server, one message after the other, so that messages are stored in the order in
// which they were written. No DOM.
/** @import { AnswerBody, Command } from "../wire/types.js" */
/** @import { Outbox } from "./outbox.js" */
/** @import { OutboxMessage } from "./types.js" */
import { Refusal, isRetryable } from "../wire/protocol.js";

const RETRY_MS = 1_000; // if the refusal names no time; doubles with each refusal in a row
const RETRY_MAX_MS = 30_000;

/** @typedef {object} Options
 * @property {Outbox} outbox
 * @property {string} room
 * @property {(command: Command) => Promise<AnswerBody>} request
 * @property {() => number} newest returns the seq of the newest event known
 * @property {(f: () => void, ms: number) => unknown} setTimeout
 * @property {(message: OutboxMessage, seq: number) => void} onStored
 * @property {() => void} onChange a message has changed
 */

export class Sender {
  /** The code of the refusal for which the first message waits; "": it does not wait. */
  waitingFor = "";
  #online = false;
  #busy = false;
  #refused = 0; // times in a row

  /** @param {Options} options */
  constructor(options) {
    this.options = options;
  }

  /** @param {boolean} online */
  setOnline(online) {
    this.#online = online;
    if (online) this.pump();
  }

  /** Sends the messages of the outbox, unless it is sending already or has to wait. */
  async pump() {
    while (this.#online && !this.#busy && !this.waitingFor) {
      const message = this.options.outbox.next();
      if (!message) return;
      this.#busy = true;
      await this.#send(message);
      this.#busy = false;
    }
  }

  /** @param {OutboxMessage} message */
  async #send(message) {
    const { nonce, text, replyTo, thread, echo } = message;
    const { outbox, room, request, newest, onStored, onChange } = this.options;
    outbox.attempt(nonce, newest());
    try {
      const answer = await request({ op: "send", room, nonce, text, reply_to: replyTo, thread, echo });
      this.#refused = 0;
      outbox.remove(nonce);
      const became = answer.kind ?? "message";
      if (became === "message" || became === "reply") onStored(message, answer.seq ?? 0);
      else onChange(); // it was a slash command that is not stored as a message
    } catch (err) {
      const refusal = err instanceof Refusal ? err : new Refusal("internal", String(err));
      if (refusal.code === "lost")
        this.#online = false; // until setOnline; the message may or may not be stored
      else if (isRetryable(refusal.code)) this.#wait(nonce, refusal);
      else outbox.fail(nonce, refusal);
      onChange();
    }
  }

  /** @param {string} nonce  @param {Refusal} refusal */
  #wait(nonce, refusal) {
    this.options.outbox.markNotStored(nonce);
    this.waitingFor = refusal.code;
    const ms = refusal.retryAfterMs ?? Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** this.#refused);
    this.#refused++;
    this.options.setTimeout(() => {
      this.waitingFor = "";
      this.pump();
      this.options.onChange();
    }, ms);
  }
}
