// message.js: one message as an element. Drawing it twice changes nothing; an unsent message becomes its stored twin
// in place. A live room makes many of them, so a row has only the elements that it needs.
/** @import { Person } from "../wire/json.js" */
/** @import { MessageRow, OutboxMessage } from "./types.js" */
import { newFace, showAvatar, showName } from "../ui/avatar.js";
import { emit, fromTemplate, part, setText } from "../ui/dom.js";
import { reason, t } from "../ui/i18n.js";
import { fullTime, timeOfDay } from "../ui/time.js";
import { Refusal } from "../wire/protocol.js";
import { isFor, isLong, showBody } from "./message-body.js";
import { showAbove, showBelow } from "./message-extras.js";

/** What else a row depends on. `thread`: the thread whose rows these are; 0: the room.
 * @typedef {object} Look
 * @property {boolean} late
 * @property {string} waitingFor
 * @property {boolean} linked
 * @property {string} room
 * @property {Person} me
 * @property {ReadonlyMap<string, boolean> | undefined} optimistic
 * @property {number} thread
 * @property {string} today  the local day; with it, "10:31" becomes "23 Nov"
 */

/** The state of each element as last drawn.
 * @type {WeakMap<Element, { row: MessageRow, look: Look, content: string }>} */
const drawn = new WeakMap();

/** Returns the row that an element shows. @param {Element} element  @returns {MessageRow | undefined} */
export const rowOf = (element) => drawn.get(element)?.row;

/** @type {HTMLElement | null} */
let pattern = null;

/** Returns a new, still empty row. @returns {HTMLElement} */
export function newMessage() {
  pattern ??= part(fromTemplate("message"), ".message", HTMLElement);
  return /** @type {HTMLElement} */ (pattern.cloneNode(true));
}

/** @param {HTMLElement} element  @param {MessageRow} row  @param {Look} look */
export function showMessage(element, row, look) {
  const { message, pending, first, mine } = row;
  const before = drawn.get(element);
  if (before && same(before.row, row) && same(before.look, look)) return; // the usual case
  element.classList.toggle("first", first);
  element.classList.toggle("mine", mine);
  element.classList.toggle("linked", look.linked);
  element.classList.toggle("pending", pending !== null && !pending.failed);
  element.classList.toggle("failed", Boolean(pending?.failed));
  showState(element, pending, look);
  const content = JSON.stringify([
    message.html || message.text,
    message.deleted,
    message.edited,
    message.action && message.from.name,
    message.mentions,
    message.here,
    look.me.id,
  ]);
  drawn.set(element, { row, look, content });
  if (
    before?.row.message === message &&
    before.row.first === first &&
    before.look.optimistic === look.optimistic &&
    before.look.today === look.today &&
    before.look.me === look.me
  )
    return;
  if (message.seq) element.dataset["seq"] = String(message.seq);
  showAuthor(element, row);
  showTime(element, row, look.room);
  if (before?.content !== content) {
    const body = part(element, ".body", HTMLElement);
    const hadFocus = body.contains(document.activeElement);
    showBody(body, message, look.me);
    const bars = [...element.querySelectorAll(".message-actions")].filter(() => message.deleted); // can be done no more
    if (hadFocus || bars.some((bar) => bar.contains(document.activeElement))) element.focus({ preventScroll: true });
    for (const bar of bars) bar.remove();
    if (bars.length > 0) element.classList.remove("tooled");
    element.classList.toggle("for-me", isFor(message, look.me));
    fold(element, isLong(message));
  }
  if (before?.row.message !== message || before.look.today !== look.today) showAbove(element, message, look.thread > 0);
  showBelow(element, message, look);
  label(element, `${look.thread ? "t" : "m"}-${row.key.replace(/\W/g, "-")}`, message.from.name);
}

/** Whether two objects have the same values. It allocates nothing, since each message compares all rows.
 * @template {object} T  @param {T} a  @param {T} b */
export function same(a, b) {
  if (a === b) return true;
  for (const name in a) if (a[name] !== b[name]) return false;
  return true;
}

