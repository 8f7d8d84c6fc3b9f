// room-view.js: a room's page: header, log, composer, people. It draws the session's state once a frame and turns
// what the person does into the session's verbs.
/** @import { Entry } from "../outbox.js" */
/** @import { Api } from "../api.js" */
/** @import { Remembered } from "../remembered.js" */
/** @import { RoomSession } from "../room-session.js" */
/** @import { Said } from "./composer.js" */
import { unread } from "../room-state.js";
import { pieces, t } from "../i18n.js";
import { whoTypes } from "../text.js";
import { showAvatar } from "./avatar.js";
import { copyText } from "./clipboard.js";
import { MessageComposer } from "./composer.js";
import { bdi, fromTemplate, hear, part, setText } from "./dom.js";
import { MessageList } from "./message-list.js";
import { PeopleList } from "./people.js";
import { ShareDialog } from "./share-dialog.js";
import { sidePanel } from "./side-panel.js";
import { Talk } from "./talk.js";
import { say } from "./toast.js";
import { YouDialog } from "./you-dialog.js";

const LATE_MS = 700; // an answer usually takes a few milliseconds; only a late one is worth a word
const BACK_MS = 2_000;

export class RoomView extends HTMLElement {
  #scheduled = false;
  #wasLost = false;
  #backUntil = 0;
  #name = "";
  people = new PeopleList();
  /** @type {Talk | null} */
  #talk = null;

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
    this.#hearPanel();
    this.#talk = new Talk(this, session, api, remembered);
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
    if (this.people.isConnected) this.people.show(state, online);
    sidePanel().retitle("people", this.#peopleTitle());
    this.#talk?.draw();
    this.#showHeader(session);
    this.#showStatus(session);
    setText(part(this, ".typing", HTMLElement), online ? whoTypes([...state.typing.values()].map((t) => t.person.name)) : "");
  }

  /** @param {RoomSession} session */
  #showHeader({ state, joined }) {
    const count = part(this, ".people-count", HTMLElement);
    setText(count, joined ? String(state.count) : "–");
    part(this, ".people-button", HTMLElement).setAttribute("aria-label", this.#peopleTitle());
    if (state.me.name === this.#name) return;
    this.#name = state.me.name;
    showAvatar(part(this, ".you-button .avatar", HTMLElement), state.me);
    part(this, ".you-button .label", HTMLElement).replaceChildren(...pieces("you.button", { name: named(state.me.name) }).map(unseen));
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
    setText(pill, lost ? (kept ? t("room.lost-kept", { n: kept }) : t("room.lost")) : back ? t("room.back") : "");
  }

  /** @param {RoomSession} session  @param {Remembered} remembered */
  #hearComposer(session, remembered) {
    hear(this, "send", (/** @type {Said} */ { text, ...about }) => {
      this.#unlink();
      session.send(text, about);
      if (!remembered.store.durable) say(t("error.not-durable"));
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
      say((await copyText(link)) ? t("message.copied") : link);
    });
  }

  /** @param {RoomSession} session  @param {Api} api */
  #hearHeader(session, api) {
    part(this, ".share-button", HTMLElement).addEventListener("click", () => part(this, "share-dialog", ShareDialog).open(location.origin + location.pathname));
    part(this, ".empty .share", HTMLElement).addEventListener("click", () => part(this, "share-dialog", ShareDialog).open(location.origin + location.pathname));
    part(this, ".you-button", HTMLElement).addEventListener("click", () => part(this, "you-dialog", YouDialog).open(session.state.me, api));
  }

  /** Who is here stands beside the talk where there is room, and behind the button elsewhere. */
  #hearPanel() {
    const panel = sidePanel();
    const button = part(this, ".people-button", HTMLElement);
    hear(panel, "panel", (/** @type {string} */ name) => {
      button.setAttribute("aria-expanded", String(name === "people"));
      this.changed();
    });
    button.addEventListener("click", () => {
      if (panel.name === "people") panel.close();
      else panel.open("people", this.people, this.#peopleTitle());
    });
    panel.rest({ name: "people", element: this.people, title: this.#peopleTitle() });
  }

  #peopleTitle() {
    return this.session?.joined ? t("people.here", { n: this.session.state.count }) : t("people.unknown");
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
    if (!(await this.session.goTo(seq))) say(t("error.no-message", { seq: String(seq) }));
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

/** @param {string} name */
function named(name) {
  const span = document.createElement("span");
  span.className = "name";
  span.append(bdi(name));
  return span;
}

/** The words around a name that is seen are heard only. @param {string | Node} piece */
function unseen(piece) {
  if (typeof piece !== "string") return piece;
  const span = document.createElement("span");
  span.className = "visually-hidden";
  span.textContent = piece;
  return span;
}

customElements.define("room-view", RoomView);
