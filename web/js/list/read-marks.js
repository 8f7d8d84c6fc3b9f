// read-marks.js: tells the server how far a person has read each room: a little later and not for each message, at once when they
// go. A room that was marked as unread says nothing more until it is left. Timers are parameters. No DOM.
/** @import { ReadMark } from "../wire/list-frames.js" */
/** @import { AnswerBody } from "../wire/protocol.js" */

const WAIT_MS = 1_000;

/** @typedef {object} Options
 * @property {(f: () => void, ms: number) => number} setTimeout
 * @property {(id: number) => void} clearTimeout
 * @property {(room: string, seq: number, exact: boolean) => Promise<AnswerBody | null>} send  resolves to null when it is not known there
 * @property {(mark: ReadMark) => void} onAnswer
 */

export class ReadMarks {
  /** @type {Map<string, number>} what the server knows */
  #sent = new Map();
  /** @type {Map<string, number>} what it will be told */
  #waiting = new Map();
  /** @type {Set<string>} rooms kept unread */
  #held = new Set();
  #timer = 0;

  /** @param {Options} options */
  constructor(options) {
    this.options = options;
  }

  /** @param {string} room  @param {number} seq */
  seen(room, seq) {
    if (this.#held.has(room) || seq <= Math.max(this.#sent.get(room) ?? 0, this.#waiting.get(room) ?? 0)) return;
    this.#waiting.set(room, seq);
    this.#timer ||= this.options.setTimeout(() => this.flush(), WAIT_MS);
  }

  /** Counts as read up to seq, be it less than before, and stays so. @param {string} room  @param {number} seq */
  hold(room, seq) {
    this.#held.add(room);
    this.#waiting.delete(room);
    this.#send(room, seq, true);
  }

  /** @param {string} room */
  release(room) {
    this.#held.delete(room);
  }

  /** The room has been taken off the list: to say something of it now would bring it back. @param {string} room */
  forget(room) {
    const seq = this.#waiting.get(room);
    this.#waiting.delete(room);
    if (seq !== undefined) this.#sent.set(room, seq);
  }

  /** The room's log is another one: the old numbers mean nothing. @param {string} room */
  resetLog(room) {
    this.#waiting.delete(room);
    this.#sent.delete(room);
  }

  /** Another device of the same person has said so. @param {string} room  @param {number} seq */
  receive(room, seq) {
    this.#sent.set(room, seq);
    if ((this.#waiting.get(room) ?? Infinity) <= seq) this.#waiting.delete(room);
  }

  /** Says now what waits, of one room or of all. @param {string} [only] */
  flush(only) {
    if (only === undefined) {
      this.options.clearTimeout(this.#timer);
      this.#timer = 0;
    }
    for (const [room, seq] of [...this.#waiting]) {
      if (only !== undefined && room !== only) continue;
      this.#waiting.delete(room);
      this.#send(room, seq, false);
    }
  }

  /** There is a connection again: what got no answer is said once more. */
  resend() {
    if (this.#waiting.size > 0) this.#timer ||= this.options.setTimeout(() => this.flush(), WAIT_MS);
  }

  /** @param {string} room  @param {number} seq  @param {boolean} exact */
  async #send(room, seq, exact) {
    const before = this.#sent.get(room) ?? 0;
    this.#sent.set(room, seq);
    const answer = await this.options.send(room, seq, exact);
    if (answer) return this.options.onAnswer({ room, seq: answer.read ?? seq, unread: answer.unread ?? 0, mentions: answer.mentions ?? 0 });
    if (this.#sent.get(room) !== seq) return; // more has been said since
    this.#sent.set(room, before);
    if (!exact && !this.#waiting.has(room)) this.#waiting.set(room, seq);
  }
}
