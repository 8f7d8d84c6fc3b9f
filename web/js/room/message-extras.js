// message-extras.js: the parts above and below a message's text: the quote, the source of a forward, the thread,
// reactions, replies and the pin. Most messages have none of them, so the elements are made on demand.
/** @import { Person } from "../wire/json.js" */
/** @import { MessageState, Reaction } from "../wire/types.js" */
import { newFace, showAvatar } from "../ui/avatar.js";
import { bdi, fill, icon, setText } from "../ui/dom.js";
import { list, t } from "../ui/i18n.js";
import { firstOf, isolate } from "../ui/text.js";
import { dayOf, fullTime, shortTime } from "../ui/time.js";
import { MAX_QUOTE, withOptimistic } from "./message-state.js";
import { plainText } from "./plain-text.js";
import { now } from "../wire/clock.js";

const MOST_NAMES = 30; // in a tooltip

/** What each context shows. @type {WeakMap<HTMLElement, string>} */
const contexts = new WeakMap();

/** Draws what is above the text. If nothing of it has changed the buttons stay, and with them the focus.
 * @param {HTMLElement} element the message's row  @param {MessageState} message  @param {boolean} inThread */
export function showAbove(element, message, inThread) {
  const context = piece(
    element,
    "context",
    Boolean(!message.deleted && (message.replyTo || message.forward || (message.thread && !inThread))),
    element.querySelector(".meta"),
  );
  if (!context) return;
  context.classList.toggle("answers", Boolean(message.replyTo));
  const { replyTo, quote, forward, thread } = message;
  const content = JSON.stringify([replyTo, quote, forward, thread, forward && dayOf(now())]);
  if (contexts.get(context) === content) return;
  contexts.set(context, content);
  const parts = [];
  if (forward) {
    const p = document.createElement("span");
    fill(p, "message.forwarded", {
      name: bdi(forward.from.name),
      time: document.createTextNode(shortTime(forward.at, now())),
    });
    parts.push(icon("forward"), p);
  }
  if (replyTo) {
    const button = doing("jump", "quote", replyTo);
    if (quote) {
      const words = document.createElement("span");
      words.className = "quoted";
      words.dir = "auto";
      words.textContent = quote.html ? firstOf(plainText(quote), MAX_QUOTE) : quote.text;
      button.append(face(quote.from), bdi(quote.from.name), words);
    } else button.append(icon("reply"), t("message.quote-gone"));
    parts.push(button);
  }
  if (thread && !inThread) {
    const button = doing("thread", "quote", thread);
    button.append(icon("thread"), t("message.in-thread"));
    parts.push(button);
  }
  context.replaceChildren(...parts);
}

/** @param {HTMLElement} element  @param {MessageState} message
 * @param {{ me: Person, optimistic: ReadonlyMap<string, boolean> | undefined, thread: number }} look */
export function showBelow(element, message, { me, optimistic, thread }) {
  const reactions = message.deleted ? [] : withOptimistic(message.reactions ?? [], optimistic, me);
  const replies = thread ? undefined : message.replies;
  const below = piece(element, "below", reactions.length > 0 || Boolean(replies) || Boolean(message.pinned), null);
  if (!below) return;
  showPinned(below, Boolean(message.pinned));
  showReactions(below, message.seq, reactions, me);
  showReplies(below, message, replies);
  const tabIndex = element.classList.contains("active") ? "0" : "-1";
  for (const button of below.querySelectorAll("[data-rove]")) button.setAttribute("tabindex", tabIndex);
}

/** @param {HTMLElement} below  @param {boolean} pinned */
function showPinned(below, pinned) {
  const there = below.querySelector(".pinned-mark");
  if (!pinned) return there?.remove();
  if (there) return;
  const mark = document.createElement("span");
  mark.className = "pinned-mark";
  mark.append(icon("pin"), t("message.pinned"));
  below.prepend(mark);
}

/** Draws the reactions. Each emoji keeps its button, so that the focus stays.
 * @param {HTMLElement} below  @param {number} seq  @param {readonly Reaction[]} reactions  @param {Person} me */
function showReactions(below, seq, reactions, me) {
  const before = new Map([...below.querySelectorAll(".reaction")].map((b) => [b.getAttribute("data-emoji") ?? "", b]));
  const place = below.querySelector(".add-reaction") ?? below.querySelector(".replies");
  for (const { emoji, people } of reactions) {
    const button = before.get(emoji) ?? newReaction(seq, emoji);
    before.delete(emoji);
    const mine = people.some((p) => p.id === me.id);
    button.setAttribute("aria-pressed", String(mine));
    const names = list(people.slice(0, MOST_NAMES).map((p) => (p.id === me.id ? t("you") : isolate(p.name))));
    const who = people.length > MOST_NAMES ? t("reaction.more", { names, n: people.length - MOST_NAMES }) : names;
    button.setAttribute("title", who);
    button.setAttribute("aria-label", t("reaction.label", { emoji, n: people.length, names: who }));
    setText(/** @type {Element} */ (button.querySelector(".n")), String(people.length));
    if (button.parentNode !== below) below.insertBefore(button, place);
  }
  for (const unused of before.values()) unused.remove();
  const add = below.querySelector(".add-reaction");
  if (reactions.length === 0) return add?.remove();
  if (!add) below.insertBefore(newAdd(seq), below.querySelector(".replies"));
}

/** @param {number} seq  @param {string} emoji */
function newReaction(seq, emoji) {
  const button = doing("react", "reaction", seq);
  button.dataset["emoji"] = emoji;
  const face = document.createElement("span");
  face.textContent = emoji;
  const n = document.createElement("span");
  n.className = "n";
  button.append(face, n);
  return button;
}

/** @param {number} seq */
function newAdd(seq) {
  const button = doing("pick", "add-reaction", seq);
  button.setAttribute("aria-label", t("action.react"));
  button.title = t("action.react");
  button.append(icon("smile"));
  return button;
}

/** @param {HTMLElement} below  @param {MessageState} message  @param {MessageState["replies"]} replies */
function showReplies(below, message, replies) {
  const there = below.querySelector(".replies");
  if (!replies) return there?.remove();
  const button = there ?? doing("thread", "replies", message.seq);
  button.setAttribute("title", fullTime(replies.at));
  const words = document.createElement("span");
  const count = document.createElement("span");
  count.className = "count";
  count.textContent = t("thread.replies", { n: replies.count });
  fill(words, "thread.summary", {
    replies: count,
    time: document.createTextNode(shortTime(replies.at, now())),
  });
  button.replaceChildren(face(replies.from), words);
  if (!there) below.append(button);
}

/** Returns the part of a row with this class. It is made if needed, and removed otherwise.
 * @param {HTMLElement} element  @param {string} name  @param {boolean} needed  @param {Element | null} before
 * @returns {HTMLElement | null} */
function piece(element, name, needed, before) {
  const there = /** @type {HTMLElement | null} */ (element.querySelector(`:scope > .${name}`));
  if (!needed) {
    if (there?.contains(document.activeElement)) element.focus({ preventScroll: true });
    there?.remove();
    return null;
  }
  if (there) return there;
  const made = document.createElement("div");
  made.className = name;
  element.insertBefore(made, before);
  return made;
}

/** @param {Person} person */
function face(person) {
  const avatar = newFace();
  showAvatar(avatar, person);
  return avatar;
}

/** Returns a button that Tab reaches only while its message has the focus.
 * @param {string} what  @param {string} name  @param {number} seq */
function doing(what, name, seq) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = name;
  button.tabIndex = -1;
  Object.assign(button.dataset, { do: what, rove: "", of: String(seq) });
  return button;
}
