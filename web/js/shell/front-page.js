// front-page.js: the start page: a name, if the person has none yet, and a room. The visited rooms are in the room
// list beside it.
/** @import { BrowserMemory } from "../room/browser-memory.js" */
/** @import { Api } from "../wire/api.js" */
/** @import { Person } from "../wire/json.js" */
import { formatAddress } from "../ui/address.js";
import { emit, fromTemplate, part } from "../ui/dom.js";
import { reason, t } from "../ui/i18n.js";
import { showError, submitName } from "./name-field.js";
import { makeRoomName } from "./room-names.js";
import "./theme-choice.js";

export class FrontPage extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount === 0) this.append(fromTemplate("front-page"));
  }

  /** @param {Person | null} me  @param {BrowserMemory} memory  @param {Api} api
   * @param {string} why the stored name is refused; "": it is not */
  show(me, memory, api, why = "") {
    const name = part(this, "input[name=name]", HTMLInputElement);
    const room = part(this, "input[name=room]", HTMLInputElement);
    name.value = me?.name ?? memory.name;
    if (me) part(this, "h1", HTMLElement).textContent = t("rooms.new");
    part(this, ".who", HTMLElement).hidden = me !== null;
    part(this, "footer", HTMLElement).hidden = me !== null;
    part(this, ".make-up", HTMLButtonElement).addEventListener("click", () => {
      room.value = makeRoomName();
      room.focus();
    });
    part(this, "form", HTMLFormElement).onsubmit = (e) => {
      e.preventDefault();
      this.#enter(me, name, room, api);
    };
    if (me === null || !matchMedia("(hover: none)").matches) (name.value ? room : name).focus();
    if (why) showError(this, name, why);
  }

  /** @param {Person | null} me  @param {HTMLInputElement} name  @param {HTMLInputElement} room  @param {Api} api */
  async #enter(me, name, room, api) {
    try {
      const summary = await api.room(room.value.trim());
      showError(this, room, "");
      if (me) return emit(this, "go", formatAddress(summary.room));
      const person = await submitName(this, name, api);
      if (!person) return;
      history.pushState(null, "", formatAddress(summary.room));
      emit(this, "entered", person);
    } catch (err) {
      showError(this, room, reason(err));
    }
  }
}

customElements.define("front-page", FrontPage);
