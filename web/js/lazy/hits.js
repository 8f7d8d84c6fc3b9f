// hits.js: messages from many rooms as a list: where, who, when, what. Following one leads to its place in the room.
/** @import { Found } from "../found-api.js" */
import { t } from "../i18n.js";
import { addressOf } from "../place.js";
import { snippet } from "../snippet.js";
import { fullTime, shortTime } from "../time.js";
import { bdi, fromTemplate, part, tell } from "../view/dom.js";

/** @param {HTMLElement} panel  @param {readonly Found[]} found  @param {number} now  @param {boolean} threads whether each is a thread */
export function addHits(panel, found, now, threads = false) {
  part(panel, ".hits", HTMLElement).append(...found.map((f) => hit(panel, f, now, threads)));
}

/** @param {HTMLElement} panel  @param {Found} found  @param {number} now  @param {boolean} threads */
function hit(panel, found, now, threads) {
  const li = part(fromTemplate("hit"), "li", HTMLElement);
  const link = part(li, "a", HTMLAnchorElement);
  link.href = addressOf(found.room, found.seq);
  part(li, ".room", HTMLElement).replaceChildren(bdi(found.room));
  part(li, ".author", HTMLElement).replaceChildren(bdi(found.from.name));
  const time = part(li, "time", HTMLTimeElement);
  time.dateTime = new Date(found.at).toISOString();
  time.title = fullTime(found.at);
  time.textContent = shortTime(found.at, now);
  if (!found.text) part(li, ".snippet", HTMLElement).textContent = t("saved.gone");
  else part(li, ".snippet", HTMLElement).replaceChildren(...snippet(found.text, found.ranges).map(piece));
  link.addEventListener("click", (e) => {
    if (e.ctrlKey || e.metaKey || e.shiftKey) return;
    e.preventDefault();
    if (threads) tell(panel, "go-thread", { room: found.room, seq: found.seq });
    else tell(panel, "go", link.pathname + link.hash);
  });
  return li;
}

/** @param {{ text: string, hit: boolean }} piece */
function piece({ text, hit: marked }) {
  if (!marked) return document.createTextNode(text);
  const mark = document.createElement("mark");
  mark.textContent = text;
  return mark;
}
