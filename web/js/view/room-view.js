// room-view.js: a room's page: header, log, composer, people. It draws the session's state once a frame and turns
// what the person does into the session's verbs.
/** @import { Entry } from "../outbox.js" */
/** @import { PageSession } from "../page-session.js" */
/** @import { Talk } from "../lazy/talk.js" */
/** @import { Remembered } from "../remembered.js" */
/** @import { RoomSession } from "../room-session.js" */
/** @import { Said } from "./composer.js" */
/** @import { Settings } from "../settings.js" */
import { t } from "../i18n.js";
import { calls } from "../rooms.js";
import { whoTypes } from "../text.js";
import { showAvatar } from "./avatar.js";
import { copyText } from "./clipboard.js";
import { MessageComposer } from "./composer.js";
import { bdi, fromTemplate, hear, part, setText, tell } from "./dom.js";
import { asked, loaded } from "./late.js";
import { MessageList } from "./message-list.js";
import { PeopleList } from "./people.js";
import { sidePanel } from "./side-panel.js";
import { say } from "./toast.js";
import { showYou } from "./you.js";

const LATE_MS = 700; // an answer usually takes a few milliseconds; only a late one is worth a word
const BACK_MS = 2_000;

/** What may be asked of Talk before it is there. */
const EARLY = ["command", "edit-last", "jump", "react", "thread", "versions"];

export class RoomView extends HTMLElement {
  #scheduled = false;
  #wasLost = false;
  #backUntil = 0;
  #name = "";
  /** Where the log stood when the room went off the page. @type {ReturnType<MessageList["keeper"]["held"]> | null} */
  #held = null;
  people = new PeopleList();
  /** @type {Talk | null} */
  #talk = null;
  #talks = false; // or will
  /** @type {[string, unknown][]} what it is asked when it comes */
  #early = [];
  #wanted = 0; // the message that the address names and the room's log does not hold

  /** Ends what it hears outside itself while it is not on the page. */
  #away = new AbortController();

  connectedCallback() {
    if (this.childElementCount === 0) this.append(fromTemplate("room-view"));
    this.#away = new AbortController();
    this.#hearWindow(this.#away.signal);
  }

  disconnectedCallback() {
    this.#away.abort();
    this.#held = this.list.keeper.held();
    this.#talk?.left();
  }

  get list() {
    return part(this, "message-list", MessageList);
  }

  get composer() {
    return part(this, "message-composer", MessageComposer);
  }

