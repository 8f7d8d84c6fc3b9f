// thread-session.js: a thread that is open beside its room: a log of its own with the replies alone. It gets the live
// events of the room, and its messages go through the room's outbox. No DOM.
/** @import { Api } from "../wire/api.js" */
/** @import { AnswerBody } from "../wire/types.js" */
/** @import { MessageOptions, OutboxMessage, State, Target } from "./types.js" */
import { Refusal, isRetryable } from "../wire/protocol.js";
import { History } from "./history.js";
import { applyJoin } from "./live-events.js";
import { addSentMessage, atNewest, beginThread, resetLog } from "./room-state.js";

const RETRY_MS = 2_000;

/** What a thread needs of its room's session.
 * @typedef {object} Room
 * @property {{ room: string, api: Api, setTimeout: (f: () => void, ms: number) => unknown, onChange: () => void }} deps
 * @property {State} state
 * @property {unknown} thread  the thread that is open beside the room
 * @property {(text: string, options: MessageOptions) => void} send
 */

export class ThreadSession {
  /** Whether the person is told of new replies; null: not known yet. @type {boolean | null} */
  subscribed = null;
  /** Why the thread cannot be shown; "": it can. */
  refused = "";
  /** @type {Target | null} */
  target = null;

  /** @param {Room} session  @param {number} seq of its first message
   * @param {{ subscribeThread: (seq: number, on: boolean) => Promise<unknown> }} commands */
  constructor(session, seq, commands) {
    this.session = session;
    this.commands = commands;
    this.seq = seq;
    this.state = beginThread(session.state, seq);
    const { api, room: name, setTimeout, onChange } = session.deps;
    this.history = new History({
      read: async (where) => {
        const page = await api.replies(name, seq, where);
        this.subscribed ??= page.subscribed ?? null;
        return page;
      },
      setTimeout,
      onRetryable: onChange,
      state: () => this.state,
      change: (f) => this.change(f),
      lastRead: () => 0,
    });
  }

  async start() {
    try {
      await this.history.open();
      this.target ??= { to: "newest" };
      this.change((s) => ({ ...s, following: true }));
    } catch (err) {
      if (err instanceof Refusal && !isRetryable(err.code)) this.refused = err.message;
      else this.session.deps.setTimeout(() => this.session.thread === this && this.start(), RETRY_MS);
    }
    this.session.deps.onChange();
  }

  /** @param {(s: State) => State} f */
  change(f) {
    const next = f(this.state);
    if (next === this.state) return;
    this.state = next;
    this.session.deps.onChange();
  }

  /** The room was joined again: reads the thread again if events may be missing. @param {AnswerBody} answer */
  roomJoined(answer) {
    const { epoch, me } = this.session.state;
    if (answer.op === "ok" && epoch === this.state.epoch) return;
    this.change((s) =>
      applyJoin(epoch === s.epoch && !answer.reset ? s : resetLog({ ...s, me }, epoch), answer),
    );
    this.start();
  }

  /** @param {number} seq  @param {OutboxMessage} message */
  addSentMessage(seq, message) {
    if (message.thread === this.seq) this.change((s) => addSentMessage(s, seq, message));
  }

  /** @param {string} text  @param {MessageOptions} options */
  send(text, options) {
    this.session.send(text, { ...options, thread: this.seq });
    this.subscribed = true; // the server subscribes who writes
    this.newest();
  }

  /** Goes to a reply as soon as it is loaded.
   * @param {number} seq  @param {boolean} [quiet] the focus stays where it is */
  goTo(seq, quiet = false) {
    this.target = { to: "message", seq, ...(quiet && { quiet }) };
    this.session.deps.onChange();
  }

  async newest() {
    if (!atNewest(this.state)) await this.history.open().catch(() => undefined);
    this.target = { to: "newest" };
    this.change((s) => ({ ...s, following: true }));
  }

  /** @param {{ following: boolean }} look */
  look({ following }) {
    if (following !== this.state.following) this.change((s) => ({ ...s, following }));
  }

  /** @param {boolean} on */
  async subscribe(on) {
    const before = this.subscribed;
    this.subscribed = on;
    this.session.deps.onChange();
    try {
      await this.commands.subscribeThread(this.seq, on);
    } catch (err) {
      this.subscribed = before;
      this.session.deps.onChange();
      throw err;
    }
  }
}
