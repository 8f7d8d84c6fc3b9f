// thread-session.js: a thread that is open beside its room. It is a room's log once more, of the replies alone: it hears
// what the room hears, and what is written in it goes through the room's outbox.
/** @import { Entry, Extra } from "../outbox.js" */
/** @import { Body } from "../protocol.js" */
/** @import { RoomSession, Target } from "../room-session.js" */
/** @import { State } from "../room-state.js" */
import { History } from "../history.js";
import { Refusal, passes } from "../protocol.js";
import * as room from "../room-state.js";

const RETRY_MS = 2_000;

export class ThreadSession {
  /** Whether the person hears of new replies; null: not known yet. @type {boolean | null} */
  followed = null;
  /** Why there is nothing to see, "" if there is. */
  refused = "";
  /** @type {Target | null} */
  target = null;

  /** @param {RoomSession} session  @param {number} seq of its first message */
  constructor(session, seq) {
    this.session = session;
    this.seq = seq;
    this.state = room.beginThread(session.state, seq);
    const { api, room: name, setTimeout, onChange } = session.deps;
    this.history = new History({
      read: async (where) => {
        const page = await api.replies(name, seq, where);
        this.followed ??= page.following ?? null;
        return page;
      },
      setTimeout, onPaused: onChange,
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
      if (err instanceof Refusal && !passes(err.code)) this.refused = err.message;
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

  /** The room has been joined again. @param {Body} answer */
  joined(answer) {
    const { epoch, me } = this.session.state;
    if (answer.op === "ok" && epoch === this.state.epoch) return;
    this.change((s) => room.joined(epoch === s.epoch && !answer.reset ? s : room.restarted({ ...s, me }, epoch), answer));
    this.start();
  }

  /** @param {number} seq  @param {Entry} entry */
  acknowledged(seq, entry) {
    if (entry.thread === this.seq) this.change((s) => room.acknowledged(s, seq, entry));
  }

  /** @param {string} text  @param {Extra} extra */
  send(text, extra) {
    this.session.send(text, { ...extra, thread: this.seq });
    this.followed = true; // who takes part follows
    this.newest();
  }

  /** Goes to a reply, as soon as it is there. @param {number} seq */
  goTo(seq) {
    this.target = { to: "message", seq };
    this.session.deps.onChange();
  }

  async newest() {
    if (!room.atNewest(this.state)) await this.history.open().catch(() => undefined);
    this.target = { to: "newest" };
    this.change((s) => ({ ...s, following: true }));
  }

  /** @param {{ following: boolean }} look */
  look({ following }) {
    if (following !== this.state.following) this.change((s) => ({ ...s, following }));
  }

  /** @param {boolean} on */
  async follow(on) {
    const before = this.followed;
    this.followed = on;
    this.session.deps.onChange();
    try {
      await this.session.follow(this.seq, on);
    } catch (err) {
      this.followed = before;
      this.session.deps.onChange();
      throw err;
    }
  }
}
