// switcher.js: the quick switcher: a few letters find a room, a person in the open room, or an action. The field keeps
// the focus; arrow keys choose in the list below it (ARIA practices: combobox with a listbox).
/** @import { PageSession } from "../list/page-session.js" */
import { sections } from "../list/room-list-state.js";
import { formatAddress } from "../ui/address.js";
import { bdi, fromTemplate, part, setText } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { showDialog } from "../ui/overlay.js";
import { isolate } from "../ui/text.js";
import { setTheme } from "../ui/theme.js";
import { best } from "./fuzzy.js";

const MOST = 12;

/** What can be chosen.
 * @typedef {{ icon: string, name: string, detail: string, does: () => void, person?: boolean }} Choice */

/** @typedef {object} Shell
 * @property {(what: "search" | "settings" | "saved" | "threads" | "shortcuts") => void} open
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
  const rooms = sections(session.rooms)
    .flatMap((s) => s.entries)
    .filter((e) => e.room !== here);
  const people = [...(session.room?.state.people?.values() ?? [])].filter((p) => p.id !== session.me.id);
  const todo = /** @type {const} */ ([
    ["i-search", t("search.title"), () => shell.open("search")],
    ["i-settings", t("settings.title"), () => shell.open("settings")],
    ["i-saved", t("saved.title"), () => shell.open("saved")],
    ["i-thread", t("threads.title"), () => shell.open("threads")],
    ["i-plus", t("rooms.new"), () => shell.go("/")],
    ["i-check", t("keys.read"), () => act("read")],
    ["i-settings", t("switcher.theme", { theme: t("theme.light") }), () => setTheme("light")],
    ["i-settings", t("switcher.theme", { theme: t("theme.dark") }), () => setTheme("dark")],
    ["i-settings", t("switcher.theme", { theme: t("theme.contrast") }), () => setTheme("contrast")],
    ["i-settings", t("switcher.theme", { theme: t("theme.system") }), () => setTheme("system")],
    ["i-alert", t("keys.title"), () => shell.open("shortcuts")],
  ]);
  const offered = todo.filter(
    ([icon]) => session.hasList || (icon !== "i-saved" && icon !== "i-thread" && icon !== "i-search"),
  );
  return [
    ...rooms.map((e) => ({
      icon: "i-room",
      name: e.room,
      detail: e.topic,
      does: () => shell.go(formatAddress(e.room)),
    })),
    ...people.map((p) => ({
      icon: "i-people",
      name: p.name,
      detail: t("switcher.person"),
      person: true,
      does: () => mention(p.name),
    })),
    ...offered.map(([icon, name, does]) => ({ icon, name, detail: t("switcher.action"), does: () => void does() })),
  ];
}

/** @param {readonly Choice[]} choices  @param {string} letters  @param {Context} context */
function found(choices, letters, { shell, session }) {
  const list = best(choices, letters, (c) => c.name, MOST);
  const name = letters.trim();
  if (name && !/\s/.test(name) && !session.rooms.has(name.toLowerCase())) {
    list.push({
      icon: "i-plus",
      name: t("switcher.go", { room: isolate(name) }),
      detail: "",
      does: () => shell.go(formatAddress(name)),
    });
  }
  return list;
}

/** Inserts a mention into the composer. @param {string} name */
function mention(name) {
  const field = document.querySelector("#composer-field");
  if (!(field instanceof HTMLTextAreaElement)) return;
  field.focus();
  field.setRangeText(`@${name} `, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

/** @param {Choice} choice  @param {number} i */
function item(choice, i) {
  const li = part(fromTemplate("switcher-item"), "li", HTMLElement);
  li.id = `switcher-${i}`;
  part(li, "use", SVGElement).setAttribute("href", `#${choice.icon}`);
  part(li, ".name", HTMLElement).replaceChildren(bdi(choice.name));
  setText(part(li, ".detail", HTMLElement), choice.detail);
  return li;
}
