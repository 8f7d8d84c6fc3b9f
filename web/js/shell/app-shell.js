// app-shell.js: the page's frame: the room list, in the middle the room or page that the address names, and the side
// panel. It switches rooms without loading the page again. On a small screen the room list is a drawer (a popover) and
// the panel covers the middle.
/** @import { Notifier } from "../list/notifier.js" */
/** @import { OfflineCopy } from "../list/offline-copy.js" */
/** @import { BrowserMemory } from "../room/browser-memory.js" */
/** @import { Place } from "../room/types.js" */
/** @import { Api } from "../wire/api.js" */
/** @import { Person } from "../wire/json.js" */
/** @import { Item } from "../ui/menu.js" */
/** @import { FrontPage } from "./front-page.js" */
/** @import { Action } from "./shortcuts.js" */
import { PageSession } from "../list/page-session.js";
import { badge } from "../list/room-list-state.js";
import { RoomList } from "../list/room-list.js";
import { RoomView } from "../room/room-view.js";
import { workerURL } from "../room/safe-html.js";
import { formatAddress, isPlain, parseAddress } from "../ui/address.js";
import { emit, fromTemplate, listen, part } from "../ui/dom.js";
import { reason, t } from "../ui/i18n.js";
import { languageWasChosen } from "../ui/language.js";
import { watchKeyboard } from "../ui/keyboard.js";
import { loadOrExplain, loadWithRetry } from "../ui/load.js";
import { closeByBack, layers } from "../ui/overlay.js";
import { personAt } from "../ui/person-spot.js";
import { Settings } from "../ui/settings.js";
import { sidePanel } from "../ui/side-panel.js";
import { buildAnnounced, partMissing, tabStore } from "../ui/page-build.js";
import { nameOf } from "../ui/storage.js";
import { now } from "../wire/clock.js";
import { Refusal, isRetryable } from "../wire/protocol.js";
import { act, listenToKeys } from "./keys.js";
import { refusal } from "./refusal.js";

const MAX_VIEWS = 6; // rooms whose elements are kept with their scroll position
const RETRY_MS = 2_000;
const FETCH_MS = 3_000;

/** @typedef {"settings" | "shortcuts" | "switcher" | "search" | "saved" | "threads"} Lazy */

/** What a module of LAZY gets when it opens.
 * @typedef {object} PanelContext
 * @property {AppShell} shell
 * @property {PageSession} session
 * @property {Settings} settings
 * @property {Api} api
 * @property {Lazy} what
 * @property {string} [at]  selects what gets the focus; for the search: the words
 * @property {(action: Action) => void} act  carries out a shortcut's action
 */

/** The modules that are loaded on demand.
 * @type {Record<Lazy, () => Promise<{ open: (context: PanelContext) => void }>>} */
const LAZY = {
  settings: () => import("./settings-dialog.js"),
  shortcuts: () => import("./shortcuts-dialog.js"),
  switcher: () => import("../find/switcher.js"),
  search: () => import("../find/search-panel.js"),
  saved: () => import("../find/bookmarks-panel.js"),
  threads: () => import("../find/bookmarks-panel.js"),
};

export class AppShell extends HTMLElement {
  /** @type {Map<string, RoomView>} by name; the one shown last is at the end */
  #views = new Map();
  /** @type {Map<Lazy, { open: (context: PanelContext) => void }>} */
  #lazy = new Map();
  /** @type {Notifier | null} */
  #notifier = null;
  /** @type {Set<Lazy>} are loaded now */
  #loading = new Set();
  #asked = 0; // counts requests, so that only the last is shown
  #scheduled = false;
  #mendsName = false;

  connectedCallback() {
    this.append(fromTemplate("app-shell"));
  }

