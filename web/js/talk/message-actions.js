// message-actions.js: what people do with messages. It listens to the intents of rows, composers and panels, opens
// dialogs where a question has to be asked, calls the session's methods, and shows errors. There is one for each room
// that is shown; it is loaded after the messages.
/** @import { MessageList } from "../room/message-list.js" */
/** @import { RoomSession } from "../room/room-session.js" */
/** @import { RoomView } from "../room/room-view.js" */
/** @import { MessageState, SlashCommand } from "../wire/types.js" */
/** @import { Word } from "./completion.js" */
import { Bookmarks } from "../find/bookmarks.js";
import { MessageComposer, applySettings } from "../room/composer.js";
import { plainText } from "../room/plain-text.js";
import { written } from "../room/slash-commands.js";
import { ThreadSession } from "../room/thread-session.js";
import { copyText } from "../ui/clipboard.js";
import { emit, listen, part } from "../ui/dom.js";
import { reason, t } from "../ui/i18n.js";
import { loadOrExplain } from "../ui/load.js";
import { SidePanel, sidePanel } from "../ui/side-panel.js";
import { firstOf, isolate } from "../ui/text.js";
import { say } from "../ui/toast.js";
import { translated } from "./command-texts.js";
import { suggestCommands, suggestEmoji, suggestPeople } from "./completion.js";
import { EmojiBook } from "./emoji.js";
import { addFormatBar } from "./format-bar.js";
import { lastEditable } from "./last-message.js";
import { MessageCommands } from "./message-commands.js";
import { askForDay, askForTopic, askToRemove, askWhereTo, showHelp, showVersions } from "./message-dialogs.js";
import { pasteInto } from "./paste-into.js";
import { PinsPanel } from "./pins-panel.js";
import { RoomTopic } from "./room-topic.js";
import { RowActions } from "./row-actions.js";
import { Suggestions } from "./suggestions.js";
import { ThreadPanel } from "./thread-panel.js";

const EXCERPT = 200; // characters (code points) of a quote

export class MessageActions {
  #pins = new PinsPanel();
  /** @type {ThreadPanel | null} */
  #thread = null;
  /** @type {Promise<SlashCommand[]> | null} */
  #commands = null;

