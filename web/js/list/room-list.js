// room-list.js: the room list: rooms that need attention first, then by activity, and the buttons for everything that
// is not a room. A room keeps its row, which is only moved, so that a thousand rooms stay fast. The list is one stop
// of the Tab key; arrow keys walk it (ARIA practices: roving tabindex).
/** @import { ListEntry } from "../wire/types.js" */
/** @import { PageSession } from "./page-session.js" */
import { formatAddress } from "../ui/address.js";
import { APPLE } from "../ui/apple.js";
import { showAvatar } from "../ui/avatar.js";
import { emit, fromTemplate, part, setText } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { loadOrExplain } from "../ui/load.js";
import { showYou } from "../ui/own-name.js";
import { whilePressed } from "../ui/press.js";
import { isolate } from "../ui/text.js";
import { dayOf, listTime } from "../ui/time.js";
import { countText } from "./count-text.js";
import { sections, showsMention } from "./room-list-state.js";
import { now } from "../wire/clock.js";

const MANY = 100; // rooms; beyond that, those out of view are not laid out

const WORDS_MS = 1_000; // a row's last words are drawn at most so often: nobody reads faster, and each time costs

/** `day`: of the drawing, since times of another day look different. `wordsAt`: when the last words were drawn.
 * `timer`: draws those that came since; 0: there are none.
 * @typedef {{ li: HTMLElement, entry: ListEntry | null, current: boolean, day: string, wordsAt: number,
 *   timer: number }} Row */

export class RoomList extends HTMLElement {
  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** @type {Map<string, HTMLElement>} the sections, by name */
  #sections = new Map();
  #isPressed = whilePressed(this);
  #redraw = () => this.show();
  #active = ""; // the room whose row the Tab key reaches
  /** @type {HTMLElement | null} */
  #pattern = null;

