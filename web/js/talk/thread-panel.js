// thread-panel.js: a thread in the side panel: its first message, the replies and a composer. It uses the room's log
// and composer elements. It handles their intents itself; intents about messages go on to message-actions.js.
/** @import { BrowserMemory, Draft } from "../room/browser-memory.js" */
/** @import { Outgoing } from "../room/composer.js" */
/** @import { RoomSession } from "../room/room-session.js" */
/** @import { OutboxMessage } from "../room/types.js" */
import { MessageComposer } from "../room/composer.js";
import { MessageList } from "../room/message-list.js";
import { emit, fromTemplate, listen, part, setText } from "../ui/dom.js";
import { t } from "../ui/i18n.js";

const LATE_MS = 700;

export class ThreadPanel extends HTMLElement {
  /** A pressed bell: one is told of replies. It stands beside the title of the panel. */
  follow = part(fromTemplate("follow-button"), "button", HTMLButtonElement);
  #seq = 0;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(fromTemplate("thread-panel"));
    this.list.log.setAttribute("aria-label", t("thread.label"));
  }

  get list() {
    return part(this, "message-list", MessageList);
  }

  get composer() {
    return part(this, "message-composer", MessageComposer);
  }

  /** @param {RoomSession} session  @param {BrowserMemory} memory */
  begin(session, memory) {
    const own = (/** @type {string} */ name, /** @type {(detail: any) => void} */ then) => {
      this.addEventListener(`parley:${name}`, (e) => e.stopPropagation());
      listen(this, name, then);
    };
    own("look", (/** @type {{ following: boolean }} */ look) => session.thread?.look(look));
    own("older", () => session.thread?.history.older());
    own("newer", () => session.thread?.history.newer());
    own("newest", () => session.thread?.newest());
    own("typing", () => undefined);
    own("draft", (/** @type {Draft | null} */ draft) => this.#seq && memory.setDraft(this.#place(session), draft));
    own("about", () => session.deps.onChange());
    own("log", () => this.list.log.focus());
    own("send", ({ text, ...about }) => this.#send(session, text, about));
    own("retry", (/** @type {string} */ nonce) => session.sending.retry(nonce));
    own("take-back", (/** @type {string} */ nonce) => this.composer.prependText(session.sending.takeBack(nonce)));
    this.follow.addEventListener("click", () => emit(this, "subscribe"));
    this.#seq = session.thread?.seq ?? 0;
    this.composer.draft = memory.takeDraft(this.#place(session));
  }

  /** @param {RoomSession} session */
  draw(session) {
    const { thread } = session;
    if (!thread) return;
    const now = session.deps.now();
    const target = thread.state.root ? thread.target : null; // the view scrolls once the thread is loaded
    if (target) thread.target = null;
    this.composer.maxText = session.maxText;
    const late = (/** @type {OutboxMessage} */ e) =>
      !session.joined || session.sending.sender.waitingFor !== "" || now - e.at > LATE_MS;
    this.list.show({
      state: { ...thread.state, me: session.state.me },
      pending: session.sending.outbox.messages(),
      late,
      waitingFor: session.sending.sender.waitingFor,
      target,
      editing: this.composer.editing,
      now,
    });
    setText(part(this, ".refused", HTMLElement), thread.refused);
    part(this, ".refused", HTMLElement).hidden = !thread.refused;
    part(this, ".loading", HTMLElement).hidden = thread.state.root !== null || thread.refused !== "";
    const { follow } = this;
    follow.hidden = thread.subscribed === null;
    follow.setAttribute("aria-pressed", String(thread.subscribed === true));
    follow.setAttribute("aria-label", t("thread.follow"));
    follow.title = t(thread.subscribed ? "thread.followed" : "thread.follow");
  }

  /** @param {RoomSession} session  @param {string} text  @param {Omit<Outgoing, "text">} about */
  #send(session, text, about) {
    const echo = part(this, "[name=echo]", HTMLInputElement);
    session.thread?.send(text, { ...about, ...(echo.checked && { echo: true }) });
    echo.checked = false; // the choice is for one message
  }

  /** @param {RoomSession} session */
  #place = (session) => `${session.deps.room} ${this.#seq}`;
}

customElements.define("thread-panel", ThreadPanel);
