// switcher.js: the quick switcher: a few letters find a room, a person in the open room, or an action. The field keeps
// the focus; arrow keys choose in the list below it (ARIA practices: combobox with a listbox).
/** @import { PageSession } from "../list/page-session.js" */
/** @import { Person } from "../wire/json.js" */
/** @import { ListEntry } from "../wire/types.js" */
import { countText } from "../list/count-text.js";
import { byAttention, showsMention } from "../list/room-list-state.js";
import { formatAddress } from "../ui/address.js";
import { showAvatar } from "../ui/avatar.js";
import { bdi, fromTemplate, part, setText } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { showDialog } from "../ui/overlay.js";
import { toRoomName } from "../ui/room-name.js";
import { isolate } from "../ui/text.js";
import { setTheme } from "../ui/theme.js";
import { best } from "./fuzzy.js";

const MOST = 12;

/** What can be chosen.
 * @typedef {{ icon: string, name: string, detail: string, does: () => void, person?: Person, room?: ListEntry }} Choice
 */

/** @typedef {object} Shell
 * @property {(what: "search" | "settings" | "saved" | "threads" | "shortcuts", at?: string) => void} open
 * @property {(address: string) => void} go
 */

/** @typedef {object} Context
 * @property {Shell} shell
 * @property {PageSession} session
 * @property {(action: "read") => void} act
 */

/** @param {Context} context */
export function open(context) {
  const dialog = part(fromTemplate("switcher"), "dialog", HTMLDialogElement);
  const field = part(dialog, "input", HTMLInputElement);
  const choices = everything(context);
  /** @type {Choice[]} */
  let shown = [];
  let at = 0;
  const choose = (/** @type {Choice | undefined} */ choice) => {
    if (!choice) return;
    dialog.close();
    choice.does();
  };
  const mark = () => {
    const options = [...dialog.querySelectorAll("[role=option]")];
    options.forEach((o, i) => o.setAttribute("aria-selected", String(i === at)));
    const option = options[at];
    if (option) field.setAttribute("aria-activedescendant", option.id);
    else field.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  };
  const find = () => {
    shown = found(choices, field.value, context);
    at = 0;
    part(dialog, "ul", HTMLElement).replaceChildren(...shown.map(item));
    setText(part(dialog, ".none", HTMLElement), shown.length === 0 ? t("switcher.none") : "");
    mark();
  };
  field.addEventListener("input", find);
  field.addEventListener("keydown", (e) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (e.key === "Enter") choose(shown[at]);
    else if (step && shown.length > 0) at = (at + step + shown.length) % shown.length;
    else return;
    e.preventDefault();
    mark();
  });
  dialog.addEventListener("click", (e) => {
    const option = e.target instanceof Element ? e.target.closest("[role=option]") : null;
    if (option) choose(shown[Number(option.id.slice("switcher-".length))]);
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  showDialog(dialog);
  find();
  field.focus();
}

/** @param {Context} context  @returns {Choice[]} */
function everything({ shell, session, act }) {
  const here = session.room?.deps.room;
  const people = [...(session.room?.state.people?.values() ?? [])].filter((p) => p.id !== session.me.id);
  const todo = /** @type {const} */ ([
    ["i-settings", t("settings.title"), () => shell.open("settings")],
    ["i-saved", t("saved.title"), () => shell.open("saved")],
    ["i-thread", t("threads.title"), () => shell.open("threads")],
    ["i-plus", t("rooms.new"), () => shell.go("/")],
    ["i-check", t("keys.read"), () => act("read")],
    ["i-sun", t("switcher.theme", { theme: t("theme.light") }), () => setTheme("light")],
    ["i-moon", t("switcher.theme", { theme: t("theme.dark") }), () => setTheme("dark")],
    ["i-settings", t("switcher.theme", { theme: t("theme.contrast") }), () => setTheme("contrast")],
    ["i-settings", t("switcher.theme", { theme: t("theme.system") }), () => setTheme("system")],
    ["i-keyboard", t("keys.title"), () => shell.open("shortcuts")],
  ]);
  const offered = todo.filter(([icon]) => session.hasList || (icon !== "i-saved" && icon !== "i-thread"));
  return [
    ...byAttention([...session.rooms.values()].filter((e) => e.room !== here)).map((e) => ({
      icon: "i-room",
      name: e.room,
      detail: e.topic,
      room: e,
      does: () => shell.go(formatAddress(e.room)),
    })),
    ...people.map((p) => ({ icon: "", name: p.name, detail: t("switcher.person"), person: p, does: () => mention(p) })),
    ...offered.map(([icon, name, does]) => ({ icon, name, detail: t("switcher.action"), does: () => void does() })),
  ];
}

/** Returns what has these letters, best first; then rooms with these words in their topic, a room to enter or make
 * that has this name, and the search for the letters.
 * @param {readonly Choice[]} choices  @param {string} letters  @param {Context} context  @returns {Choice[]} */
function found(choices, letters, { shell, session }) {
  const list = best(choices, letters, (c) => c.name, MOST);
  const text = letters.trim();
  if (!text) return list;
  const words = text.toLowerCase().split(/\s+/);
  const about = choices.filter((c) => c.room && words.every((w) => c.detail.toLowerCase().includes(w)));
  list.push(...about.filter((c) => !list.includes(c)).slice(0, MOST - list.length));
  const { name } = toRoomName(text);
  if (name && !session.rooms.has(name)) {
    const does = () => shell.go(formatAddress(name));
    list.push({ icon: "i-plus", name: t("switcher.go", { room: isolate(name) }), detail: "", does });
  }
  if (session.hasList) {
    const does = () => shell.open("search", text);
    list.push({ icon: "i-search", name: t("switcher.search", { text: isolate(text) }), detail: "", does });
  }
  return list;
}

/** Inserts a mention into the composer. @param {Person} person */
function mention({ name }) {
  const field = document.querySelector("#composer-field");
  if (!(field instanceof HTMLTextAreaElement)) return;
  field.focus();
  field.setRangeText(`@${name} `, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

/** @param {Choice} choice  @param {number} i */
function item({ icon, name, detail, person, room }, i) {
  const li = part(fromTemplate("switcher-item"), "li", HTMLElement);
  li.id = `switcher-${i}`;
  const face = part(li, ".avatar", HTMLElement);
  if (person) showAvatar(face, person);
  else face.remove();
  if (icon) part(li, "use", SVGElement).setAttribute("href", `#${icon}`);
  else part(li, ".sign", Element).remove();
  part(li, ".name", HTMLElement).replaceChildren(bdi(name));
  setText(part(li, ".detail", HTMLElement), detail);
  const count = room ? countText(room) : "";
  li.classList.toggle("unread", count !== "");
  li.classList.toggle("named", room !== undefined && showsMention(room));
  setText(part(li, ".badge", HTMLElement), count);
  if (room && count) {
    const said = showsMention(room) ? t("rooms.mentions", { n: room.mentions }) : t("rooms.unread", { n: room.unread });
    setText(part(li, ".told", HTMLElement), said);
  }
  return li;
}
