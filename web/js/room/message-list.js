// message-list.js: the log on the screen. It draws the rows that timeline.js lays out, each under its key, and moves
// no row that stays. It reports where the person looks; the session decides which messages to hold.
/** @import { Person } from "../wire/json.js" */
/** @import { Look } from "./message.js" */
/** @import { OutboxMessage, Row, State, Target } from "./types.js" */
import { newFace, showAvatar } from "../ui/avatar.js";
import { emit, fromTemplate, part, setText } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { whilePressed } from "../ui/press.js";
import { dayName, dayOf, fullDay } from "../ui/time.js";
import { activateRow, moveFocus } from "./arrow-keys.js";
import { newMessage, same, showMessage, turn } from "./message.js";
import { atNewest } from "./room-state.js";
import { ScrollAnchor, firstWhere } from "./scroll.js";
import { inChunks, layOut } from "./timeline.js";

const AHEAD = 1.5; // the next page is requested this many screens before the end of the window

/** @typedef {object} Picture
 * @property {State} state
 * @property {readonly OutboxMessage[]} pending
 * @property {(message: OutboxMessage) => boolean} late
 * @property {string} waitingFor
 * @property {Target | null} target
 * @property {number} editing  the seq of the message that is being edited; 0: none
 * @property {number} now
 */