/** Shows who has written, in the first row of a group. @param {HTMLElement} element  @param {MessageRow} row */
function showAuthor(element, { message: { from }, first }) {
  const meta = part(element, ".meta", HTMLElement);
  const there = meta.querySelector(".author");
  if (!first) for (const e of meta.querySelectorAll(".author, .avatar")) e.remove();
  if (!first) return;
  const avatar = there ? part(meta, ".avatar", HTMLElement) : newFace();
  const name = there instanceof HTMLElement ? there : document.createElement("span");
  if (!there) {
    name.className = "author";
    name.dataset["rove"] = "";
    Object.assign(name, { role: "button", tabIndex: -1, ariaHasPopup: "menu" }); // opens the person's card
    meta.prepend(avatar, name, " ");
  }
  showAvatar(avatar, from);
  showName(name, from);
}

/** @param {HTMLElement} element  @param {MessageRow} row  @param {string} room */
function showTime(element, { message }, room) {
  const time = part(element, "time", HTMLTimeElement);
  time.dateTime = new Date(message.at).toISOString();
  setText(time, timeOfDay(message.at));
  const link = part(element, ".permalink", HTMLAnchorElement);
  link.title = fullTime(message.at);
  if (message.seq) link.href = `/r/${encodeURIComponent(room)}#${message.seq}`;
}

/** Folds a long message, with a button that unfolds it. The choice lasts as long as the row.
 * @param {HTMLElement} element  @param {boolean} long */
function fold(element, long) {
  const there = element.querySelector(".unfold");
  element.classList.toggle("folded", long && there?.getAttribute("aria-expanded") !== "true");
  if (!long) return there?.remove();
  if (there) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "unfold link";
  button.tabIndex = -1;
  button.dataset["rove"] = "";
  turn(element, button, false);
  button.addEventListener("click", () => emit(button, "turn", element.classList.contains("folded")));
  part(element, ".body", HTMLElement).addEventListener("focusin", (e) => {
    const isCode = e.target instanceof Element && e.target.matches("pre");
    if (!isCode && element.matches(".folded")) emit(button, "turn", true); // a focused link has to be visible
  });
  part(element, ".body", HTMLElement).after(button);
}

/** Unfolds or folds a message. @param {Element} element  @param {Element} button  @param {boolean} open */
export function turn(element, button, open) {
  element.classList.toggle("folded", !open);
  button.setAttribute("aria-expanded", String(open));
  button.textContent = t(open ? "message.less" : "message.more");
}

/** Shows whether an unsent message waits or has failed.
 * @param {HTMLElement} element  @param {OutboxMessage | null} pending  @param {Look} look */
function showState(element, pending, look) {
  const there = element.querySelector(".state");
  if (!pending || !(pending.failed || look.late)) {
    if (there?.contains(document.activeElement)) element.focus({ preventScroll: true });
    return there?.remove();
  }
  const state = there ?? part(fromTemplate("message-state"), ".state", HTMLElement);
  if (!there) part(element, ".body", HTMLElement).after(state);
  part(state, "use", SVGElement).setAttribute("href", pending.failed ? "#i-alert" : "#i-clock");
  setText(part(state, ".state-text", HTMLElement), stateText(pending, look.waitingFor));
  part(state, ".state-actions", HTMLElement).hidden = pending.attempted && !pending.failed;
  part(state, "[data-do=retry]", HTMLElement).hidden = !pending.failed;
}

/** @param {OutboxMessage} pending  @param {string} waitingFor */
function stateText(pending, waitingFor) {
  if (pending.failed)
    return t("message.failed", { reason: reason(new Refusal(pending.failed.code, pending.failed.message)) });
  if (pending.attempted) return t("message.unconfirmed");
  if (waitingFor === "rate_limited") return t("message.soon");
  if (waitingFor) return t("message.later");
  return t("message.unsent");
}

/** Labels the row for screen readers: by its author, whom only the first row of a group shows, and by its own parts.
 * @param {HTMLElement} element  @param {string} id  @param {string} author */
function label(element, id, author) {
  const ids = ["time", ".context", ".body", ".state-text", ".below"].flatMap((selector, i) => {
    const p = element.querySelector(selector);
    if (!p) return [];
    p.id = `${id}-${i}`;
    return [p.id];
  });
  element.id = id;
  element.setAttribute("aria-label", author);
  element.setAttribute("aria-labelledby", [id, ...ids].join(" "));
}