  /** @param {Person} me  @param {Api} api  @param {BrowserMemory} memory  @param {OfflineCopy} copy */
  begin(me, api, memory, copy) {
    this.api = api;
    this.memory = memory;
    this.settings = new Settings(memory.store, { touch: matchMedia("(hover: none) and (pointer: coarse)").matches });
    const session = (this.session = new PageSession({
      me,
      api,
      memory,
      copy,
      dial: () => new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws`, "parley.v1"),
      channel: (room) => new BroadcastChannel(`parley ${room}`),
      setTimeout: (f, ms) => window.setTimeout(f, ms),
      clearTimeout: (id) => window.clearTimeout(id),
      now,
      random: Math.random,
      onBuild: buildAnnounced,
      onRoom: (room) => this.#roomChanged(room),
      onEnded: () => this.#signedOut(),
      onList: () => this.#listChanged(),
      onListUpdate: (update) => notifier.then((n) => n.receive(update)),
      onRead: (mark) => notifier.then((n) => n.read(mark)),
      onBadName: () => this.#mendName(session, api),
    }));
    const notifier = this.#beginNotifier(session, this.settings);
    part(this, "room-list", RoomList).begin(session);
    closeByBack(this.#drawer);
    this.#listenToLinks();
    this.#listenToWindow(session);
    this.#listenToIntents(session);
    listenToKeys(this);
    session.connection.connect();
    this.#showAddress();
    if (languageWasChosen()) this.open("settings", "#set-language");
    setTimeout(() => this.#fetchAhead(), FETCH_MS);
  }

  /** Loads what alerts, after the room. @param {PageSession} session  @param {Settings} settings */
  async #beginNotifier(session, settings) {
    const { Notifier } = await loadWithRetry(() => import("../list/notifier.js"));
    this.#notifier = new Notifier(session, settings, (room, seq) => this.go(formatAddress(room, seq)));
    this.#showTitle();
    return this.#notifier;
  }

  /** Prefetches what opens by a key. */
  #fetchAhead() {
    LAZY.switcher().then(
      (part) => this.#lazy.set("switcher", part),
      () => undefined,
    );
    import("../list/room-menu.js").catch(() => undefined);
    startWorker().catch(() => undefined); // as in a private window
  }

  /** Goes to an address of this page. @param {string} address */
  async go(address) {
    if (address !== location.pathname + location.hash) await layers.visit(address);
    return this.#showAddress();
  }

  /** @param {string} room  @param {number} seq of the thread's first message */
  async #goToThread(room, seq) {
    await this.go(formatAddress(room));
    if (this.session?.room?.deps.room === room) emit(part(this, "room-view", RoomView), "thread", seq);
  }

  /** Opens a module that is loaded on demand. @param {Lazy} what  @param {string} [at] what gets the focus in it */
  async open(what, at) {
    const { session, settings, api } = this;
    if (!session || !settings || !api || this.#loading.has(what)) return;
    if (this.#drawer.matches(":popover-open")) this.#drawer.hidePopover();
    this.#loading.add(what);
    const part = this.#lazy.get(what) ?? (await loadOrExplain(LAZY[what])); // at once if it was loaded before
    this.#loading.delete(what);
    if (!part) return;
    this.#lazy.set(what, part);
    part.open({ shell: this, session, settings, api, what, at, act: (action) => act(this, action) });
  }

  /** Opens the menu of the room that is shown. @param {PageSession} session  @param {HTMLElement} button
   * @param {Item[]} items  more of them, which stand first */
  async #openRoomMenu(session, button, items) {
    const menu = await loadOrExplain(() => import("../list/room-menu.js"));
    if (menu && session.room) menu.openRoomMenu(button, session.room.deps.room, session, items);
  }

  get #drawer() {
    return part(this, ".rooms", HTMLElement);
  }

  /** Shows the room or page that the address names. */
  async #showAddress() {
    const { session, api, memory } = this;
    if (!session || !api || !memory) return;
    const turn = ++this.#asked;
    const address = parseAddress(location);
    if (this.#drawer.matches(":popover-open")) this.#drawer.hidePopover();
    if (address.at === "nowhere") return this.#refuse(t("error.no-page"), t("error.no-page-why"));
    try {
      if (address.at === "front") {
        const { FrontPage } = await import("./front-page.js");
        return turn === this.#asked ? this.#showFront(new FrontPage(), session, api, memory) : undefined;
      }
      const room =
        session.rooms.has(address.name) || isPlain(address.name) ? address.name : (await api.room(address.name)).room;
      if (turn === this.#asked) this.#showRoom(session, room, address.seq);
    } catch (err) {
      if (turn !== this.#asked) return;
      if (err instanceof Refusal && !isRetryable(err.code)) return this.#refuse(t("error.no-room"), reason(err));
      partMissing();
      setTimeout(() => turn === this.#asked && this.#showAddress(), RETRY_MS);
    }
  }

  /** @param {FrontPage} front  @param {PageSession} session  @param {Api} api  @param {BrowserMemory} memory */
  #showFront(front, session, api, memory) {
    const again = this.classList.contains("at-front");
    this.#clear();
    part(this, ".middle", HTMLElement).replaceChildren(front);
    front.show(session.me, memory, api);
    if (again) front.scrollIntoView(); // on a small screen it is below the list
    this.#listChanged();
  }

  /** Shows why there is nothing at this address, beside the room list. @param {string} title  @param {string} why */
  #refuse(title, why) {
    this.#clear();
    part(this, ".middle", HTMLElement).replaceChildren(refusal(title, why));
    this.#listChanged();
  }

  /** Says by classes whether no room is on the screen. @param {boolean} atFront */
  #setAtFront(atFront) {
    this.classList.toggle("at-front", atFront);
    document.documentElement.classList.toggle("in-room", !atFront);
  }

  /** Takes the room off the screen. */
  #clear() {
    this.session?.leave();
    this.#setAtFront(true);
    sidePanel().setDefault(null);
    sidePanel().close();
  }

  /** @param {PageSession} session  @param {string} room  @param {number | null} seq */
  #showRoom(session, room, seq) {
    const address = formatAddress(room, seq ?? undefined);
    if (address !== location.pathname + location.hash) layers.rename(address);
    this.#setAtFront(false);
    const here = session.room?.deps.room === room;
    const before = session.room;
    const entered = session.enter(room, seq, before ? null : takePlace(room));
    let view = this.#views.get(room);
    const known = view?.session === entered;
    if (!view || !known) view = new RoomView();
    this.#views.delete(room);
    this.#views.set(room, view);
    if (this.#views.size > MAX_VIEWS) this.#views.delete(this.#views.keys().next().value ?? "");
    if (!here) sidePanel().close();
    if (!view.isConnected) part(this, ".middle", HTMLElement).replaceChildren(view);
    if (!known) {
      view.begin(entered, {
        settings: this.settings ?? new Settings(session.deps.memory.store),
        attentionElsewhere: () => badge(session.rooms, room, 0),
        loadActions: () => import("../talk/message-actions.js"),
      });
    } else if (seq !== null) view.goTo(seq);
    if (before !== entered) view.shown();
    this.#listChanged();
  }

  /** The server does not take the person's name at hello, or it finds no session: the browser may have lost its cookie.
   * Nothing on the page is lost meanwhile. @param {PageSession} session  @param {Api} api */
  async #mendName(session, api) {
    if (this.#mendsName) return;
    this.#mendsName = true;
    const me = await api
      .whoAmI()
      .then((known) => known ?? api.callMe(session.me.name))
      .catch(async (err) => {
        if (!(err instanceof Refusal) || err.code !== "bad_name") return null; // the next hello tries again
        const { askForName } = await loadWithRetry(() => import("./name-dialog.js"));
        return askForName(session.me.name, reason(err), api);
      });
    this.#mendsName = false;
    if (!me || (me.id === session.me.id && me.name === session.me.name)) return;
    emit(this, "renamed", me);
    session.connection.wake();
  }

  /** The session was ended, here or elsewhere: shows a dialog. */
  async #signedOut() {
    this.session?.deps.copy.end();
    const { showSignedOut } = await loadWithRetry(() => import("./signed-out.js"));
    showSignedOut();
  }

  /** @param {string} room */
  #roomChanged(room) {
    if (this.session?.room?.deps.room !== room) return;
    this.#views.get(room)?.changed();
    this.#showTitle();
  }

  #listChanged() {
    this.#showTitle();
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      part(this, "room-list", RoomList).show();
      this.session?.room && this.#views.get(this.session.room.deps.room)?.changed();
    });
  }

  /** Shows the number of alerts in the title and on the icon. At once, since a page in the background draws no
   * frames. */
  #showTitle() {
    const { session } = this;
    if (!session) return;
    const room = session.room?.deps.room ?? "";
    const unread = badge(session.rooms, room, session.room?.state.unreadCount ?? 0);
    const title = `${unread > 0 ? `(${unread > 999 ? "999+" : unread}) ` : ""}${room ? `${room} – Parley` : "Parley"}`;
    if (document.title !== title) document.title = title;
    this.#notifier?.badge(unread);
  }

  /** Follows links within the page without loading it again. */
  #listenToLinks() {
    this.addEventListener("click", (e) => {
      const link = e.target instanceof Element ? e.target.closest("a[href]") : null;
      if (
        !(link instanceof HTMLAnchorElement) ||
        e.defaultPrevented ||
        e.button !== 0 ||
        e.ctrlKey ||
        e.metaKey ||
        e.shiftKey ||
        e.altKey
      )
        return;
      if (
        link.target ||
        link.origin !== location.origin ||
        parseAddress(link).at === "nowhere" ||
        link.matches(".skip-link")
      )
        return;
      e.preventDefault();
      this.go(link.pathname + link.hash);
    });
    listen(this, "go", (/** @type {string} */ address) => this.go(address));
    addEventListener("popstate", (e) => layers.travelled(e.state) && this.#showAddress());
    layers.begin();
  }

  /** @param {PageSession} session */
  #listenToWindow(session) {
    addEventListener("storage", (e) => session.storageChanged(e.key === null ? null : nameOf(e.key)));
    if (window.visualViewport)
      watchKeyboard(
        window.visualViewport,
        () => innerHeight,
        (px) => document.documentElement.style.setProperty("--keyboard", `${px}px`),
      );
    addEventListener("pagehide", () => session.end());
    addEventListener("parley:leaving", () => {
      const room = session.room?.deps.room ?? "";
      tabStore.put("place", { room, place: this.#views.get(room)?.place ?? null });
    });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState !== "hidden") return;
      session.marks.flush();
      session.deps.copy.flush();
    });
    for (const name of ["online", "pageshow", "focus"]) addEventListener(name, () => session.connection.wake());
  }

  /** Opens the card of the person who is pressed. @param {PageSession} session */
  #listenToPeople(session) {
    const open = async (/** @type {Event} */ e) => {
      const found = personAt(e.target);
      if (!found || e.defaultPrevented) return;
      e.preventDefault();
      const card = await loadOrExplain(() => import("../talk/person-card.js"));
      card?.openPersonCard(found.anchor, found.person, session);
    };
    this.addEventListener("click", open);
    this.addEventListener("keydown", (e) => {
      const isPress = (e.key === "Enter" || e.key === " ") && e.target instanceof Element;
      if (isPress && e.target.matches("bdi[role=button], span[role=button]")) open(e);
    });
  }

  /** @param {PageSession} session */
  #listenToIntents(session) {
    this.#listenToPeople(session);
    listen(this, "find", (/** @type {string} */ query) => this.open("search", query));
    listen(this, "mention", (/** @type {string} */ name) => part(this, "room-view", RoomView).mention(name));
    listen(this, "renamed", (/** @type {Person} */ person) => {
      session.renamed(person);
      this.#listChanged();
    });
    listen(this, "open", (/** @type {Lazy} */ what) => this.open(what));
    listen(this, "room-menu", (/** @type {{ button: HTMLElement, items: Item[] }} */ { button, items }) =>
      this.#openRoomMenu(session, button, items),
    );
    listen(this, "go-thread", (/** @type {{ room: string, seq: number }} */ { room, seq }) =>
      this.#goToThread(room, seq),
    );
    listen(
      this,
      "unread",
      (/** @type {number} */ seq) => session.room && session.markUnread(session.room.deps.room, seq),
    );
  }
}

/** Starts the service worker, with which the page starts without a network. Browsers have it for HTTPS and
 * localhost. */
async function startWorker() {
  await navigator.serviceWorker?.register(workerURL());
}

/** Returns where the person was in a room when the page was left to be loaded again. The second call returns null.
 * @param {string} room  @returns {Place | null} */
function takePlace(room) {
  const left = /** @type {{ room: string, place: Place | null } | undefined} */ (tabStore.get("place"));
  tabStore.remove("place");
  return left?.room === room ? left.place : null;
}

customElements.define("app-shell", AppShell);