  /** @param {RoomView} view  @param {RoomSession} session */
  constructor(view, session) {
    const { api, memory } = session.deps;
    this.view = view;
    this.session = session;
    this.commands = new MessageCommands(session);
    this.api = api;
    this.memory = memory;
    this.book = new EmojiBook(api, memory.store);
    this.bookmarks = Bookmarks.of(api);
    this.#offer(view.list, false);
    this.#listenToActions(view, () => view.composer);
    this.#listenToActions(this.#pins, () => view.composer);
    this.#listenToComposer(view, view.composer);
    listen(view, "edit-topic", () => this.#changeTopic());
    listen(view, "jump-to-date", () => this.#jumpToDate());
    const button = part(view, ".pins-button", HTMLButtonElement);
    button.addEventListener("click", () => this.#togglePins());
  }

  /** The room is on the screen. @param {AbortSignal} left aborted when it leaves the screen */
  roomShown(left) {
    sidePanel().addEventListener(
      "parley:panel",
      () => {
        const { name } = sidePanel();
        part(this.view, ".pins-button", HTMLElement).setAttribute("aria-expanded", String(name === "pins"));
        if (name !== "thread") this.#closeThread();
      },
      { signal: left },
    );
  }

  /** The room has left the screen: closes its panels. */
  roomHidden() {
    const panel = document.querySelector("side-panel");
    if (panel instanceof SidePanel) for (const name of ["thread", "pins"]) panel.close(name);
    this.#closeThread();
  }

  /** Draws the topic and the open panel. */
  draw() {
    const { session, view } = this;
    const { topic, topicAt, epoch, head } = session.state;
    part(view, "room-topic", RoomTopic).show(topic, epoch !== "" && (topicAt > 0 || head === 0));
    if (this.#pins.isConnected) this.#pins.draw(session);
    if (this.#thread?.isConnected) this.#thread.draw(session);
  }

  /** Adds the actions to the messages of a log. @param {MessageList} list  @param {boolean} inThread */
  #offer(list, inThread) {
    new RowActions(
      list.log,
      inThread,
      (n) => this.book.recent(n),
      (seq) => this.bookmarks.has(this.session.deps.room, seq),
    );
  }

  /** @param {HTMLElement} on  @param {() => MessageComposer} composer where its messages are answered and edited */
  #listenToActions(on, composer) {
    const { session, api } = this;
    const { room } = session.deps;
    const me = () => session.state.me;
    /** @param {string} name  @param {(seq: number) => void} then */
    const act = (name, then) => listen(on, name, then);
    listen(on, "react", ({ seq, emoji }) => this.#react(seq, emoji));
    on.addEventListener("parley:pick", (e) => {
      const anchor = e.target instanceof HTMLElement ? e.target : on;
      if (e instanceof CustomEvent)
        this.#pick(anchor).then((emoji) => emoji && this.#react(Number(e.detail), emoji, true));
    });
    act("reply", (seq) => {
      const m = session.message(seq);
      if (m) composer().write({ to: "answer", seq, from: m.from, text: firstOf(plainText(m), EXCERPT) });
    });
    act("edit", (seq) => {
      const m = session.message(seq);
      if (m) edit(composer(), m);
    });
    act("thread", (seq) => this.#openThread(seq));
    act("jump", (seq) => this.jump(seq));
    act("pin", (seq) => this.#try(this.commands.pin(seq, !session.message(seq)?.pinned)));
    act("unpin", (seq) => this.#try(this.commands.pin(seq, false)));
    act("bookmark", (seq) => this.#setBookmark(seq));
    act("unread", (seq) => session.markUnreadFrom(seq));
    act("copy-text", async (seq) =>
      say((await copyText(session.message(seq)?.text ?? "")) ? t("action.copied") : t("action.not-copied")),
    );
    act("forward", async (seq) => {
      const to = await askWhereTo(
        this.memory
          .visits()
          .map((v) => v.room)
          .filter((r) => r !== room),
      );
      if (to) this.#try(this.commands.forward(seq, to), t("action.forwarded", { room: isolate(to) }));
    });
    act("remove", async (seq) => {
      const m = session.message(seq);
      if (m && (await askToRemove(m, me())) && (await this.#try(this.commands.remove(seq)))) composer().drop(seq);
    });
    act("versions", async (seq) => {
      const m = session.message(seq);
      const answer = await this.#try(api.versions(room, seq));
      if (m && answer) showVersions(answer.versions, m, me());
    });
  }

  /** @param {HTMLElement} on  @param {MessageComposer} composer */
  #listenToComposer(on, composer) {
    const suggestions = new Suggestions(
      composer.field,
      part(composer, "form", HTMLElement),
      (word) => this.#suggest(word),
    );
    composer.assistant = suggestions;
    if (this.view.deps) addFormatBar(composer, this.view.deps.settings);
    composer.field.addEventListener("paste", (e) => pasteInto(composer, e));
    listen(on, "pick-for-text", async (/** @type {HTMLElement} */ anchor) => {
      const emoji = await this.#pick(anchor);
      if (emoji) composer.insert(emoji);
    });
    listen(on, "edited", async ({ seq, text }) => {
      if (await this.#try(this.commands.edit(seq, text))) composer.done(seq);
    });
    listen(on, "edit-last", () => this.#editLast(on, composer));
    listen(on, "command", ({ name, args }) => this.#command(name, args));
  }

  /** Edits the person's last message and shows it; without one, moves the focus into the log.
   * @param {HTMLElement} on  @param {MessageComposer} composer */
  async #editLast(on, composer) {
    const { session, api } = this;
    const { room, me } = session.deps;
    const thread = on === this.view ? null : session.thread;
    const { state } = thread ?? session;
    const last = await this.#try(
      lastEditable(state, me.id, (where) =>
        thread ? api.replies(room, thread.seq, where) : api.messages(room, where),
      ),
    );
    if (composer.draft) return; // the person writes something else by now
    if (!last) return emit(on, "log");
    edit(composer, last);
    (thread ?? session).goTo(last.seq, true);
  }

  /** @param {number} seq  @param {string} emoji  @param {boolean} [on] default: the opposite of the present state */
  #react(seq, emoji, on) {
    const { state } = this.session;
    const mine =
      this.session
        .message(seq)
        ?.reactions?.some((r) => r.emoji === emoji && r.people.some((p) => p.id === state.me.id)) ?? false;
    const now = state.optimistic.get(seq)?.get(emoji) ?? mine;
    this.book.used(emoji);
    this.#try(this.commands.react(seq, emoji, on ?? !now));
  }

  /** Bookmarks a message or removes the bookmark. @param {number} seq */
  async #setBookmark(seq) {
    const { room } = this.session.deps;
    const on = !this.bookmarks.has(room, seq);
    if (await this.#try(this.commands.setBookmark(seq, on), t(on ? "action.bookmarked" : "action.unbookmarked")))
      this.bookmarks.put(room, seq, on);
  }

  /** @param {HTMLElement} anchor */
  #pick(anchor) {
    const picker = loadOrExplain(() => import("./emoji-picker.js"));
    return this.#try(picker.then((m) => m?.pickEmoji(this.book, anchor)));
  }

  /** @param {Word} word */
  async #suggest({ sign, query }) {
    if (sign === ":") return suggestEmoji(await this.book.search(query));
    if (sign === "/") return suggestCommands(query, translated(await this.#allCommands()));
    const { people, messages, me } = this.session.state;
    const wrote = messages.map((e) => e.from).reverse();
    return suggestPeople(query, [...(people?.values() ?? [])], wrote, me.id, t("suggest.here"));
  }

  /** @returns {Promise<SlashCommand[]>} */
  #allCommands() {
    this.#commands ??= this.api.commands().catch((err) => {
      this.#commands = null;
      throw err;
    });
    return this.#commands;
  }

  /** Carries out a command of the page. @param {string} name  @param {string} args */
  async #command(name, args) {
    if (name === "help" || !args) {
      const commands = await this.#try(this.#allCommands());
      if (commands) showHelp(translated(commands));
    } else if (name === "join") emit(this.view, "go", `/r/${encodeURIComponent(args)}`);
    else {
      const person = await this.#try(this.api.callMe(args));
      if (person) emit(this.view, "renamed", person);
    }
  }

  async #changeTopic() {
    const topic = await askForTopic(this.session.state.topic);
    if (topic !== null) this.#try(this.commands.setTopic(topic));
  }

  async #jumpToDate() {
    const { api, room, now } = this.session.deps;
    const firstSince = async (/** @type {number} */ at) =>
      (await api.messages(room, { since: new Date(at).toISOString(), limit: 1 })).messages[0]?.seq ?? 0;
    const seq = await askForDay(now(), firstSince);
    if (seq > 0) await this.jump(seq);
  }

  #togglePins() {
    const panel = sidePanel();
    if (panel.name === "pins") return panel.close();
    this.#pins.forget();
    panel.open("pins", this.#pins, t("pins.title"));
    this.#pins.draw(this.session);
  }

  /** @param {number} seq */
  #openThread(seq) {
    const { session } = this;
    const panel = sidePanel();
    if (session.thread?.seq !== seq || panel.name !== "thread") {
      const thread = (this.#thread = new ThreadPanel());
      if (session.thread?.seq !== seq) session.openThread(new ThreadSession(session, seq, this.commands));
      panel.open("thread", thread, t("thread.title"), { about: session.deps.room, tool: thread.follow });
      this.#offer(thread.list, true);
      thread.begin(session, this.memory);
      if (this.view.deps) applySettings(thread, this.view.deps.settings);
      this.#listenToActions(thread, () => thread.composer);
      this.#listenToComposer(thread, thread.composer);
      listen(thread, "subscribe", () => this.#try(session.thread?.subscribe(!session.thread.subscribed)));
      listen(thread, "copy", (/** @type {number} */ to) => emit(this.view, "copy", to));
      thread.draw(session);
    }
    if (!matchMedia("(hover: none)").matches) this.#thread?.composer.focus();
  }

  #closeThread() {
    this.#thread = null;
    if (this.session.thread) this.session.closeThread();
  }

  /** Goes to a message, in the room or in its thread. @param {number} seq */
  async jump(seq) {
    const { session, api } = this;
    if (session.thread?.state.messages.some((e) => e.seq === seq && e.kind === "reply"))
      return session.thread.goTo(seq);
    if (await session.goTo(seq)) {
      if (matchMedia("(max-width: 55.999rem)").matches) sidePanel().close(); // the panel covers the room
      return;
    }
    const message = (await api.versions(session.deps.room, seq).catch(() => null))?.message;
    if (!message?.thread) return say(t("error.no-message", { seq: String(seq) }));
    this.#openThread(message.thread);
    session.thread?.goTo(seq);
  }

  /** Shows an error, or `done` if the result is not visible by itself.
   * @template V  @param {Promise<V> | undefined} doing  @param {string} [done]  @returns {Promise<V | undefined>} */
  async #try(doing, done) {
    try {
      const answer = await doing;
      if (done) say(done);
      return answer;
    } catch (err) {
      say(reason(err));
      return undefined;
    }
  }
}

/** Begins to edit a message. @param {MessageComposer} composer  @param {MessageState} m */
function edit(composer, m) {
  composer.write({ to: "edit", seq: m.seq, from: m.from, text: written(m), ...(m.action && { action: true }) });
}
