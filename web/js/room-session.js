// room-session.js: one room of one person on this page: the state, and the parts that change it. The view
// reads it and calls its verbs; it knows nothing of the view but onChange.
/** @import { Api } from "./api.js" */
/** @import { Connection, Status } from "./connection.js" */
/** @import { Body, Person, ServerMessage } from "./protocol.js" */
/** @import { Remembered } from "./remembered.js" */
/** @import { State } from "./room-state.js" */
/** @import { Channel } from "./tabs.js" */
import { History } from "./history.js";
import { Outbox } from "./outbox.js";
import { Refusal } from "./protocol.js";
import * as room from "./room-state.js";
import { Sender } from "./sender.js";
import { Tabs } from "./tabs.js";
import { uuid7 } from "./uuid.js";

const RETRY_MS = 2_000; // after a first page or a join that failed
const ADOPT_MS = 15_000; // how often to look whether another tab left messages behind
const MAX_TEXT = 4_000; // until the server has said its limit

/** Where the view has to go once it has drawn.
 * @typedef {{ to: "newest" } | { to: "mark" } | { to: "message", seq: number }} Target */

/** @typedef {object} Deps
 * @property {string} room  canonical
 * @property {Person} me
 * @property {Api} api
 * @property {Remembered} remembered
 * @property {Pick<Connection, "request" | "status">} connection  shared with all rooms of the page
 * @property {Channel} channel  to the other tabs
 * @property {(f: () => void, ms: number) => number} setTimeout
 * @property {() => number} now
 * @property {() => void} onChange
 */

export class RoomSession {
  maxText = MAX_TEXT;
  joined = false; // on the present connection
  /** @type {Target | null} */
  target = null;
  #joining = false;
  #here = false; // on the screen
  #missed = 0; // when this seq is there, the view goes to the first message that was missed

