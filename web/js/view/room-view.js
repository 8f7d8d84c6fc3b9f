// room-view.js: a room's page: header, log, composer, people. It draws the session's state once a frame and turns
// what the person does into the session's verbs.
/** @import { Entry } from "../outbox.js" */
/** @import { Api } from "../api.js" */
/** @import { Remembered } from "../remembered.js" */
/** @import { RoomSession } from "../room-session.js" */
import { unread } from "../room-state.js";
import { plural, whoTypes } from "../text.js";
import { showAvatar } from "./avatar.js";
import { copyText } from "./clipboard.js";
import { MessageComposer } from "./composer.js";
import { bdi, fromTemplate, hear, part, setText } from "./dom.js";
import { MessageList } from "./message-list.js";
import { PeopleList } from "./people.js";
import { ShareDialog } from "./share-dialog.js";
import { say } from "./toast.js";
import { YouDialog } from "./you-dialog.js";

const LATE_MS = 700; // an answer usually takes a few milliseconds; only a late one is worth a word
const BACK_MS = 2_000;

export class RoomView extends HTMLElement {
  #scheduled = false;
  #wasLost = false;
  #backUntil = 0;
  #name = "";

  connectedCallback() {
    this.append(fromTemplate("room-view"));
  }

  get list() {
    return part(this, "message-list", MessageList);
  }

  get composer() {
    return part(this, "message-composer", MessageComposer);
  }

  /** @param {RoomSession} session  @param {Remembered} remembered  @param {Api} api */
  begin(session, remembered, api) {
    this.session = session;
    const { room } = session.deps;
    part(this, ".room-name", HTMLElement).replaceChildren(bdi(room));
    this.composer.room = room;
    this.composer.text = remembered.draft(room);
    if (!matchMedia("(hover: none)").matches) this.composer.focus(); // on a phone this would raise the keyboard
    this.#hearComposer(session, remembered);
    this.#hearList(session);
    this.#hearHeader(session, api);
    this.#hearWindow(session);
    this.changed();
  }