  connectedCallback() {
    this.append(fromTemplate("room-list"));
    this.#pattern = part(fromTemplate("room-entry"), "li", HTMLElement);
    const keys = APPLE ? ["⌘", "Meta"] : [t("key.ctrl"), "Control"];
    part(this, ".jump kbd", HTMLElement).textContent = `${keys[0]} K`;
    this.#jump.setAttribute("aria-keyshortcuts", `${keys[1]}+K`);
    this.scroller.addEventListener("keydown", (e) => this.#pressed(e));
    this.scroller.addEventListener("focusin", (e) => this.#focused(e));
    this.scroller.addEventListener("focusout", (e) => rowOf(e.target)?.classList.remove("tooled"));
    this.scroller.addEventListener("click", (e) => this.#clicked(e));
    this.scroller.addEventListener("contextmenu", (e) => this.#menu(e));
    for (const button of this.querySelectorAll("[data-open]"))
      button.addEventListener("click", () => emit(this, "open", button.getAttribute("data-open")));
  }

  /** @param {PageSession} session */
  begin(session) {
    this.session = session;
    this.show();
  }

  /** The field that opens the switcher. */
  get #jump() {
    return part(this, ".jump", HTMLElement);
  }

  get scroller() {
    return part(this, ".rooms-scroll", HTMLElement);
  }

  show() {
    const { session } = this;
    if (!session || this.#isPressed(this.#redraw)) return;
    const shown = sections(session.rooms);
    const here = session.room?.deps.room ?? "";
    const order = shown.flatMap((s) => s.entries.map((e) => e.room));
    const walked = this.scroller.contains(document.activeElement) && order.includes(this.#active);
    if (!walked) this.#activate(order.includes(here) ? here : (order[0] ?? "")); // Tab reaches the open room
    for (const name of /** @type {const} */ (["favourites", "rooms"])) {
      this.#showSection(
        name,
        shown.find((s) => s.name === name)?.entries ?? [],
        here,
        shown.length > 1 || name === "favourites",
      );
    }
    for (const [room, { li }] of this.#rows) if (!session.rooms.has(room)) this.#remove(room, li);
    this.classList.toggle("many", session.rooms.size > MANY);
    part(this, ".no-rooms", HTMLElement).hidden = session.rooms.size > 0;
    for (const element of this.querySelectorAll("[data-needs=list]"))
      element.toggleAttribute("hidden", !session.hasList);
    this.#showMe(session);
  }

  /** @param {PageSession} session */
  #showMe({ me }) {
    const button = part(this, ".me", HTMLElement);
    if (button.dataset["name"] === me.name) return;
    button.dataset["name"] = me.name;
    showAvatar(part(button, ".avatar", HTMLElement), me);
    showYou(part(button, ".label", HTMLElement), me.name);
  }

  /** @param {"favourites" | "rooms"} name  @param {readonly ListEntry[]} entries  @param {string} here
   * @param {boolean} titled */
  #showSection(name, entries, here, titled) {
    const section =
      this.#sections.get(name) ?? part(this, name === "rooms" ? ".rooms-all" : ".favourites", HTMLElement);
    this.#sections.set(name, section);
    section.hidden = entries.length === 0;
    part(section, "h2", HTMLElement).classList.toggle("visually-hidden", !titled);
    const ul = part(section, "ul", HTMLElement);
    /** @type {Element | null} */
    let place = ul.firstElementChild;
    for (const entry of entries) {
      const row = this.#rows.get(entry.room) ?? this.#add(entry.room);
      this.#draw(row, entry, entry.room === here);
      if (row.li === place) place = place.nextElementSibling;
      else move(ul, row.li, place);
    }
    while (place) {
      const next = place.nextElementSibling;
      place.remove(); // it is in the other section, or not in the list
      place = next;
    }
  }

  /** @param {string} room  @returns {Row} */
  #add(room) {
    const li = /** @type {HTMLElement} */ (this.#pattern?.cloneNode(true));
    li.dataset["room"] = room;
    const link = part(li, "a", HTMLAnchorElement);
    link.href = formatAddress(room);
    part(link, ".name", HTMLElement).textContent = room;
    part(li, ".more", HTMLElement).setAttribute("aria-label", t("rooms.menu", { room: isolate(room) }));
    const row = { li, entry: null, current: false, day: "", wordsAt: -Infinity, timer: 0 };
    this.#rows.set(room, row);
    return row;
  }

  /** @param {Row} row  @param {ListEntry} entry  @param {boolean} current */
  #draw(row, entry, current) {
    const { li } = row;
    const tab = entry.room === this.#active ? 0 : -1;
    const link = part(li, "a", HTMLAnchorElement);
    if (link.tabIndex !== tab) link.tabIndex = tab;
    const day = dayOf(now());
    if (row.entry === entry && row.current === current && row.day === day) return;
    const moved = current && !row.current;
    Object.assign(row, { entry, current, day });
    li.classList.toggle("current", current);
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    link.title = entry.topic;
    this.#drawLastWordsInTurn(row);
    drawCounts(li, entry, current);
    if (moved) requestAnimationFrame(() => row.current && li.scrollIntoView({ block: "nearest" })); // when it is placed
  }

  /** @param {Row} row */
  #drawLastWordsInTurn(row) {
    const wait = row.wordsAt + WORDS_MS - performance.now();
    if (wait > 0) {
      row.timer ||= window.setTimeout(() => {
        row.timer = 0;
        this.#drawLastWordsInTurn(row);
      }, wait);
    } else if (row.entry) {
      row.wordsAt = performance.now();
      this.#drawLastWords(row.li, row.entry);
    }
  }

  /** @param {HTMLElement} li  @param {ListEntry} entry */
  #drawLastWords(li, entry) {
    const { last, at } = entry;
    const time = part(li, "time", HTMLTimeElement);
    setText(time, last && at ? listTime(at, now()) : "");
    if (at) time.dateTime = new Date(at).toISOString();
    const name = last?.from.id === this.session?.me.id ? t("rooms.you") : (last?.from.name ?? "");
    const words = last
      ? t("rooms.said", { name: isolate(name), text: last.text })
      : entry.seq === 0
        ? t("rooms.awaited")
        : "";
    const line = part(li, ".last", HTMLElement);
    // Its direction is that of the text, so that its beginning is seen: dir="auto" passes over what is in a <bdi>.
    if (line.textContent !== words) line.replaceChildren(...withName(words, isolate(name)));
    part(li, "a", HTMLElement).ariaDescription = words;
  }