  /** @param {Deps} deps */
  constructor(deps) {
    this.deps = deps;
    this.state = room.begin(deps.room, deps.me);
    const { setTimeout, onChange, remembered } = deps;
    this.connection = deps.connection;
    const request = (/** @type {Parameters<Connection["request"]>[0]} */ c) => this.connection.request(c);
    this.outbox = new Outbox(remembered.store, deps.room, uuid7(deps.now()));
    this.sender = new Sender({
      outbox: this.outbox, room: deps.room, request, setTimeout, onChange,
      newest: () => Math.max(this.state.head, ...this.state.acked.keys()),
      onStored: (entry, seq) => this.change((s) => room.acknowledged(s, seq, entry)),
    });
    this.history = new History({
      api: deps.api, room: deps.room, setTimeout, onPaused: onChange,
      state: () => this.state,
      change: (f) => this.change(f),
      lastRead: (epoch) => remembered.lastRead(deps.room, epoch),
    });
    this.tabs = new Tabs(deps.channel, this.outbox.tab, setTimeout, () => this.#adopt());
  }

  /** @param {number | null} seq the message that the address names */
  start(seq) {
    this.#open(seq);
    this.#adoptNowAndThen();
  }

  /** The room comes on the screen: one is in it, and others see that. What was said meanwhile is marked as new.
   * @param {number} [newest] the room's newest seq as the list knows it */
  enter(newest = 0) {
    this.#here = true;
    const { head, lastRead } = this.state;
    if (head > 0 && newest > head) {
      this.#missed = newest;
      this.change((s) => ({ ...s, mark: lastRead < head ? (s.mark ?? lastRead) : head }));
    }
    this.#join();
  }

  /** It is on the screen no more. What was written there is sent all the same. */
  leave() {
    this.#here = false;
    if (!this.joined) return;
    this.joined = false;
    this.connection.request({ op: "leave", room: this.deps.room }).catch(() => undefined); // lost: then one is not there either
  }

  /** The person has read up to seq on another device. @param {number} seq */
  readElsewhere(seq) {
    this.change((s) => room.read(s, seq));
    this.deps.remembered.keepLastRead(this.deps.room, this.state.epoch, this.state.lastRead);
  }

  /** @param {string} text */
  send(text) {
    this.outbox.add(text, this.deps.now());
    this.newest();
    this.change((s) => ({ ...s, mark: null }));
    this.sender.pump();
  }

  /** @param {string} nonce */
  retry(nonce) {
    this.outbox.retry(nonce);
    this.sender.pump();
    this.deps.onChange();
  }

  /** Takes an unsent message back and returns its text. @param {string} nonce */
  takeBack(nonce) {
    const text = this.outbox.entries().find((e) => e.nonce === nonce)?.text ?? "";
    this.outbox.remove(nonce);
    this.deps.onChange();
    return text;
  }

  typing() {
    if (this.joined) this.connection.request({ op: "typing", room: this.deps.room }).catch(() => undefined); // of the moment: not worth a word
  }

  /** Goes to the end of the log. */
  async newest() {
    if (!room.atNewest(this.state)) await this.history.open().catch(() => undefined);
    this.target = { to: "newest" };
    this.change((s) => ({ ...s, following: true }));
  }

  /** Goes to a message, wherever in the log it is. It resolves to false if there is none.
   * @param {number} seq */
  async goTo(seq) {
    const held = () => this.state.events.some((e) => e.seq === seq);
    if (this.state.epoch && seq > this.state.head) return false;
    if (!held()) await this.history.open(seq).catch(() => undefined);
    if (!held()) return false;
    this.target = { to: "message", seq };
    this.deps.onChange();
    return true;
  }

  /** What the person sees of the page. @param {{ following: boolean, reading: boolean, seen: number }} look */
  look({ following, reading, seen }) {
    const before = this.state;
    let s = before.following === following && before.reading === reading ? before : { ...before, following, reading };
    if (reading) s = room.read(s, seen);
    if (s === before) return;
    this.change(() => s);
    this.deps.remembered.keepLastRead(s.room, s.epoch, s.lastRead);
  }

  /** Another tab has changed the common storage. @param {string | null} name */
  storageChanged(name) {
    if (this.outbox.changed(name)) this.deps.onChange();
  }

  /** @param {(s: State) => State} f */
  change(f) {
    const next = f(this.state);
    if (next === this.state) return;
    this.state = next;
    this.deps.onChange();
  }

  /** @param {number | null} seq */
  async #open(seq) {
    try {
      await this.history.open(seq ?? undefined);
      const { mark, epoch } = this.state;
      if (!epoch) return;
      this.target = seq !== null ? { to: "message", seq } : mark !== null ? { to: "mark" } : { to: "newest" };
      this.deps.onChange();
      this.#join();
    } catch {
      this.deps.setTimeout(() => this.#open(seq), RETRY_MS);
    }
  }

  /** The page's connection comes or goes. @param {Status} status */
  connected(status) {
    if (status !== "online") {
      this.joined = false;
      this.sender.setOnline(false);
    }
    this.deps.onChange();
  }

  /** The server knows who one is. @param {Body} body */
  hello(body) {
    if (body.limits?.message_length !== undefined) this.maxText = body.limits.message_length || Infinity;
    if (body.person) this.change((s) => ({ ...s, me: body.person ?? s.me }));
    this.sender.setOnline(true);
    this.#join();
  }

  /** Joins once both the connection and the first page are there. */
  async #join() {
    const { epoch, head } = this.state;
    if (!epoch || !this.#here || this.joined || this.#joining || this.connection.status !== "online") return;
    this.#joining = true;
    try {
      const answer = await this.connection.request({ op: "join", room: this.deps.room, after: head, epoch });
      this.joined = true;
      this.change((s) => {
        const other = answer.epoch !== undefined && answer.epoch !== s.epoch;
        return room.joined(other ? room.restarted(s, answer.epoch ?? "") : s, answer);
      });
      if (this.state.events.length === 0 && this.state.head > 0) await this.newest();
    } catch (err) {
      if (err instanceof Refusal && err.code === "lost") return; // the next hello joins
      this.deps.setTimeout(() => this.#join(), (err instanceof Refusal && err.retryAfterMs) || RETRY_MS);
    } finally {
      this.#joining = false;
      if (!this.#here) this.leave(); // left while the answer was on its way
    }
  }

  /** @param {ServerMessage} m */
  heard(m) {
    if (m.type === "answer" || m.room !== this.deps.room) return;
    if (m.type === "event") this.change((s) => room.received(s, m.event));
    else if (m.type === "presence") this.change((s) => room.presence(s, m));
    else if (m.type === "typing") {
      this.change((s) => room.typing(s, m.from, this.deps.now()));
      this.deps.setTimeout(() => this.change((s) => room.quiet(s, this.deps.now())), 5_100);
    }
    if (m.type === "event") this.#arrived();
  }

  /** What was said while one was elsewhere has come: the view goes where it begins. */
  #arrived() {
    if (this.#missed === 0 || this.state.head < this.#missed) return;
    this.#missed = 0;
    this.target = { to: "mark" };
    this.deps.onChange();
  }

  async #adopt() {
    if (!this.outbox.hasForeign()) return;
    if (!this.outbox.adopt(await this.tabs.alive())) return;
    this.deps.onChange();
    this.sender.pump();
  }

  #adoptNowAndThen() {
    this.#adopt();
    this.deps.setTimeout(() => this.#adoptNowAndThen(), ADOPT_MS);
  }
}
