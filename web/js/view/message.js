// message.js: one message as an element. Rendering twice changes nothing; a message of the outbox
// becomes its stored twin in place.
/** @import { Entry } from "../outbox.js" */
/** @import { Person } from "../protocol.js" */
/** @import { MessageRow } from "../timeline.js" */
import { reason, t } from "../i18n.js";
import { Refusal } from "../protocol.js";
import { fullTime, timeOfDay } from "../time.js";
import { showAbove, showBelow } from "./around-message.js";
import { showAvatar } from "./avatar.js";
import { bdi, fromTemplate, part, setText } from "./dom.js";
import { isFor, isLong, showBody } from "./message-body.js";

/** What the row looks like beyond its own data. `thread`: whose rows these are, 0 for the room's.
 * @typedef {{ late: boolean, waitingFor: string, linked: boolean, room: string, me: Person, hopes: ReadonlyMap<string, boolean> | undefined, thread: number }} Look */

/** What was last drawn. @type {WeakMap<Element, { row: MessageRow, look: Look, content: string }>} */
const drawn = new WeakMap();

/** What a row shows. @param {Element} element  @returns {MessageRow | undefined} */
export const rowOf = (element) => drawn.get(element)?.row;

/** Returns a new, still empty row. @returns {HTMLElement} */
export function newMessage() {
  return part(fromTemplate("message"), ".message", HTMLElement);
}

/** @param {HTMLElement} element  @param {MessageRow} row  @param {Look} look */
export function showMessage(element, row, look) {
  const { event, entry, first, mine } = row;
  const before = drawn.get(element);
  if (before && same(before.row, row) && same(before.look, look)) return; // so it is with nearly all rows nearly always
  element.classList.toggle("first", first);
  element.classList.toggle("mine", mine);
  element.classList.toggle("linked", look.linked);
  element.classList.toggle("pending", entry !== null && !entry.failed);
  element.classList.toggle("failed", Boolean(entry?.failed));
  showState(element, entry, look);
  const content = JSON.stringify([event.html || event.text, event.gone, event.edited, event.action && event.from.name, event.mentions, event.here, look.me.id]);
  drawn.set(element, { row, look, content });
  if (before?.row.event === event && before.row.first === first && before.look.hopes === look.hopes && before.look.me === look.me) return;
  if (event.seq) element.dataset["seq"] = String(event.seq);
  const name = part(element, ".author", HTMLElement);
  if (before?.row.event.from.name !== event.from.name) name.replaceChildren(bdi(event.from.name));
  showAvatar(part(element, ".avatar", HTMLElement), event.from);
  showTime(element, row, look.room);
  if (before?.content !== content) {
    showBody(part(element, ".body", HTMLElement), event, look.me);
    element.classList.toggle("for-me", isFor(event, look.me));
    fold(element, isLong(event));
  }
  if (before?.row.event !== event) showAbove(element, event, look.thread > 0);
  showBelow(element, event, look);
  label(element, `${look.thread ? "t" : "m"}-${row.key.replace(/\W/g, "-")}`);
}

/** Whether two objects have the same values. @param {object} a  @param {object} b */
const same = (a, b) => Object.entries(a).every(([name, value]) => value === /** @type {Record<string, unknown>} */ (b)[name]);

/** @param {HTMLElement} element  @param {MessageRow} row  @param {string} room */
function showTime(element, { event }, room) {
  const time = part(element, "time", HTMLTimeElement);
  time.dateTime = new Date(event.at).toISOString();
  setText(time, timeOfDay(event.at));
  const link = part(element, ".permalink", HTMLAnchorElement);
  link.title = fullTime(event.at);
  if (event.seq) link.href = `/r/${encodeURIComponent(room)}#${event.seq}`;
}

/** A long message shows its beginning, and all of it on demand; that is kept as long as the row is there.
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
  const turn = (/** @type {boolean} */ open) => {
    element.classList.toggle("folded", !open);
    button.setAttribute("aria-expanded", String(open));
    button.textContent = t(open ? "message.less" : "message.more");
  };
  turn(false);
  button.addEventListener("click", () => turn(element.classList.contains("folded")));
  part(element, ".body", HTMLElement).addEventListener("focusin", (e) => {
    if (e.target instanceof Element && !e.target.matches("pre")) turn(true); // a link that is reached is seen
  });
  part(element, ".body", HTMLElement).after(button);
}

/** Says honestly where the message is. @param {HTMLElement} element  @param {Entry | null} entry  @param {Look} look */
function showState(element, entry, look) {
  const state = part(element, ".state", HTMLElement);
  const told = entry?.failed ? "failed" : entry && look.late ? "kept" : "";
  state.hidden = !told;
  setText(part(state, ".state-text", HTMLElement), told ? stateText(/** @type {Entry} */ (entry), look.waitingFor) : "");
  part(state, ".state-actions", HTMLElement).hidden = !entry || (entry.attempted && !entry.failed);
  part(state, "[data-do=retry]", HTMLElement).hidden = !entry?.failed;
}

/** @param {Entry} entry  @param {string} waitingFor */
function stateText(entry, waitingFor) {
  if (entry.failed) return t("message.failed", { reason: reason(new Refusal(entry.failed.code, entry.failed.message)) });
  if (entry.attempted) return t("message.unconfirmed");
  if (waitingFor === "rate_limited") return t("message.soon");
  if (waitingFor) return t("message.later");
  return t("message.unsent");
}

/** Names the row by its own parts: who, when, what, and how it stands.
 * @param {HTMLElement} element  @param {string} prefix of the parts' ids */
function label(element, prefix) {
  const ids = [".author", "time", ".context", ".body", ".state-text", ".below"].flatMap((selector, i) => {
    const p = element.querySelector(selector);
    if (!p) return [];
    p.id = `${prefix}-${i}`;
    return [p.id];
  });
  element.setAttribute("aria-labelledby", ids.join(" "));
}
