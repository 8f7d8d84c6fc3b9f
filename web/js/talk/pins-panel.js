// pins-panel.js: the room's pinned messages in the side panel, the newest pin first, each with a button that goes to
// it.
/** @import { RoomSession } from "../room/room-session.js" */
/** @import { MessageState, Page } from "../wire/types.js" */
import { showBody } from "../room/message-body.js";
import { showAvatar } from "../ui/avatar.js";
import { bdi, emit, fromTemplate, part, setText } from "../ui/dom.js";
import { reason } from "../ui/i18n.js";
import { shortTime } from "../ui/time.js";

export class PinsPanel extends HTMLElement {
  #seen = -1; // State.pinsAt as last read
  #reading = false;

  connectedCallback() {
    if (this.childElementCount === 0) this.append(fromTemplate("pins-panel"));
  }

  /** @param {RoomSession} session */
  async draw(session) {
    const { pinsAt, epoch } = session.state;
    if (pinsAt === this.#seen || !epoch || this.#reading) return;
    this.#reading = true;
    this.#seen = pinsAt;
    try {
      this.#show(await session.deps.api.pins(session.deps.room), session);
      this.#say("");
    } catch (err) {
      this.#seen = -1;
      this.#say(reason(err));
    } finally {
      this.#reading = false;
      if (this.#seen >= 0 && this.isConnected && this.#seen !== session.state.pinsAt) this.draw(session);
    }
  }

  /** Reads the pins again when the panel opens. */
  forget() {
    this.#seen = -1;
  }

  /** @param {string} sentence */
  #say(sentence) {
    const refused = part(this, ".refused", HTMLElement);
    refused.hidden = !sentence;
    setText(refused, sentence);
  }

  /** @param {Page} page  @param {RoomSession} session */
  #show({ messages }, session) {
    const focused = document.activeElement?.closest("pins-panel li")?.getAttribute("data-seq");
    part(this, ".none", HTMLElement).hidden = messages.length > 0;
    part(this, "ul", HTMLElement).replaceChildren(...messages.map((m) => this.#item(m, session)));
    if (!focused) return;
    const again = this.querySelector(`li[data-seq="${Number(focused)}"] button`) ?? this.querySelector("li button");
    if (again instanceof HTMLElement) again.focus();
    else this.closest("side-panel")?.querySelector("h2")?.focus();
  }

  /** @param {MessageState} message  @param {RoomSession} session */
  #item(message, session) {
    const li = part(fromTemplate("pin"), "li", HTMLElement);
    li.dataset["seq"] = String(message.seq);
    showAvatar(part(li, ".avatar", HTMLElement), message.from);
    part(li, ".author", HTMLElement).replaceChildren(bdi(message.from.name));
    part(li, "time", HTMLElement).textContent = shortTime(message.at, session.deps.now());
    showBody(part(li, ".body", HTMLElement), { ...message, edited: undefined }, session.state.me);
    part(li, ".jump", HTMLElement).addEventListener("click", () => emit(li, "jump", message.seq));
    part(li, ".unpin", HTMLElement).addEventListener("click", () => emit(li, "unpin", message.seq));
    return li;
  }
}

customElements.define("pins-panel", PinsPanel);
