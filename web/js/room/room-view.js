// room-view.js: a room's page: header, log, composer, people. It draws the session's state at most once a frame and
// calls the session's methods for what the person does.
/** @import { HeldKeys } from "../ui/held-keys.js" */
/** @import { Item } from "../ui/menu.js" */
/** @import { Settings } from "../ui/settings.js" */
/** @import { BrowserMemory, Draft } from "./browser-memory.js" */
/** @import { Outgoing } from "./composer.js" */
/** @import { RoomSession } from "./room-session.js" */
/** @import { OutboxMessage, Place } from "./types.js" */
import { formatAddress } from "../ui/address.js";
import { refreshFaces, showPresent } from "../ui/avatar.js";
import { copyText } from "../ui/clipboard.js";
import { bdi, emit, fromTemplate, listen, part, setText } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { holdKeys, loadOrExplain, loadWithRetry } from "../ui/load.js";
import { isCovered, layers } from "../ui/overlay.js";
import { linkFor } from "../ui/share-link.js";
import { sidePanel } from "../ui/side-panel.js";
import { typingText } from "../ui/text.js";
import { say } from "../ui/toast.js";
import { MessageComposer, applySettings } from "./composer.js";
import { MessageList } from "./message-list.js";
import { PeopleList } from "./people.js";
import { RoomHeader, peopleTitle } from "./room-header.js";
import { typeAnywhere } from "./typing-anywhere.js";
import { now, untilMidnight } from "../wire/clock.js";

const HELD_MS = 10_000; // after this time the keyboard is free again, whether or not the page knows what a key does
const LATE_MS = 700; // answers usually take a few milliseconds; a message is shown as waiting after this time

/** What people do with messages. It is loaded once there are messages to read.
 * @typedef {object} Actions
 * @property {(left: AbortSignal) => void} roomShown
 * @property {() => void} roomHidden
 * @property {() => void} draw
 * @property {(seq: number) => unknown} jump
 */

/** @typedef {object} Deps
 * @property {Settings} settings
 * @property {() => number} attentionElsewhere  what the title counts of the other rooms
 * @property {() => Promise<{ MessageActions: new (view: RoomView, session: RoomSession) => Actions }>} loadActions
 */

/** Intents that wait until the actions are loaded. */
const QUEUED_UNTIL_LOADED = ["command", "edit-last", "jump", "jump-to-date", "react", "thread", "versions"];

export class RoomView extends HTMLElement {
  #scheduled = false;
  /** Who had a face of their own when faces were given last. @type {RoomSession["state"]["people"] | undefined} */
  #present;
  #header = new RoomHeader(this, () => this.changed());
  /** The scroll position when the room left the page.
   * @type {ReturnType<MessageList["scrollAnchor"]["snapshot"]> | null} */
  #scrolled = null;
  people = new PeopleList();
  /** @type {Actions | null} */
  #actions = null;
  #actionsRequested = false;
  /** @type {[string, unknown][]} intents that wait for the actions: name and detail */
  #queued = [];
  /** @type {HeldKeys | null} keys for a message that wait for the actions */
  #held = null;
  #linkedSeq = 0; // the message that the address names, if the window does not have it; 0: none

  /** Aborted when the room leaves the page: it ends the listeners on window, document and side panel. */
  #leaveSignal = new AbortController();

  connectedCallback() {
    if (this.childElementCount === 0) this.append(fromTemplate("room-view"));
    this.#leaveSignal = new AbortController();
    this.#listenToWindow(this.#leaveSignal.signal);
  }

  disconnectedCallback() {
    this.#leaveSignal.abort();
    this.#scrolled = this.list.scrollAnchor.snapshot();
    this.#actions?.roomHidden();
  }

  get list() {
    return part(this, "message-list", MessageList);
  }

  /** Where the person is in the log, or null at its end. @returns {Place | null} */
  get place() {
    const { atEnd, anchor } = this.list.scrollAnchor.snapshot();
    let row = /** @type {Element | null | undefined} */ (anchor?.row);
    while (row && !row.hasAttribute("data-seq")) row = row.nextElementSibling; // it is a day, for example
    if (atEnd || !row) return null;
    const offset = row.getBoundingClientRect().top - this.list.log.getBoundingClientRect().top;
    return { seq: Number(row.getAttribute("data-seq")), offset };
  }

  get composer() {
    return part(this, "message-composer", MessageComposer);
  }