  /** The session changed: draw in the next frame, however often it changes until then. */
  changed() {
    if (!this.session) return;
    const news = unread(this.session.state);
    const title = `${news > 0 ? `(${news > 999 ? "999+" : news}) ` : ""}${this.session.deps.room} – Parley`;
    if (document.title !== title) document.title = title; // also where no frame is drawn: in the background
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#draw();
    });
  }

  #draw() {
    const { session, list, composer } = this;
    if (!session) return;
    const { state, target } = session;
    const online = session.joined;
    const now = session.deps.now();
    session.target = null;
    composer.maxText = session.maxText;
    const late = (/** @type {Entry} */ e) => !online || session.sender.waitingFor !== "" || now - e.at > LATE_MS;
    const entries = session.outbox.entries();
    list.show({ state, entries, late, waitingFor: session.sender.waitingFor, target, now });
    if (entries.some((e) => !late(e))) setTimeout(() => this.changed(), LATE_MS);
    part(this, "people-list", PeopleList).show(state, online);
    this.#showHeader(session);
    this.#showStatus(session);
    setText(part(this, ".typing", HTMLElement), online ? whoTypes([...state.typing.values()].map((t) => t.person.name)) : "");
  }

  /** @param {RoomSession} session */
  #showHeader({ state, joined }) {
    const count = part(this, ".people-count", HTMLElement);
    setText(count, joined ? String(state.count) : "–");
    part(this, ".people-button", HTMLElement).setAttribute("aria-label", joined ? `${plural(state.count, "person", "people")} here` : "Who is here?");
    if (state.me.name === this.#name) return;
    this.#name = state.me.name;
    showAvatar(part(this, ".you-button .avatar", HTMLElement), state.me);
    part(this, ".you-button .name", HTMLElement).replaceChildren(bdi(state.me.name));
  }

  /** @param {RoomSession} session */
  #showStatus(session) {
    const lost = session.connection.status === "waiting" || (this.#wasLost && !session.joined);
    if (this.#wasLost && session.joined) {
      this.#backUntil = performance.now() + BACK_MS;
      setTimeout(() => this.changed(), BACK_MS + 50);
    }
    this.#wasLost = lost;
    const back = !lost && performance.now() < this.#backUntil;
    const pill = part(this, ".connection", HTMLElement);
    pill.dataset["state"] = lost ? "lost" : back ? "back" : "quiet";
    const kept = session.outbox.entries().filter((e) => !e.failed).length;
    setText(pill, lost ? `Reconnecting…${kept ? ` ${plural(kept, "message")} kept here.` : ""}` : back ? "Back online" : "");
  }

  /** @param {RoomSession} session  @param {Remembered} remembered */
  #hearComposer(session, remembered) {
    hear(this, "send", (/** @type {string} */ text) => {
      this.#unlink();
      session.send(text);
      if (!remembered.store.durable) say("This browser keeps nothing: an unsent message is lost with this page.");
    });
    hear(this, "draft", (/** @type {string} */ text) => remembered.keepDraft(session.deps.room, text));
    hear(this, "typing", () => session.typing());
    hear(this, "log", () => this.list.log.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowUp", bubbles: true, cancelable: true })));
  }

  /** @param {RoomSession} session */
  #hearList(session) {
    hear(this, "look", (/** @type {{ following: boolean, seen: number }} */ look) => {
      session.look({ ...look, reading: document.visibilityState === "visible" && document.hasFocus() });
    });
    hear(this, "older", () => session.history.older());
    hear(this, "newer", () => session.history.newer());
    hear(this, "newest", () => this.#toNewest());
    hear(this, "retry", (/** @type {string} */ nonce) => session.retry(nonce));
    hear(this, "take-back", (/** @type {string} */ nonce) => this.composer.giveBack(session.takeBack(nonce)));
    hear(this, "copy", async (/** @type {number} */ seq) => {
      const link = `${location.origin}${location.pathname}#${seq}`;
      say((await copyText(link)) ? "Link to the message copied" : link);
    });
  }

  /** @param {RoomSession} session  @param {Api} api */
  #hearHeader(session, api) {
    part(this, ".share-button", HTMLElement).addEventListener("click", () => part(this, "share-dialog", ShareDialog).open(location.origin + location.pathname));
    part(this, ".empty .share", HTMLElement).addEventListener("click", () => part(this, "share-dialog", ShareDialog).open(location.origin + location.pathname));
    part(this, ".you-button", HTMLElement).addEventListener("click", () => part(this, "you-dialog", YouDialog).open(session.state.me, api));
    const aside = part(this, ".people", HTMLElement);
    matchMedia("(min-width: 56rem)").addEventListener("change", () => aside.hidePopover());
  }

  /** @param {RoomSession} session */
  #hearWindow(session) {
    for (const name of ["focus", "blur", "visibilitychange", "resize"]) {
      (name === "visibilitychange" ? document : window).addEventListener(name, () => this.changed());
    }
    addEventListener("blur", () => session.look({ following: session.state.following, reading: false, seen: 0 }));
    addEventListener("hashchange", () => this.follow());
    this.addEventListener("keydown", (e) => {
      if (e.key !== "Escape" || e.defaultPrevented || document.querySelector("dialog[open], [popover]:popover-open")) return;
      this.#toNewest();
      this.composer.focus();
    });
  }

  /** Goes to the message that the address names. */
  async follow() {
    const seq = Number(location.hash.slice(1));
    if (!Number.isSafeInteger(seq) || seq < 1 || !this.session) return;
    if (!(await this.session.goTo(seq))) say(`There is no message ${seq} here.`);
  }

  #toNewest() {
    this.#unlink();
    this.session?.newest();
  }

  /** The address names no message any more. */
  #unlink() {
    if (location.hash) history.replaceState(null, "", location.pathname);
    this.list.unlink();
  }
}

customElements.define("room-view", RoomView);