  /** @param {RoomSession} session  @param {PageSession} page  @param {Settings} settings */
  begin(session, page, settings) {
    const { remembered } = session.deps;
    this.session = session;
    this.page = page;
    this.settings = settings;
    const { room } = session.deps;
    part(this, ".room-name", HTMLElement).replaceChildren(bdi(room));
    this.composer.room = room;
    this.composer.text = remembered.draft(room);
    this.#hearComposer(session, remembered);
    this.hearSendKey(this, settings);
    this.#hearList(session);
    this.#hearHeader();
    for (const name of EARLY) hear(this, name, (/** @type {unknown} */ detail) => this.#talk || this.#early.push([name, detail]));
    this.changed();
  }

  /** What can be done with messages comes after what can be read of them. @param {RoomSession} session */
  async #beginTalk(session) {
    const { Talk } = await loaded(() => import("../lazy/talk.js"));
    this.#talk = new Talk(this, session, session.deps.api, session.deps.remembered);
    if (this.isConnected) this.#talk.arrived(this.#away.signal);
    for (const [name, detail] of this.#early) tell(this, name, detail);
    if (this.#wanted && this.isConnected) this.#talk.jump(this.#wanted);
    this.changed();
  }

  /** The room has come on the screen, for the first time or again. */
  arrived() {
    if (!matchMedia("(hover: none)").matches) this.composer.focus(); // on a phone this would raise the keyboard
    if (this.settings?.get("people")) sidePanel().rest({ name: "people", element: this.people, title: this.#peopleTitle() });
    else sidePanel().rest(null);
    if (this.#held) this.list.keeper.bringBack(this.#held); // an element that was off the page has forgotten how it was scrolled; the panel first, as it makes the log narrower
    this.#talk?.arrived(this.#away.signal);
    this.changed();
  }

  /** The session changed: draw in the next frame, however often it changes until then. */
  changed() {
    if (!this.session || this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      if (this.isConnected) this.#draw();
    });
  }

  #draw() {
    const { session, list, composer } = this;
    if (!session) return;
    const { state, target } = session;
    const online = session.joined;
    const now = session.deps.now();
    session.target = null;
    if (target?.to === "message" && !this.#talk && !session.message(target.seq)) this.#wanted = target.seq;
    composer.maxText = session.maxText;
    const late = (/** @type {Entry} */ e) => !online || session.sender.waitingFor !== "" || now - e.at > LATE_MS;
    const entries = session.outbox.entries();
    list.show({ state, entries, late, waitingFor: session.sender.waitingFor, target, now });
    if (entries.some((e) => !late(e))) setTimeout(() => this.changed(), LATE_MS);
    if (this.people.isConnected) this.people.show(state, online);
    sidePanel().retitle("people", this.#peopleTitle());
    this.#talk?.draw();
    if (state.epoch && !this.#talks) {
      this.#talks = true;
      setTimeout(() => this.#beginTalk(session)); // when this is painted
    }
    this.#showElsewhere();
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
    showYou(part(this, ".you-button .label", HTMLElement), state.me.name);
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

  /** Who wants Enter to begin a new line sends with Ctrl+Enter. What completes a word takes its Enter first.
   * @param {HTMLElement} on  @param {Settings} settings */
  hearSendKey(on, settings) {
    on.addEventListener("keydown", (e) => {
      const field = e.target instanceof HTMLTextAreaElement ? e.target : null;
      if (!field || e.key !== "Enter" || e.isComposing || e.shiftKey || e.altKey || settings.get("sendBy") !== "ctrl-enter") return;
      if (field.hasAttribute("aria-activedescendant")) return; // it takes a suggestion
      e.stopPropagation();
      if (!e.ctrlKey && !e.metaKey) return;
      e.preventDefault();
      field.form?.requestSubmit();
    }, { capture: true });
  }

  /** @param {RoomSession} session */
  #hearList(session) {
    hear(this, "look", (/** @type {{ following: boolean, seen: number }} */ look) => {
      session.look({ ...look, reading: this.isConnected && document.visibilityState === "visible" && document.hasFocus() });
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

  #hearHeader() {
    part(this, ".share-button", HTMLElement).addEventListener("click", () => this.#share());
    part(this, ".empty .share", HTMLElement).addEventListener("click", () => this.#share());
    part(this, ".people-button", HTMLElement).addEventListener("click", () => this.#togglePeople());
    for (const button of this.querySelectorAll("[data-open]")) button.addEventListener("click", () => tell(this, "open", button.getAttribute("data-open")));
    hear(this, "people", () => this.#togglePeople());
  }

  async #share() {
    const share = await asked(() => import("../lazy/share-dialog.js"));
    if (share) part(this, "share-dialog", share.ShareDialog).open(location.origin + location.pathname);
  }

  /** Who is here stands beside the talk where there is room and one wants it, and behind the button elsewhere. */
  #togglePeople() {
    const panel = sidePanel();
    const open = panel.name !== "people";
    this.settings?.put({ people: open });
    if (!open) return panel.close();
    const content = { name: "people", element: this.people, title: this.#peopleTitle() };
    panel.open(content.name, content.element, content.title);
    panel.rest(content);
  }

  /** On a small screen the list is out of sight: a dot says that it has news. */
  #showElsewhere() {
    const { page, session } = this;
    let sum = 0;
    for (const entry of page?.rooms.values() ?? []) if (entry.room !== session?.deps.room) sum += calls(entry);
    const button = part(this, ".rooms-button", HTMLElement);
    button.classList.toggle("calls", sum > 0);
    button.setAttribute("aria-label", sum > 0 ? t("rooms.button-unread", { n: sum }) : t("rooms.title"));
  }

  #peopleTitle() {
    return this.session?.joined ? t("people.here", { n: this.session.state.count }) : t("people.unknown");
  }

  /** What happens outside, while the room is on the screen. @param {AbortSignal} signal */
  #hearWindow(signal) {
    for (const name of ["focus", "blur", "resize"]) addEventListener(name, () => this.changed(), { signal });
    document.addEventListener("visibilitychange", () => this.changed(), { signal });
    addEventListener("blur", () => this.session?.look({ following: this.session.state.following, reading: false, seen: 0 }), { signal });
    this.addEventListener("keydown", (e) => {
      if (e.key !== "Escape" || e.shiftKey || e.defaultPrevented || document.querySelector("dialog[open], [popover]:popover-open")) return;
      this.#toNewest();
      this.composer.focus();
    }, { signal });
    const panel = document.querySelector("side-panel");
    panel?.addEventListener("parley:panel", () => this.#panelChanged(), { signal });
  }

  #panelChanged() {
    part(this, ".people-button", HTMLElement).setAttribute("aria-expanded", String(sidePanel().name === "people"));
    this.changed();
  }

  /** Goes to the message that the address names; if it is a reply, to its thread. @param {number} seq */
  async follow(seq) {
    if (this.#talk) return this.#talk.jump(seq);
    this.#wanted = (await this.session?.goTo(seq)) ? 0 : seq;
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
