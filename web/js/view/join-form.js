// join-form.js: what somebody sees who follows a link to a room for the first time: who are you?
/** @import { Api, RoomSummary } from "../api.js" */
import { plural } from "../text.js";
import { bdi, fromTemplate, part, tell } from "./dom.js";
import { submitName } from "./name-field.js";

export class JoinForm extends HTMLElement {
  connectedCallback() {
    this.append(fromTemplate("join-form"));
  }

  /** @param {RoomSummary} summary  @param {string} name remembered  @param {Api} api */
  show(summary, name, api) {
    part(this, "h1 .room", HTMLElement).replaceChildren(bdi(summary.room));
    const here = summary.count > 0 ? `${plural(summary.count, "person is", "people are")} here now` : "Nobody is here right now";
    const written = summary.seq > 0 ? plural(summary.seq, "message") : "nobody has written yet";
    part(this, ".summary", HTMLElement).textContent = `${here}; ${written}.`;
    const field = part(this, "input", HTMLInputElement);
    field.value = name;
    part(this, "form", HTMLFormElement).onsubmit = async (e) => {
      e.preventDefault();
      const me = await submitName(this, field, api);
      if (me) tell(this, "entered", me);
    };
    field.focus();
  }
}

customElements.define("join-form", JoinForm);
