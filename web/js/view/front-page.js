// front-page.js: the way in: a name, a room, the rooms visited before.
/** @import { Api } from "../api.js" */
/** @import { Person } from "../protocol.js" */
/** @import { Remembered } from "../remembered.js" */
import { reason, t } from "../i18n.js";
import { makeRoomName } from "../room-names.js";
import { isolate } from "../text.js";
import { bdi, fromTemplate, part } from "./dom.js";
import { showError, submitName } from "./name-field.js";

export class FrontPage extends HTMLElement {
  connectedCallback() {
    this.append(fromTemplate("front-page"));
  }

  /** @param {Person | null} me  @param {Remembered} remembered  @param {Api} api */
  show(me, remembered, api) {
    const name = part(this, "input[name=name]", HTMLInputElement);
    const room = part(this, "input[name=room]", HTMLInputElement);
    name.value = me?.name ?? remembered.name;
    part(this, ".make-up", HTMLButtonElement).addEventListener("click", () => {
      room.value = makeRoomName();
      room.focus();
    });
    part(this, "form", HTMLFormElement).onsubmit = (e) => {
      e.preventDefault();
      this.#enter(me, name, room, remembered, api);
    };
    this.#showVisits(remembered);
    (name.value ? room : name).focus();
  }

  /** @param {Person | null} me  @param {HTMLInputElement} name  @param {HTMLInputElement} room  @param {Remembered} remembered  @param {Api} api */
  async #enter(me, name, room, remembered, api) {
    try {
      const summary = await api.room(room.value.trim());
      showError(this, room, "");
      const person = me && me.name === name.value ? me : await submitName(this, name, api);
      if (!person) return;
      remembered.name = person.name;
      location.assign(`/r/${encodeURIComponent(summary.room)}`);
    } catch (err) {
      showError(this, room, reason(err));
    }
  }

  /** @param {Remembered} remembered */
  #showVisits(remembered) {
    const visits = remembered.visits();
    const section = part(this, ".visits", HTMLElement);
    section.hidden = visits.length === 0;
    part(section, "ul", HTMLElement).replaceChildren(
      ...visits.map(({ room }) => {
        const li = part(fromTemplate("visit"), "li", HTMLElement);
        const a = part(li, "a", HTMLAnchorElement);
        a.href = `/r/${encodeURIComponent(room)}`;
        a.replaceChildren(bdi(room));
        const forget = part(li, "button", HTMLButtonElement);
        forget.setAttribute("aria-label", t("front.forget", { room: isolate(room) }));
        forget.addEventListener("click", () => {
          remembered.forget(room);
          const next = li.nextElementSibling ?? li.previousElementSibling;
          li.remove();
          section.hidden = remembered.visits().length === 0;
          (next?.querySelector("button") ?? part(this, "input[name=room]", HTMLInputElement)).focus();
        });
        return li;
      }),
    );
  }
}

customElements.define("front-page", FrontPage);
