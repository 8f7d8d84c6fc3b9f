// front-page.js: the start page. A newcomer gives a name and enters a room with one press; who has a name already only
// chooses a room, and the visited ones are in the room list beside it.
/** @import { BrowserMemory } from "../room/browser-memory.js" */
/** @import { Api } from "../wire/api.js" */
/** @import { Person } from "../wire/json.js" */
import { formatAddress } from "../ui/address.js";
import { bdi, emit, fill, fromTemplate, listen, part, setText, showError } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { begun, keepBegun, showFace, submitName } from "./name-field.js";
import { LOBBY, RoomChoice } from "./room-choice.js";
import "./page-choices.js";
import { now } from "../wire/clock.js";

export class FrontPage extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount === 0) this.append(fromTemplate("front-page"));
  }

  /** @param {Person | null} me  @param {BrowserMemory} memory  @param {Api} api
   * @param {string} why the stored name is refused; "": it is not */
  show(me, memory, api, why = "") {
    const name = part(this, "input[name=name]", HTMLInputElement);
    const rooms = part(this, "room-choice", RoomChoice);
    const { name: typed, room } = begun(memory.store);
    const visits = memory.visits();
    name.value = typed || memory.name;
    showFace(this, name);
    listen(this, "chosen", (/** @type {string} */ chosen) => this.#showButton(chosen));
    rooms.show(me ? [] : visits, api, now());
    rooms.choose(room?.room ?? first(me, visits), room?.typed);
    listen(this, "reload", () => keepBegun(memory.store, { name: name.value, room: rooms.value }));
    if (me) this.#showKnown();
    part(this, "form", HTMLFormElement).onsubmit = (e) => {
      e.preventDefault();
      this.#enter(me, name, rooms, api);
    };
    if (!matchMedia("(hover: none)").matches) (me ? rooms.field : name).focus();
    if (why) showError(this, name, why);
  }

  /** The person has a name: only a room is missing. */
  #showKnown() {
    part(this, "h1", HTMLElement).textContent = t("rooms.new");
    for (const needless of this.querySelectorAll(".who, .promise, page-choices")) needless.remove();
  }

  /** @param {string} room "" if there is none yet */
  #showButton(room) {
    const button = part(this, ".enter", HTMLElement);
    if (room) fill(button, "front.enter-named", { room: bdi(room) });
    else setText(button, t("front.enter"));
  }

  /** Shows one error at a time, the first from above.
   * @param {Person | null} me  @param {HTMLInputElement} name  @param {RoomChoice} rooms  @param {Api} api */
  async #enter(me, name, rooms, api) {
    showError(this, name, "");
    showError(this, rooms.field, "");
    if (!me && !name.value.trim()) return showError(this, name, t("front.no-name"));
    const { name: room, problem } = rooms.name;
    if (problem) {
      const missing = rooms.value.typed.trim() ? "front.bad-room" : "front.no-room";
      return showError(this, rooms.field, t(problem === "long" ? "front.long-room" : missing));
    }
    if (me) return emit(this, "go", formatAddress(room));
    const person = await submitName(this, name, api);
    if (!person) return;
    history.pushState(null, "", formatAddress(room));
    emit(this, "entered", person);
  }
}

/** Returns the room that is offered first; "": another one.
 * @param {Person | null} me  @param {readonly { room: string }[]} visits */
function first(me, visits) {
  if (!me) return visits[0]?.room ?? LOBBY;
  return visits.some(({ room }) => room === LOBBY) ? "" : LOBBY;
}

customElements.define("front-page", FrontPage);
