// room-session.js: one room of one person on this page: its state, and the parts that change it. The view reads the
// state and calls the methods; the session knows the view only through onChange. No DOM.
/** @import { ServerMessage } from "../wire/protocol.js" */
/** @import { AnswerBody, ListEntry, MessageState, ReadMark, RoomEvent, Status } from "../wire/types.js" */
/** @import { ThreadSession } from "./thread-session.js" */
/** @import { MessageOptions, OutboxMessage, Place, SessionDeps, State, Target } from "./types.js" */
import { Refusal } from "../wire/protocol.js";
import { History } from "./history.js";
import { applyJoin, applyLive, applyPresence, applyTyping, expireTyping } from "./live-events.js";
import { RoomJoin } from "./room-join.js";
import { openWindow, refreshMessages } from "./room-pages.js";
import { addSentMessage, atNewest, begin, isUsable, resetLog, setTopic } from "./room-state.js";
import { Sending } from "./sending.js";
import { holdsAllUnread, markRead, markUnreadFrom, setUnreadCount } from "./unread.js";

const RETRY_MS = 2_000; // after a first page or a join that failed
const MAX_TEXT = 4_000; // until the server names its limit

export class RoomSession {
  /** The thread that is open beside the room. @type {ThreadSession | null} */
  thread = null;
  maxText = MAX_TEXT;
  /** @type {Target | null} */
  target = null;
  #seen = 0; // the seq of the last message in view
  #missed = 0; // when this seq has come, the view goes to the new separator; 0: it does not

  /** @param {SessionDeps} deps */
  constructor(deps) {
    this.deps = deps;
    this.state = begin(deps.room, deps.me);
    const { setTimeout, onChange, memory } = deps;
    this.connection = deps.connection;
    this.sending = new Sending({
      room: deps.room,
      connection: deps.connection,
      store: memory.store,
      channel: deps.channel,
      setTimeout,
      now: deps.now,
      newest: () => Math.max(this.state.head, ...this.state.sentMessages.keys()),
      onStored: (message, seq) => this.#stored(message, seq),
      onChange,
    });
    this.joining = new RoomJoin({
      room: deps.room,
      connection: deps.connection,
      setTimeout,
      state: () => this.state,
      onJoined: (answer, other) => this.#onJoined(answer, other),
    });
    this.history = new History({
      read: (where) => deps.api.messages(deps.room, where),
      setTimeout,
      onRetryable: onChange,
      state: () => this.state,
      change: (f) => this.change(f),
      lastRead: (epoch) => memory.lastRead(deps.room, epoch),
    });
  }

  /** Reads the first page, then joins.
   * @param {number | null} seq the message that the address names
   * @param {Place | null} [place] where the person was before the page was loaded again */
  start(seq, place = null) {
    this.#open(seq, place);
    this.sending.start();
  }

  /** The room comes on the screen: the person joins it, and the messages since they left are marked as new.
   * @param {number} [newest] the room's newest seq according to the list */
  enter(newest = 0) {
    const { head, lastRead } = this.state;
    if (head > 0 && newest > head) {
      this.#missed = newest;
      this.change((s) => ({ ...s, newSeparator: lastRead < head ? (s.newSeparator ?? lastRead) : head }));
    }
    this.joining.enter();
  }

  /** The room has left the screen. Its outbox is still sent. */
  leave() {
    this.joining.leave();
  }

  /** The room is not used on this page any more, or the person is signed out: other tabs send what its outbox holds. */
  close() {
    this.sending.close();
  }

  /** The person has read up to seq on another device or by the list. @param {number} seq */
  readElsewhere(seq) {
    this.change((s) => markRead(s, seq));
    this.deps.memory.advanceLastRead(this.deps.room, this.state.epoch, this.state.lastRead);
  }

  /** Takes the unread count of the server, if the window does not have all unread messages.
   * @param {ReadMark} mark */
  setUnreadCount({ seq, unread }) {
    if (this.state.mayHaveMore && !holdsAllUnread(this.state))
      this.change((s) => setUnreadCount(s, seq, unread));
  }

  /** Takes the topic from the list entry: it may be older than the messages that we hold. @param {ListEntry} entry */
  setListEntry({ topic, seq }) {
    this.change((s) => setTopic(s, topic, seq));
  }

