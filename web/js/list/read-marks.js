// read-marks.js: tells the server how far the person has read each room: not for each message but a little later, and
// at once when they leave. After a room was marked as unread, nothing is sent until the person leaves it. Timers are
// parameters. No DOM.
/** @import { AnswerBody, ReadMark } from "../wire/types.js" */

const WAIT_MS = 1_000;

/** @typedef {object} Options
 * @property {(f: () => void, ms: number) => number} setTimeout
 * @property {(id: number) => void} clearTimeout
 * @property {(room: string, seq: number, exact: boolean) => Promise<AnswerBody | null>} send  resolves to null if the
 * server did not store it
 * @property {(mark: ReadMark) => void} onAnswer
 */

export class ReadMarks {
  /** @type {Map<string, number>} the read marks that the server has */
  #sent = new Map();
  /** @type {Map<string, number>} the read marks to send */
  #waiting = new Map();
  /** @type {Set<string>} rooms marked as unread */
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

  /** Sets the read mark, also back, and sends no other until release. @param {string} room  @param {number} seq */
  hold(room, seq) {
    this.#held.add(room);
    this.#waiting.delete(room);
    this.#send(room, seq, true);
  }

  /** @param {string} room */
  release(room) {
    this.#held.delete(room);
  }

  /** The room was removed from the list. A read mark would bring it back, so none is sent. @param {string} room */
  forget(room) {
    const seq = this.#waiting.get(room);
    this.#waiting.delete(room);
    if (seq !== undefined) this.#sent.set(room, seq);
  }

  /** Drops the read marks of a room, because it has another log now. @param {string} room */
  resetLog(room) {
    this.#waiting.delete(room);
    this.#sent.delete(room);
  }

  /** The server has sent a read mark: another device has read, or the list came.
   * @param {string} room  @param {number} seq */
  receive(room, seq) {
    this.#sent.set(room, seq);
    if ((this.#waiting.get(room) ?? Infinity) <= seq) this.#waiting.delete(room);
  }

  /** Sends the waiting read marks of one room or of all now. @param {string} [only] */
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

  /** There is a connection again: sends the read marks without an answer again. */
  resend() {
    if (this.#waiting.size > 0) this.#timer ||= this.options.setTimeout(() => this.flush(), WAIT_MS);
  }

  /** @param {string} room  @param {number} seq  @param {boolean} exact */
  async #send(room, seq, exact) {
    const before = this.#sent.get(room) ?? 0;
    this.#sent.set(room, seq);
    const answer = await this.options.send(room, seq, exact);
    if (answer)
      return this.options.onAnswer({
        room,
        seq: answer.read ?? seq,
        unread: answer.unread ?? 0,
        mentions: answer.mentions ?? 0,
      });
    if (this.#sent.get(room) !== seq) return; // a later read mark was sent since
    this.#sent.set(room, before);
    if (!exact && !this.#waiting.has(room)) this.#waiting.set(room, seq);
  }
}
