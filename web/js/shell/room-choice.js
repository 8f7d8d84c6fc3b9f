// room-choice.js: which room to enter: the lobby, one that was visited before, or any other, whose name is shown as the
// server will have it. A secret name can be made up for a new one.
/** @import { Visit } from "../room/browser-memory.js" */
/** @import { Api } from "../wire/api.js" */
import { bdi, emit, fill, fromTemplate, part, setText } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { toRoomName } from "../ui/room-name.js";
import { daysAgo } from "../ui/time.js";
import { makeRoomName } from "./room-names.js";

export const LOBBY = "lobby";
const MAX_VISITED = 3;

export class RoomChoice extends HTMLElement {
  /** @param {readonly Visit[]} visits  the last one first  @param {Api} api  @param {number} now */
  show(visits, api, now) {
    this.append(fromTemplate("room-choice"));
    const visited = visits.filter(({ room }) => room !== LOBBY).slice(0, MAX_VISITED);
    const other = part(this, ".other", HTMLElement);
    other.before(
      item(LOBBY, t("front.lobby")),
      ...visited.map(({ room, at }) => item(room, t("front.visited", { when: daysAgo(at, now) }))),
    );
    const last = visits[0]?.room ?? LOBBY;
    for (const radio of this.#radios) radio.checked = radio.value === last;
    this.addEventListener("change", () => this.#changed());
    this.field.addEventListener("input", () => this.#changed());
    this.field.addEventListener("focus", () => this.choose("", this.field.value));
    part(other, ".row", HTMLElement).addEventListener("click", () => this.field.focus());
    part(this, ".secret", HTMLButtonElement).addEventListener("click", () => {
      this.choose("", makeRoomName());
      this.field.focus();
    });
    api.room(LOBBY).then(
      ({ count }) => count > 0 && setText(part(this, ".about", HTMLElement), t("join.count", { n: count })),
      () => undefined, // how many are there is no condition for going there
    );
  }

  /** Chooses a room of the list, or "" for another one. @param {string} room  @param {string} [typed] */
  choose(room, typed = this.field.value) {
    this.field.value = typed;
    for (const radio of this.#radios) radio.checked = radio.value === room;
    this.#changed();
  }

  /** The chosen room, and what was typed for another one. */
  get value() {
    const room = this.#radios.find((r) => r.checked)?.value ?? "";
    return { room, typed: this.field.value };
  }

  /** The name of the chosen room, or why it can be none. */
  get name() {
    const { room, typed } = this.value;
    return room ? { name: room, problem: /** @type {const} */ ("") } : toRoomName(typed);
  }

  get field() {
    return part(this, "input[name=room]", HTMLInputElement);
  }

  get #radios() {
    return [...this.querySelectorAll("input")].filter((input) => input.type === "radio");
  }

  #changed() {
    const { name } = this.name;
    const { room, typed } = this.value;
    const becomes = part(this, ".becomes", HTMLElement);
    if (!room && name && name !== typed) fill(becomes, "front.becomes", { room: strong(name) });
    else becomes.replaceChildren();
    emit(this, "chosen", name);
  }
}

customElements.define("room-choice", RoomChoice);

/** @param {string} room  @param {string} about */
function item(room, about) {
  const label = part(fromTemplate("room-choice-item"), "label", HTMLElement);
  part(label, "input", HTMLInputElement).value = room;
  part(label, ".name", HTMLElement).append(bdi(room));
  setText(part(label, ".about", HTMLElement), about);
  return label;
}

/** @param {string} name */
function strong(name) {
  const element = document.createElement("strong");
  element.append(bdi(name));
  return element;
}
