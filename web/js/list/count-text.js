// count-text.js: what the badge of a room says. No DOM.
/** @import { ListEntry } from "../wire/types.js" */
import { number } from "../ui/i18n.js";
import { showsMention } from "./room-list-state.js";

const MOST = 99; // shown as "99+" beyond; the server counts up to 100

/** Returns the text of the badge, "" if there is none: the number of unread messages, or "@" if the person is named,
 * with a number if that was more than once. @param {ListEntry} entry */
export function countText(entry) {
  const named = showsMention(entry);
  const n = named ? entry.mentions : entry.muted ? 0 : entry.unread;
  if (n === 0 || (named && n === 1)) return named ? "@" : "";
  return `${named ? "@" : ""}${n > MOST ? `${number(MOST)}+` : number(n)}`;
}
