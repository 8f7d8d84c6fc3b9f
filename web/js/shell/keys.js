// keys.js: carries out the shortcuts of the whole page (shortcuts.js).
/** @import { PageSession } from "../list/page-session.js" */
/** @import { Action } from "./shortcuts.js" */
import { attention, sections } from "../list/room-list-state.js";
import { formatAddress } from "../ui/address.js";
import { APPLE } from "../ui/apple.js";
import { emit } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { say } from "../ui/toast.js";
import { actionOf } from "./shortcuts.js";

/** What keys act on: the page's frame.
 * @typedef {object} Shell
 * @property {PageSession} [session]
 * @property {(what: "switcher" | "search" | "settings" | "shortcuts") => void} open
 * @property {(address: string) => void} go
 */

/** @param {HTMLElement & Shell} shell */
export function listenToKeys(shell) {
  document.addEventListener("keydown", (e) => {
    if (e.defaultPrevented || !shell.isConnected || document.querySelector("dialog[open]")) return;
    const writing = e.target instanceof Element && e.target.matches("input, textarea, select, [contenteditable]");
    const action = actionOf(e, { writing, apple: APPLE });
    if (!action) return;
    e.preventDefault();
    act(shell, action);
  });
}

/** @param {HTMLElement & Shell} shell  @param {Action} action */
export function act(shell, action) {
  const { session } = shell;
  if (!session) return;
  const here = session.room?.deps.room ?? "";
  switch (action) {
    case "next":
    case "previous":
      return go(shell, beside(allRooms(session), here, action === "next" ? 1 : -1));
    case "next-unread":
      return go(
        shell,
        beside(
          allRooms(session),
          here,
          1,
          (room) => attention(/** @type {import("../wire/types.js").ListEntry} */ (session.rooms.get(room))) > 0,
        ),
      );
    case "read":
      session.markRead();
      return say(t("rooms.all-read"));
    case "people":
      return emit(document.querySelector("room-view") ?? shell, "people");
    default:
      shell.open(action);
  }
}

/** @param {PageSession} session */
const allRooms = (session) => sections(session.rooms).flatMap((s) => s.entries.map((e) => e.room));

/** @param {HTMLElement & Shell} shell  @param {string | undefined} room */
const go = (shell, room) => room !== undefined && shell.go(formatAddress(room));

/** Returns the next wanted room, going round from the open one.
 * @param {string[]} rooms  @param {string} here  @param {1 | -1} step
 * @param {(room: string) => boolean} [wanted] */
function beside(rooms, here, step, wanted = () => true) {
  const from = rooms.indexOf(here);
  for (let i = 1; i <= rooms.length; i++) {
    const at = from < 0 ? (step > 0 ? i - 1 : rooms.length - i) : (from + step * i + rooms.length * i) % rooms.length;
    const room = rooms[at];
    if (room !== undefined && room !== here && wanted(room)) return room;
  }
  return undefined;
}