export class MessageList extends HTMLElement {
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();
  /** @type {readonly Row[]} as last drawn */
  #shown = [];
  /** How all rows look that have nothing special: the same object as long as it is true. @type {Look | null} */
  #common = null;
  #special = false; // whether a row drawn last may be special
  /** The chunks of rows, by their number: a browser lays out again all children of what a row is added to.
   * @type {Map<number, HTMLElement>} */
  #chunks = new Map();
  /** @type {WeakMap<HTMLElement, number>} the chunk that a row is in */
  #chunkOf = new WeakMap();
  #pagesLoaded = -1; // State.pagesLoaded as last drawn
  #linked = 0; // the seq that the address names
  #newest = { seq: 0, here: true };
  /** @type {State | null} as last drawn */
  #state = null;
  #lookScheduled = false;
  #isPressed = whilePressed(this);
  /** @type {Picture | null} what is drawn when the list is not pressed any more */
  #held = null;
  #redraw = () => void (this.#held && this.show(this.#held));
  #resized = () => {
    if (this.#isPressed(this.#resized)) return;
    this.scrollAnchor.restore();
    this.#look();
  };
  #sizes = new ResizeObserver(this.#resized); // of the log and each row: fonts and styles may load late
  /** The rows that say "more", and the first day, stay at the edges when history comes, so they cannot be anchors. */
  scrollAnchor = new ScrollAnchor(this, () =>
    [...this.#rows].filter(([key, row]) => !key.endsWith(" first") && !row.matches(".edge")).map(([, row]) => row),
  );

  connectedCallback() {
    if (this.childElementCount > 0) return; // inserted again
    this.append(fromTemplate("message-list"));
    const { log } = this;
    this.scrollAnchor.scroller = log;
    log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    log.addEventListener("keydown", (e) => moveFocus(e, log));
    log.addEventListener("focusin", (e) => activateRow(e, log));
    log.addEventListener("click", (e) => this.#clicked(e));
    log.addEventListener("parley:turn", (e) => this.#turn(/** @type {CustomEvent<boolean>} */ (e)));
    this.button.addEventListener("click", () => {
      log.focus({ preventScroll: true }); // the button goes
      emit(this, "newest");
    });
    this.#sizes.observe(log);
  }

  get log() {
    return part(this, ".log", HTMLElement);
  }

  get button() {
    return part(this, ".to-newest", HTMLButtonElement);
  }

  /** The address does not name a message any more. */
  unlink() {
    this.#linked = 0;
  }

  /** @param {Picture} picture */
  show(picture) {
    const { state } = picture;
    const target = picture.target ?? this.#held?.target ?? null;
    this.#held = this.#isPressed(this.#redraw) ? { ...picture, target } : null;
    if (this.#held) return;
    const quiet = state.pagesLoaded !== this.#pagesLoaded;
    this.#pagesLoaded = state.pagesLoaded;
    if (quiet) this.#hush();
    this.scrollAnchor.prepare(this.#newest.here);
    if (target) this.#linked = target.to === "message" && !target.quiet ? target.seq : 0;
    const rows = layOut(state, picture.pending);
    this.#reconcile(rows, picture);
    part(this, ".empty", HTMLElement).hidden = !state.epoch || rows.length > 0 || state.thread > 0;
    part(this, ".loading", HTMLElement).hidden = state.epoch !== "";
    this.#newest = { seq: state.head, here: atNewest(state) };
    if (target) this.#go(target);
    else this.scrollAnchor.restore();
    this.#state = state;
    this.#look();
  }

  /** Announces nothing while rows of history are inserted. */
  #hush() {
    this.log.setAttribute("aria-live", "off");
    requestAnimationFrame(() => setTimeout(() => this.log.setAttribute("aria-live", "polite"), 100));
  }

  /** @param {readonly Row[]} rows  @param {Picture} picture */
  #reconcile(rows, picture) {
    const common = commonLook(picture);
    const asDrawn = this.#asDrawn(rows, picture, common);
    if (asDrawn === rows.length && asDrawn === this.#shown.length) return;
    this.#keep(rows);
    const chunks = this.#chunks;
    this.#chunks = new Map();
    let end = 0; // of the rows so far
    for (const [id, part] of inChunks(rows, (row) => this.#chunkOf.get(this.#element(row)))) {
      const chunk = chunks.get(id) ?? newChunk();
      this.#chunks.set(id, chunk);
      end += part.length;
      if (end <= asDrawn) continue;
      const elements = part.map((row) => this.#element(row));
      elements.forEach((element, i) => {
        this.#chunkOf.set(element, id);
        // Before it is inserted, so that a screen reader announces its text.
        this.#draw(element, /** @type {Row} */ (part[i]), picture, this.#common ?? common);
      });
      arrange(chunk, elements);
    }
    for (const [id, chunk] of chunks) if (!this.#chunks.has(id)) chunk.remove();
    arrange(this.log, [...this.#chunks.values()]);
  }

  /** Returns how many rows, from the first one on, look as they are drawn already.
   * @param {readonly Row[]} rows  @param {Picture} picture  @param {Look} common */
  #asDrawn(rows, { state, pending, editing }, common) {
    const special = editing > 0 || this.#linked > 0 || pending.length > 0 || state.optimistic.size > 0;
    const mayKeep = !special && !this.#special && this.#common !== null && same(this.#common, common);
    this.#special = special;
    if (!this.#common || !same(this.#common, common)) this.#common = common;
    if (!mayKeep) return 0;
    let n = 0;
    for (const row of this.#shown) {
      const next = rows[n];
      if (!next || !same(row, next)) break;
      n++;
    }
    return n;
  }

  /** Makes the elements of new rows, and removes those of rows that are gone. Most often there is one more at the end.
   * @param {readonly Row[]} rows */
  #keep(rows) {
    const before = this.#rows;
    const grows = this.#shown.every((row, i) => row.key === rows[i]?.key);
    if (!grows) this.#rows = new Map();
    for (let i = grows ? this.#shown.length : 0; i < rows.length; i++) {
      const row = /** @type {Row} */ (rows[i]);
      this.#rows.set(row.key, before.get(row.key) ?? this.#add(row));
    }
    if (!grows) for (const [key, element] of before) if (this.#rows.get(key) !== element) this.#remove(element);
    this.#shown = rows;
  }

  /** @param {Row} row */
  #element(row) {
    return /** @type {HTMLElement} */ (this.#rows.get(row.key));
  }

  /** @param {Row} row */
  #add(row) {
    const element = newRow(row);
    this.#sizes.observe(element);
    return element;
  }

  /** @param {HTMLElement} element */
  #remove(element) {
    this.#sizes.unobserve(element);
    if (element.contains(document.activeElement)) this.log.focus({ preventScroll: true });
    element.remove();
  }

  /** @param {HTMLElement} element  @param {Row} row  @param {Picture} picture  @param {Look} common */
  #draw(element, row, { state, late: isLate, editing, now }, common) {
    switch (row.kind) {
      case "message": {
        const { seq } = row.message;
        const linked = seq > 0 && (seq === this.#linked || seq === editing);
        const late = row.pending !== null && isLate(row.pending);
        const optimistic = state.optimistic.get(seq);
        const special = linked || late || optimistic !== undefined;
        return showMessage(element, row, special ? { ...common, linked, late, optimistic } : common);
      }
      case "day":
        element.title = fullDay(row.at);
        return setText(part(element, ".rule-text", HTMLElement), dayName(row.at, now));
      case "replies":
        showFaces(part(element, ".faces", HTMLElement), row.people);
        return setText(part(element, ".rule-text", HTMLElement), t("thread.replies", { n: row.count }));
      default:
    }
  }

  /** @param {Target} target */
  #go(target) {
    const row =
      target.to === "message" || target.to === "place"
        ? this.log.querySelector(`[data-seq="${target.seq}"]`)
        : target.to === "new-separator"
          ? this.#rows.get("new-separator")
          : null;
    if (!(row instanceof HTMLElement)) return this.scrollAnchor.toEnd();
    if (target.to === "place")
      return this.scrollAnchor.restoreSnapshot({ atEnd: false, anchor: { row, element: row, offset: target.offset } });
    if (target.to === "message" && target.quiet) return this.scrollAnchor.reveal(row);
    this.scrollAnchor.to(row);
    // So that it is read aloud, and the arrow keys start there.
    if (target.to === "message") row.focus({ preventScroll: true });
  }

  #scrolled() {
    this.scrollAnchor.onScroll();
    if (this.#lookScheduled) return;
    this.#lookScheduled = true;
    requestAnimationFrame(() => {
      this.#lookScheduled = false;
      this.#look();
    });
  }

  /** Reports what the person sees, and requests the messages that they will see soon. */
  #look() {
    const { scrollTop, scrollHeight, clientHeight } = this.log;
    const following = this.scrollAnchor.atEnd && this.#newest.here;
    emit(this, "look", { following, seen: following ? this.#newest.seq : this.#lastSeen() });
    this.#showButton();
    const reserve = clientHeight * AHEAD;
    if (scrollTop < reserve && this.#rows.has("older")) emit(this, "older");
    if (scrollHeight - scrollTop - clientHeight < reserve && this.#rows.has("newer")) emit(this, "newer");
  }

  #lastSeen() {
    const bottom = this.log.getBoundingClientRect().bottom;
    const rows = [...this.#rows.values()].filter((row) => row.dataset["seq"]);
    const row = rows[firstWhere(rows, (r) => r.getBoundingClientRect().top + 20 >= bottom) - 1];
    return Number(row?.dataset["seq"] ?? 0);
  }

  /** Offers to jump to the newest message once the person has left it by half a screen, or somebody has written. */
  #showButton() {
    const state = this.#state;
    if (!state) return;
    const { unreadCount: unread } = state;
    const { scrollHeight, scrollTop, clientHeight } = this.log;
    const far = scrollHeight - scrollTop - clientHeight > clientHeight / 2;
    this.button.hidden = (this.scrollAnchor.atEnd && this.#newest.here) || (unread === 0 && !far && this.#newest.here);
    setText(
      part(this.button, ".label", HTMLElement),
      state.mayHaveMore
        ? t("log.unread-many", { n: unread })
        : unread > 0
          ? t("log.unread", { n: unread })
          : t("log.newest"),
    );
  }

  /** Unfolds a message downwards, or folds it so that its button stays under the pointer and its beginning is seen.
   * @param {CustomEvent<boolean>} e from the button */
  #turn({ target: button, detail: open }) {
    const row = button instanceof Element ? button.closest(".message") : null;
    if (!(button instanceof Element) || !(row instanceof HTMLElement)) return;
    this.scrollAnchor.keep(row, open ? row : button, () => turn(row, button, open));
    this.#look();
  }

  /** Sends the intent of a button in a message: about this message or the one that the button names.
   * @param {MouseEvent} e */
  #clicked(e) {
    const button = e.target instanceof Element ? e.target.closest("[data-do]") : null;
    const row = button?.closest(".message");
    if (!(button instanceof HTMLElement) || !(row instanceof HTMLElement) || button.closest("[role=toolbar]")) return;
    const { do: action = "", emoji, of = row.dataset["seq"] } = button.dataset;
    const key = [...this.#rows].find(([, element]) => element === row)?.[0];
    if (action === "retry" || action === "take-back") emit(this, action, key);
    else emit(button, action, action === "react" ? { seq: Number(of), emoji } : Number(of));
  }
}

/** Returns how a row looks that is not special. @param {Picture} picture  @returns {Look} */
function commonLook({ state: { room, me, thread }, waitingFor, now }) {
  return { late: false, waitingFor, linked: false, room, me, optimistic: undefined, thread, today: dayOf(now) };
}

/** @param {HTMLElement} place  @param {readonly Person[]} people */
function showFaces(place, people) {
  while (place.childElementCount > people.length) place.lastElementChild?.remove();
  while (place.childElementCount < people.length) place.append(newFace());
  for (const [i, person] of people.entries()) showAvatar(/** @type {HTMLElement} */ (place.children[i]), person);
}

/** Puts children in order, and moves none that stays.
 * @param {HTMLElement} parent  @param {readonly HTMLElement[]} wanted */
function arrange(parent, wanted) {
  /** @type {ChildNode | null} */
  let place = parent.firstChild;
  for (const element of wanted) {
    if (element === place) place = place.nextSibling;
    else parent.insertBefore(element, place);
  }
}

function newChunk() {
  const chunk = document.createElement("div");
  chunk.className = "chunk";
  return chunk;
}

/** @param {Row} row  @returns {HTMLElement} */
function newRow(row) {
  return row.kind === "message" ? newMessage() : part(fromTemplate(`row-${row.kind}`), ".row", HTMLElement);
}

customElements.define("message-list", MessageList);
