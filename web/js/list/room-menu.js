// room-menu.js: the menu of a room in the list.
/** @import { Key } from "../lang/en.js" */
/** @import { Item } from "../ui/menu.js" */
/** @import { Notify } from "../wire/types.js" */
/** @import { PageSession } from "./page-session.js" */
import { formatAddress } from "../ui/address.js";
import { copyText } from "../ui/clipboard.js";
import { emit } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { openMenu } from "../ui/menu.js";
import { linkFor } from "../ui/share-link.js";
import { isolate } from "../ui/text.js";
import { say } from "../ui/toast.js";

const NOTIFY = /** @type {[Notify, Key][]} */ ([
  ["all", "rooms.notify-all"],
  ["mentions", "rooms.notify-mentions"],
  ["none", "rooms.notify-none"],
]);

/** @param {HTMLElement} button  @param {string} room  @param {PageSession} session
 * @param {readonly Item[]} [first]  what stands above the rest */
export function openRoomMenu(button, room, session, first = []) {
  const entry = session.rooms.get(room);
  if (!entry) return;
  const set = async (/** @type {Parameters<PageSession["set"]>[1]} */ change) => {
    if (!(await session.set(room, change))) say(t("refused.other"));
  };
  const stored =
    session.hasList
      ? [
          {
            label: t("rooms.favourite"),
            icon: "star",
            checked: entry.favourite,
            does: () => set({ favourite: !entry.favourite }),
          },
          { label: t("rooms.mute"), icon: "mute", checked: entry.muted, does: () => set({ muted: !entry.muted }) },
          ...NOTIFY.map(([notify, key], i) => ({
            label: t(key),
            checked: entry.notify === notify,
            radio: true,
            rule: i === 0,
            does: () => void set({ notify }),
          })),
        ]
      : [];
  openMenu(button, t("rooms.menu", { room: isolate(room) }), [
    ...first,
    ...stored.map((item, i) => (i === 0 && first.length > 0 ? { ...item, rule: true } : item)),
    ...(entry.unread + entry.mentions > 0
      ? [{ label: t("rooms.read"), icon: "check", rule: true, does: () => session.markRead(room) }]
      : []),
    {
      label: t("rooms.copy"),
      icon: "link",
      rule: entry.unread + entry.mentions === 0 && stored.length > 0,
      does: async () => copy(await linkFor(session.deps.api, formatAddress(room), location)),
    },
    {
      label: t(entry.seq > 0 ? "rooms.leave" : "rooms.hide"), // nobody has written: there is nothing to leave
      icon: "leave",
      rule: true,
      danger: true,
      does: () => leave(button, room, session),
    },
  ], { held: button.closest("li") ?? undefined });
}

/** @param {string} link */
async function copy(link) {
  say((await copyText(link)) ? t("room.copied") : link);
}

/** @param {HTMLElement} button  @param {string} room  @param {PageSession} session */
function leave(button, room, session) {
  const here = session.room?.deps.room === room;
  const list = button.closest("room-list");
  session.unlist(room);
  if (here) emit(list ?? button, "go", "/");
  say(t("rooms.left", { room: isolate(room) }));
}