  /** @param {string} text  @param {MessageOptions} [options] */
  send(text, options) {
    this.sending.add(text, options);
    if (!options?.thread || options.echo) {
      this.newest();
      this.change((s) => ({ ...s, newSeparator: null }));
    }
    this.sending.pump();
  }

  typing() {
    // Ephemeral: a failure does not matter.
    if (this.joined) this.connection.request({ op: "typing", room: this.deps.room }).catch(() => undefined);
  }

  /** Goes to the end of the log. */
  async newest() {
    if (!atNewest(this.state)) await this.history.open().catch(() => undefined);
    this.target = { to: "newest" };
    this.change((s) => ({ ...s, following: true, heldUnread: false }));
  }

  /** Goes to a message anywhere in the log. It resolves to false if the room has none with this seq.
   * @param {number} seq  @param {boolean} [quiet] the focus stays where it is */
  async goTo(seq, quiet = false) {
    const held = () => this.state.messages.some((e) => e.seq === seq);
    // If it is not joined, only the server knows.
    if (this.joined && seq > Math.max(this.state.head, this.joining.newest)) return false;
    if (!held()) await this.history.open(seq).catch(() => undefined);
    if (!held()) return false;
    this.#missed = 0; // it is the message that the person wants to see
    this.target = { to: "message", seq, ...(quiet && { quiet }) };
    this.deps.onChange();
    return true;
  }

  get joined() {
    return this.joining.joined;
  }

  /** Takes what the person sees of the room, and moves the read mark.
   * @param {{ following: boolean, reading: boolean, seen: number }} look */
  look({ following, reading, seen }) {
    const before = this.state;
    if (seen > 0) this.#seen = seen;
    let s = before.following === following && before.reading === reading ? before : { ...before, following, reading };
    if (reading && !before.reading && s.heldUnread) s = { ...s, heldUnread: false };
    if (reading) s = markRead(s, seen);
    if (s === before) return;
    this.change(() => s);
    this.deps.memory.advanceLastRead(s.room, s.epoch, s.lastRead);
  }

  /** @param {(s: State) => State} f */
  change(f) {
    const next = f(this.state);
    if (next === this.state) return;
    this.state = next;
    this.deps.onChange();
  }

  /** @param {number | null} seq  @param {Place | null} place */
  async #open(seq, place) {
    try {
      await this.history.open(place?.seq ?? seq ?? undefined);
      const { newSeparator, epoch } = this.state;
      if (!epoch) return;
      if (place) this.target = { to: "place", ...place };
      else if (seq !== null) this.target = { to: "message", seq };
      else this.target = newSeparator !== null ? { to: "new-separator" } : { to: "newest" };
      this.deps.onChange();
      this.joining.join();
    } catch {
      if (!(await this.#showCopy())) this.deps.setTimeout(() => this.#open(seq, place), RETRY_MS);
    }
  }

  /** Shows the messages that this browser holds; joining the room brings those that came since. Resolves to whether
   * there are some. */
  async #showCopy() {
    const page = await this.deps.copy();
    if (!page || this.state.epoch) return false;
    this.change((s) => openWindow(s, page, this.deps.memory.lastRead(page.room, page.epoch)));
    this.target = this.state.newSeparator === null ? { to: "newest" } : { to: "new-separator" };
    this.deps.onChange();
    this.joining.join();
    return true;
  }

  /** The connection was made or lost. @param {Status} status */
  connectionChanged(status) {
    if (status !== "online") {
      this.joining.disconnected();
      this.sending.sender.setOnline(false);
    }
    if (status === "ended") this.close();
    this.deps.onChange();
  }

  /** The server has answered hello. @param {AnswerBody} body */
  onHello(body) {
    if (body.limits?.message_length !== undefined) this.maxText = body.limits.message_length || Infinity;
    if (body.person) this.change((s) => ({ ...s, me: body.person ?? s.me }));
    this.sending.sender.setOnline(true);
    this.joining.join();
  }

