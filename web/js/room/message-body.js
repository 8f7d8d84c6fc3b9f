// message-body.js: a message's body as nodes: plain text, or the server's HTML, which alone has links. Mentions are
// emphasised, and an action begins with its author.
/** @import { Person } from "../wire/json.js" */
/** @import { MessageState } from "../wire/types.js" */
import { bdi, icon } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { isJumbo } from "../ui/text.js";
import { fullTime } from "../ui/time.js";
import { HERE, cutMentions } from "./mentions.js";
import { safeFragment } from "./safe-html.js";

const FOLD_LINES = 20; // a message of more lines is folded
const LINE = 90; // characters per line, roughly
const VERBATIM = "a, code, pre"; // elements in which an @ is no mention

/** @param {HTMLElement} body  @param {MessageState} message  @param {Person} me */
export function showBody(body, message, me) {
  const { html, text, deleted = false, action = false } = message;
  body.classList.toggle("plain", !html && !deleted);
  body.classList.toggle("jumbo", !html && !action && isJumbo(text));
  body.classList.toggle("gone", deleted);
  body.classList.toggle("action", action && !deleted);
  if (deleted) return body.replaceChildren(icon("trash"), t("message.gone"));
  body.replaceChildren(html ? safeFragment(html) : text);
  nameEverybody(body, message, me);
  const first = body.firstElementChild instanceof HTMLParagraphElement ? body.firstElementChild : body;
  if (action) first.prepend(bdi(message.from.name), " ");
  const last = body.lastElementChild instanceof HTMLParagraphElement ? body.lastElementChild : body;
  if (message.edited) last.append(" ", editedMark(message.edited.at));
}

/** Reports whether a message names a person. @param {MessageState} message  @param {Person} person */
export const isFor = (message, person) =>
  message.from.id !== person.id &&
  !message.deleted &&
  (message.here === true || (message.mentions?.some((p) => p.id === person.id) ?? false));

/** Reports whether a message is long enough to be folded. @param {MessageState} message */
export function isLong({ text, deleted }) {
  if (deleted || text.length < 2 * FOLD_LINES) return false;
  let lines = 0;
  for (const line of text.split("\n")) lines += 1 + Math.floor(line.length / LINE);
  return lines > FOLD_LINES;
}

/** @param {HTMLElement} body  @param {MessageState} message  @param {Person} me */
function nameEverybody(body, { mentions = [], here = false }, me) {
  if (mentions.length === 0 && !here) return;
  const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode())
    if (!walker.currentNode.parentElement?.closest(VERBATIM)) texts.push(/** @type {Text} */ (walker.currentNode));
  for (const node of texts) {
    const pieces = cutMentions(node.data, mentions, here);
    if (pieces.some((p) => p.names))
      node.replaceWith(
        ...pieces.map(({ text, names }) => (names ? mention(text, names, names === me.id || names === HERE) : text)),
      );
  }
}

/** @param {string} text  @param {string} names the id of a person, or HERE  @param {boolean} me */
function mention(text, names, me) {
  const span = document.createElement("bdi");
  span.className = me ? "mention me" : "mention";
  if (names !== HERE) {
    Object.assign(span.dataset, { person: names, rove: "" });
    Object.assign(span, { role: "button", tabIndex: -1, ariaHasPopup: "menu" });
  }
  span.textContent = text;
  return span;
}

/** @param {number} at */
function editedMark(at) {
  const button = document.createElement("button");
  button.className = "edited";
  button.type = "button";
  button.tabIndex = -1;
  button.dataset["do"] = "versions";
  button.dataset["rove"] = "";
  button.title = t("message.edited-at", { time: fullTime(at) });
  button.textContent = t("message.edited");
  return button;
}
