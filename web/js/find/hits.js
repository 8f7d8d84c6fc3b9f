// hits.js: a list of messages from many rooms: where, who, when, what. A click leads to the message in its room.
/** @import { Hit } from "./find-api.js" */
import { plainText } from "../room/plain-text.js";
import { formatAddress } from "../ui/address.js";
import { showAvatar, showName } from "../ui/avatar.js";
import { bdi, emit, fromTemplate, part, setText } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { fullTime, shortTime } from "../ui/time.js";
import { moveRanges, snippet } from "./snippet.js";

/** @param {HTMLElement} panel  @param {readonly Hit[]} hits  @param {number} now
 * @param {boolean} threads whether each is a thread */
export function addHits(panel, hits, now, threads = false) {
  part(panel, ".hits", HTMLElement).append(...hits.map((hit) => item(panel, hit, now, threads)));
}

/** @param {HTMLElement} panel  @param {Hit} hit  @param {number} now  @param {boolean} threads */
function item(panel, hit, now, threads) {
  const li = part(fromTemplate("hit"), "li", HTMLElement);
  const link = part(li, "a", HTMLAnchorElement);
  link.href = formatAddress(hit.room, hit.seq);
  showAvatar(part(li, ".avatar", HTMLElement), hit.from);
  showName(part(li, ".author", HTMLElement), hit.from);
  part(li, ".place", HTMLElement).replaceChildren(bdi(hit.room));
  const note = threads ? t("thread.replies", { n: hit.replies }) : hit.thread ? t("search.in-thread") : "";
  setText(part(li, ".note", HTMLElement), note);
  const time = part(li, "time", HTMLTimeElement);
  time.dateTime = new Date(hit.at).toISOString();
  time.title = fullTime(hit.at);
  time.textContent = shortTime(hit.at, now);
  if (!hit.text) part(li, ".snippet", HTMLElement).textContent = t("saved.gone");
  else part(li, ".snippet", HTMLElement).replaceChildren(...snippetOf(hit).map(piece));
  link.addEventListener("click", (e) => {
    if (e.ctrlKey || e.metaKey || e.shiftKey) return;
    e.preventDefault();
    if (threads) emit(panel, "go-thread", { room: hit.room, seq: hit.seq });
    else emit(panel, "go", link.pathname + link.hash);
  });
  return li;
}

/** @param {Hit} hit */
function snippetOf(hit) {
  const plain = plainText(hit);
  return snippet(plain, moveRanges(hit.text, hit.ranges, plain));
}

/** @param {{ text: string, hit: boolean }} piece */
function piece({ text, hit: marked }) {
  if (!marked) return document.createTextNode(text);
  const mark = document.createElement("mark");
  mark.textContent = text;
  return mark;
}