  /** The room was joined. @param {AnswerBody} answer  @param {boolean} other whether it has another log now */
  async #onJoined(answer, other) {
    const { epoch } = this.state;
    this.change((s) => applyJoin(other ? resetLog(s, answer.epoch ?? "") : s, answer));
    if (other) await this.#resetLog(answer.epoch ?? epoch);
    if (this.state.messages.length === 0 && this.state.head > 0) await this.newest();
    else if (answer.op === "behind") this.#reread();
    if (!holdsAllUnread(this.state)) this.#count();
    this.thread?.roomJoined(answer);
  }

  /** The server has another log (it was restored from a backup). The old read mark is meaningless, so the server is
   * asked for the new one.
   * @param {string} epoch */
  async #resetLog(epoch) {
    const { room: name, memory, onReset } = this.deps;
    onReset();
    this.sending.outbox.resetLog();
    const answer = await this.connection.request({ op: "read", room: name, seq: 0 }).catch(() => null);
    memory.setLastRead(name, epoch, answer?.read ?? 0);
  }

  /** @param {ServerMessage} m */
  receive(m) {
    if (m.type === "answer" || m.room !== this.deps.room) return;
    if (m.type === "event") this.#applyLive(m.event);
    else if (m.type === "presence") this.change((s) => applyPresence(s, m));
    else if (m.type === "typing") {
      this.change((s) => applyTyping(s, m.from, this.deps.now()));
      this.deps.setTimeout(() => this.change((s) => expireTyping(s, this.deps.now())), 5_100);
    }
    if (m.type === "event") this.#showMissed();
  }

  /** Once the missed messages have come, sends the view to the new separator. */
  #showMissed() {
    if (this.#missed === 0 || this.state.head < this.#missed) return;
    this.#missed = 0;
    this.target = { to: "new-separator" };
    this.deps.onChange();
  }

  /** Reads the page in view again, after events were missed. */
  async #reread() {
    try {
      await this.history.open(this.#seen || undefined);
    } catch {
      this.deps.setTimeout(() => this.#reread(), RETRY_MS);
    }
  }

  /** Asks the server for the unread count, since the window lacks some unread messages. @returns {Promise<void>} */
  async #count() {
    const { room: name, lastRead } = this.state;
    const answer = await this.connection.request({ op: "read", room: name, seq: lastRead }).catch(() => null);
    if (answer?.unread === undefined) return;
    if (this.state.lastRead > lastRead) return this.#count(); // the person has read on meanwhile
    this.change((s) => setUnreadCount(s, answer.read ?? lastRead, answer.unread ?? 0));
  }

  /** @param {RoomEvent} event */
  #applyLive(event) {
    this.change((s) => applyLive(s, event));
    this.thread?.change((s) => applyLive(s, event));
    if (event.kind !== "delete" || !event.target) return;
    if (event.target > this.state.lastRead && this.state.unreadCount > 0 && !holdsAllUnread(this.state)) this.#count();
    this.#recount(event.target);
  }

  /** Reads the first message of a thread again after a reply in it was deleted: only the server knows the newest reply.
   * @param {number} seq */
  async #recount(seq) {
    const { api, room: name } = this.deps;
    const held = this.message(seq);
    if (held && !held.thread) return;
    try {
      const thread = held?.thread ?? (await api.versions(name, seq)).message?.thread;
      if (!thread || !this.message(thread)) return;
      const page = await api.messages(name, { after: thread - 1, limit: 1 });
      if (!isUsable(this.state, page)) throw new Refusal("lost", "More was deleted meanwhile.");
      this.changeAll((s) => refreshMessages(s, page));
    } catch {
      this.deps.setTimeout(() => this.#recount(seq), RETRY_MS);
    }
  }

  /** @param {OutboxMessage} message  @param {number} seq */
  #stored(message, seq) {
    if (!message.thread || message.echo) this.change((s) => addSentMessage(s, seq, message));
    if (message.thread) this.thread?.addSentMessage(seq, message);
    this.deps.onChange();
  }

  /** Shows a thread beside the room. @param {ThreadSession} thread */
  openThread(thread) {
    this.thread = thread;
    thread.start();
    this.deps.onChange();
  }

  closeThread() {
    this.thread = null;
    this.deps.onChange();
  }

  /** Returns a message of the window or of the open thread. @param {number} seq  @returns {MessageState | undefined} */
  message(seq) {
    const { thread } = this;
    return (
      this.state.messages.find((e) => e.seq === seq) ??
      thread?.state.messages.find((e) => e.seq === seq) ??
      (thread?.state.root?.seq === seq ? thread.state.root : undefined)
    );
  }

  /** Marks a message and the later ones as unread. @param {number} seq */
  markUnreadFrom(seq) {
    this.change((s) => markUnreadFrom(s, seq));
  }

  /** Changes the state of the room and that of the open thread. @param {(s: State) => State} f */
  changeAll(f) {
    this.change(f);
    this.thread?.change(f);
  }
}