  /** @param {string} room  @param {HTMLElement} li */
  #remove(room, li) {
    const next = li.nextElementSibling ?? li.previousElementSibling;
    const hadFocus = li.contains(document.activeElement);
    li.remove();
    this.#rows.delete(room);
    if (hadFocus) (next?.querySelector("a") ?? part(this, ".new-room", HTMLElement)).focus();
  }

  /** @param {string} room "" for none */
  #activate(room) {
    if (!room || room === this.#active) return;
    const before = this.#rows.get(this.#active)?.li;
    if (before) for (const stop of before.querySelectorAll("a, button")) stop.setAttribute("tabindex", "-1");
    this.#active = room;
    for (const stop of this.#rows.get(room)?.li.querySelectorAll("a, button") ?? []) stop.setAttribute("tabindex", "0");
  }

  /** The button of a row takes the place of its time and count while it has the focus. With a class and not :has(),
   * which would style the list again with each message.
   * @param {FocusEvent} e */
  #focused({ target }) {
    this.#activate(roomOf(target));
    if (target instanceof Element && target.matches(".more:focus-visible")) rowOf(target)?.classList.add("tooled");
  }

  /** @param {KeyboardEvent} e */
  #pressed(e) {
    if (e.altKey || e.ctrlKey || e.metaKey) return;
    if (e.key === "ContextMenu" || (e.key === "F10" && e.shiftKey)) return this.#menu(e);
    const links = /** @type {HTMLElement[]} */ ([...this.scroller.querySelectorAll("li a")]);
    const at = links.findIndex((a) => a.closest("li")?.contains(/** @type {Node} */ (e.target)));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[e.key];
    if (to === undefined || at < 0) return;
    e.preventDefault();
    if (to < 0) return this.#jump.focus();
    links[Math.max(0, Math.min(links.length - 1, to))]?.focus();
  }

  /** @param {MouseEvent} e */
  #clicked(e) {
    const button = e.target instanceof Element ? e.target.closest(".more") : null;
    if (button instanceof HTMLElement) this.#openMenu(roomOf(button), button);
  }

  /** @param {Event} e */
  #menu(e) {
    const room = roomOf(e.target);
    if (!room || !this.session) return;
    e.preventDefault();
    this.#openMenu(room, part(/** @type {HTMLElement} */ (this.#rows.get(room)?.li), ".more", HTMLElement));
  }

  /** @param {string} room  @param {HTMLElement} button */
  async #openMenu(room, button) {
    this.#activate(room);
    const menu = await loadOrExplain(() => import("./room-menu.js"));
    if (menu && this.session) menu.openRoomMenu(button, room, this.session);
  }
}

/** @param {HTMLElement} li  @param {ListEntry} entry  @param {boolean} current */
function drawCounts(li, entry, current) {
  const unread = current ? 0 : entry.unread; // the room on the screen is never unread
  const named = !current && showsMention(entry);
  li.classList.toggle("unread", (unread > 0 && !entry.muted) || named);
  li.classList.toggle("named", named);
  li.classList.toggle("muted", entry.muted);
  const told = named
    ? t("rooms.mentions", { n: entry.mentions })
    : unread > 0
      ? t("rooms.unread", { n: unread })
      : entry.muted
        ? t("rooms.muted")
        : "";
  setText(part(li, ".badge", HTMLElement), current ? "" : countText(entry));
  setText(part(li, ".told", HTMLElement), told);
}

/** Moves a row and keeps the focus in it.
 * @param {Element} parent  @param {Element} child  @param {Element | null} before */
function move(parent, child, before) {
  const { moveBefore } = /** @type {{ moveBefore?: (child: Node, before: Node | null) => void }} */ (
    /** @type {unknown} */ (parent)
  );
  if (moveBefore && child.isConnected) return moveBefore.call(parent, child, before);
  const focused = child.contains(document.activeElement) ? document.activeElement : null;
  parent.insertBefore(child, before);
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
}

/** @param {EventTarget | null} target */
const rowOf = (target) => (target instanceof Element ? target.closest("[data-room]") : null);

/** @param {EventTarget | null} target */
const roomOf = (target) => rowOf(target)?.getAttribute("data-room") ?? "";

customElements.define("room-list", RoomList);

/** Returns a sentence with the name in it as an element of its own. @param {string} words  @param {string} name */
function withName(words, name) {
  const at = words.indexOf(name);
  if (at < 0) return [words];
  const bdi = document.createElement("bdi");
  bdi.textContent = name;
  return [words.slice(0, at), bdi, words.slice(at + name.length)];
}
