// message.js: one message as an element. Rendering twice changes nothing; a message of the outbox
// becomes its stored twin in place.
/** @import { Entry } from "../outbox.js" */
/** @import { MessageRow } from "../timeline.js" */
import { reason, t } from "../i18n.js";
import { Refusal } from "../protocol.js";
import { isJumbo, linkify } from "../text.js";
import { fullTime, timeOfDay } from "../time.js";
import { showAvatar } from "./avatar.js";
import { bdi, fromTemplate, part, setText } from "./dom.js";
import { outward, safeFragment } from "./safe-html.js";

/** What the row looks like beyond its own data. @typedef {{ late: boolean, waitingFor: string, linked: boolean, room: string }} Look */

/** What was last drawn. @type {WeakMap<Element, { row: MessageRow, look: Look, text: string }>} */
const drawn = new WeakMap();

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
  const content = event.html || event.text;
  drawn.set(element, { row, look, text: content });
  if (before?.row.event === event && before.row.first === first) return;
  if (event.seq) element.dataset["seq"] = String(event.seq);
  const name = part(element, ".author", HTMLElement);
  if (before?.row.event.from.name !== event.from.name) name.replaceChildren(bdi(event.from.name));
  showAvatar(part(element, ".avatar", HTMLElement), event.from);
  showTime(element, row, look.room);
  if (before?.text !== content) showBody(part(element, ".body", HTMLElement), event.text, event.html);
  label(element, row.key);
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

/** @param {HTMLElement} body  @param {string} text  @param {string} html */
function showBody(body, text, html) {
  body.classList.toggle("plain", !html);
  body.classList.toggle("jumbo", !html && isJumbo(text));
  if (html) body.replaceChildren(safeFragment(html));
  else body.replaceChildren(...linkify(text).map(toNode));
}

/** @param {{ text: string, href?: string }} piece */
function toNode({ text, href }) {
  if (!href) return document.createTextNode(text);
  const a = document.createElement("a");
  outward(a, href);
  a.textContent = text;
  return a;
}

/** Says honestly where the message is. @param {HTMLElement} element  @param {Entry | null} entry  @param {Look} look */
function showState(element, entry, look) {
  const state = part(element, ".state", HTMLElement);
  const told = entry?.failed ? "failed" : entry && look.late ? "kept" : "";
  state.hidden = !told;
  setText(part(state, ".state-text", HTMLElement), told ? stateText(/** @type {Entry} */ (entry), look.waitingFor) : "");
  part(state, ".state-actions", HTMLElement).hidden = !entry || (entry.attempted && !entry.failed);
  part(state, "[data-do=retry]", HTMLElement).hidden = !entry?.failed;
  part(element, ".copy-link", HTMLElement).hidden = entry !== null;
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
 * @param {HTMLElement} element  @param {string} key */
function label(element, key) {
  const parts = [".author", "time", ".body", ".state-text"].map((selector, i) => {
    const p = part(element, selector, HTMLElement);
    p.id = `m-${key}-${i}`;
    return p.id;
  });
  element.setAttribute("aria-labelledby", parts.join(" "));
}