  /** @param {RoomSession} session  @param {Deps} deps */
  begin(session, deps) {
    const { memory } = session.deps;
    this.session = session;
    this.deps = deps;
    const { room } = session.deps;
    part(this, ".room-name", HTMLElement).replaceChildren(bdi(room));
    this.composer.room = room;
    this.composer.draft = memory.takeDraft(room);
    this.#listenToComposer(session, memory);
    applySettings(this, deps.settings);
    this.#listenToList(session);
    this.#listenToHeader();
    for (const name of QUEUED_UNTIL_LOADED)
      listen(this, name, (/** @type {unknown} */ detail) => this.#actions || this.#queued.push([name, detail]));
    this.changed();
  }

  /** Loads what people do with messages, after the messages are shown.
   * @param {RoomSession} session  @param {Deps} deps */
  async #loadActions(session, { loadActions }) {
    const { MessageActions } = await loadWithRetry(loadActions);
    this.#actions = new MessageActions(this, session);
    if (this.isConnected) this.#actions.roomShown(this.#leaveSignal.signal);
    for (const [name, detail] of this.#queued) emit(this, name, detail);
    if (this.isConnected) this.#held?.pass();
    else this.#held?.drop();
    if (this.#linkedSeq && this.isConnected) this.#actions.jump(this.#linkedSeq);
    this.changed();
  }

  /** The room has come on the screen, for the first time or again. */
  shown() {
    this.composer.formats = this.deps?.settings.get("formats") ?? true;
    if (!matchMedia("(hover: none)").matches) this.composer.focus(); // on a phone this would open the keyboard
    if (this.deps?.settings.get("people"))
      sidePanel().setDefault({ name: "people", element: this.people, title: peopleTitle(this.session) });
    else sidePanel().setDefault(null);
    this.#present = undefined;
    refreshFaces(this);
    // Browsers reset the scroll position of removed elements. After the panel, which makes the log narrower.
    if (this.#scrolled) this.list.scrollAnchor.restoreSnapshot(this.#scrolled);
    this.#actions?.roomShown(this.#leaveSignal.signal);
    this.changed();
  }

  /** Mentions a person in the field for a message. @param {string} name */
  mention(name) {
    this.composer.focus();
    const before = this.composer.text;
    this.composer.insert(`${/\S$/.test(before) ? " " : ""}@${name} `);
  }

  /** The session changed: draws once in the next frame, however often it changes until then. */
  changed() {
    if (!this.session || this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      if (this.isConnected) this.#draw();
    });
  }

  #draw() {
    const { session, deps, list, composer } = this;
    if (!session || !deps) return;
    const { state, target } = session;
    const online = session.joined;
    const now = session.deps.now();
    session.target = null;
    if (target?.to === "message" && !this.#actions && !session.message(target.seq)) this.#linkedSeq = target.seq;
    composer.maxText = session.maxText;
    const late = (/** @type {OutboxMessage} */ e) =>
      !online || session.sending.sender.waitingFor !== "" || now - e.at > LATE_MS;
    const pending = session.sending.outbox.messages();
    const { waitingFor } = session.sending.sender;
    list.show({ state, pending, late, waitingFor, target, editing: composer.editing, now });
    if (pending.some((e) => !late(e))) setTimeout(() => this.changed(), LATE_MS);
    if (state.people !== this.#present) {
      this.#present = state.people;
      showPresent([state.me, ...(state.people?.values() ?? [])]);
    }
    if (this.people.isConnected) this.people.show(state, online);
    sidePanel().retitle("people", peopleTitle(this.session));
    this.#actions?.draw();
    if (state.epoch && !this.#actionsRequested) {
      this.#actionsRequested = true;
      setTimeout(() => this.#loadActions(session, deps)); // after this frame is painted
    }
    this.#header.draw(session, deps.attentionElsewhere());
    setText(
      part(this, ".typing", HTMLElement),
      online ? typingText([...state.typing.values()].map((t) => t.person.name)) : "",
    );
  }

  /** @param {RoomSession} session  @param {BrowserMemory} memory */
  #listenToComposer(session, memory) {
    listen(this, "send", (/** @type {Outgoing} */ { text, ...about }) => {
      this.#unlink();
      session.send(text, about);
      if (!memory.store.durable) say(t("error.not-durable"));
    });
    listen(this, "draft", (/** @type {Draft | null} */ draft) => memory.setDraft(session.deps.room, draft));
    listen(this, "about", () => this.changed());
    listen(this, "typing", () => session.typing());
    listen(this, "log", () =>
      this.list.log.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowUp", bubbles: true, cancelable: true })),
    );
  }

  /** @param {RoomSession} session */
  #listenToList(session) {
    listen(this, "look", (/** @type {{ following: boolean, seen: number }} */ look) => {
      session.look({
        ...look,
        reading: this.isConnected && document.visibilityState === "visible" && document.hasFocus(),
      });
    });
    listen(this, "older", () => session.history.older());
    listen(this, "newer", () => session.history.newer());
    listen(this, "newest", () => this.#toNewest());
    this.list.log.addEventListener("keydown", (e) => this.#hold(e));
    listen(this, "retry", (/** @type {string} */ nonce) => session.sending.retry(nonce));
    listen(this, "take-back", (/** @type {string} */ nonce) =>
      this.composer.prependText(session.sending.takeBack(nonce)),
    );
    listen(this, "copy", async (/** @type {number} */ seq) => {
      const link = await linkFor(session.deps.api, formatAddress(session.deps.room, seq), location);
      say((await copyText(link)) ? t("room.copied") : link);
    });
  }

  #listenToHeader() {
    part(this, ".share-button", HTMLElement).addEventListener("click", () => this.#share());
    part(this, ".empty .share", HTMLElement).addEventListener("click", () => this.#share());
    part(this, ".people-button", HTMLElement).addEventListener("click", () => this.#togglePeople());
    for (const button of this.querySelectorAll("[data-open]"))
      button.addEventListener("click", () => emit(this, "open", button.getAttribute("data-open")));
    listen(this, "people", () => this.#togglePeople());
    const more = part(this, ".more-button", HTMLElement);
    more.addEventListener("click", () => emit(this, "room-menu", { button: more, items: this.#menuItems() }));
  }

  /** Returns the items of the room's menu that concern its view. Those for which the header has no place on a small
   * screen press the hidden button. @returns {Item[]} */
  #menuItems() {
    /** @param {string} selector  @param {string} icon  @param {string} label  @returns {Item[]} */
    const press = (selector, icon, label) => {
      const button = part(this, selector, HTMLElement);
      return button.checkVisibility() ? [] : [{ label, icon, does: () => button.click() }];
    };
    const topic = part(this, "room-topic", HTMLElement);
    return [
      ...press(".people-button", "people", peopleTitle(this.session)),
      ...press(".pins-button", "pin", t("pins.title")),
      ...press(".share-button", "share", t("room.share")),
      { label: t("date.jump"), icon: "calendar", does: () => emit(this, "jump-to-date") },
      ...(topic.hidden ? [] : [{ label: t("topic.edit"), icon: "edit", does: () => emit(this, "edit-topic") }]),
    ];
  }

  /** Holds a key that was pressed on a message before the actions are loaded, and those after it.
   * @param {KeyboardEvent} e */
  #hold(e) {
    if (this.#actions || e.defaultPrevented || e.key === "Tab") return;
    if (!(e.target instanceof Element && e.target.matches(".message"))) return;
    const held = holdKeys({ waitMs: HELD_MS });
    if (!held.take(e)) return held.drop();
    this.#held = held;
    held.left.catch(() => undefined); // they are late: the person can press the key again
  }

  async #share() {
    const share = await loadOrExplain(() => import("./share-dialog.js"));
    const { api, room } = this.session?.deps ?? {};
    if (share && api && room) share.openShare(api, room, location.origin + formatAddress(room));
  }

  /** Opens or closes the list of people, and remembers that as the default of a wide screen. */
  #togglePeople() {
    const panel = sidePanel();
    const open = panel.name !== "people";
    this.deps?.settings.put({ people: open });
    if (!open) return panel.close();
    const content = { name: "people", element: this.people, title: peopleTitle(this.session) };
    panel.open(content.name, content.element, content.title);
    panel.setDefault(content);
  }

  /** Listens outside the element while the room is on the screen. @param {AbortSignal} signal */
  #listenToWindow(signal) {
    for (const name of ["focus", "blur", "resize"]) addEventListener(name, () => this.changed(), { signal });
    document.addEventListener("visibilitychange", () => this.changed(), { signal });
    this.#drawAtMidnight(signal);
    addEventListener(
      "blur",
      () => this.session?.look({ following: this.session.state.following, reading: false, seen: 0 }),
      { signal },
    );
    this.addEventListener(
      "keydown",
      (e) => {
        if (e.key !== "Escape" || e.shiftKey || e.defaultPrevented || isCovered()) return;
        this.#toNewest();
        this.composer.focus();
      },
      { signal },
    );
    // In a thread's panel it is the reply that is written.
    typeAnywhere((from) => {
      const there = from.closest("side-panel")?.querySelector("message-composer") ?? this.composer;
      return there instanceof MessageComposer ? there : null;
    }, signal);
    const panel = document.querySelector("side-panel");
    panel?.addEventListener("parley:panel", () => this.#panelChanged(), { signal });
  }

  /** Draws again when a day ends, as "Today" becomes "Yesterday". Browsers may delay it while the page is hidden; then
   * it is drawn when the page is seen again. @param {AbortSignal} signal */
  #drawAtMidnight(signal) {
    const timer = setTimeout(() => {
      this.changed();
      this.#drawAtMidnight(signal);
    }, untilMidnight(now()));
    signal.addEventListener("abort", () => clearTimeout(timer));
  }

  #panelChanged() {
    part(this, ".people-button", HTMLElement).setAttribute("aria-expanded", String(sidePanel().name === "people"));
    this.changed();
  }

  /** Goes to the message that the address names, or to its thread if it is a reply. @param {number} seq */
  async goTo(seq) {
    if (this.#actions) return this.#actions.jump(seq);
    this.#linkedSeq = (await this.session?.goTo(seq)) ? 0 : seq;
  }

  #toNewest() {
    this.#unlink();
    this.session?.newest();
  }

  /** Removes the message from the address. */
  #unlink() {
    if (location.hash) layers.rename(location.pathname);
    this.list.unlink();
  }
}

customElements.define("room-view", RoomView);
