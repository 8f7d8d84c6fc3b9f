// you-dialog.js: one's own name, and how the page looks.
/** @import { Api } from "../api.js" */
/** @import { Person } from "../protocol.js" */
import { fromTemplate, part, tell } from "./dom.js";
import { submitName } from "./name-field.js";

export class YouDialog extends HTMLElement {
  connectedCallback() {
    this.append(fromTemplate("you-dialog"));
  }

  /** @param {Person} me  @param {Api} api */
  open(me, api) {
    const dialog = part(this, "dialog", HTMLDialogElement);
    const field = part(this, "input[name=name]", HTMLInputElement);
    field.value = me.name;
    part(this, ".error", HTMLElement).textContent = "";
    part(this, "form.rename", HTMLFormElement).onsubmit = async (e) => {
      e.preventDefault();
      const person = field.value === me.name ? me : await submitName(this, field, api);
      if (!person) return;
      dialog.close();
      if (person !== me) tell(this, "renamed", person);
    };
    dialog.showModal();
    field.select();
  }
}

customElements.define("you-dialog", YouDialog);
