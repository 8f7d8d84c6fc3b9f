// join-form.js: the page for somebody who follows a link to a room for the first time: it asks for a name.
/** @import { BrowserMemory } from "../room/browser-memory.js" */
/** @import { Api, RoomSummary } from "../wire/api.js" */
import { bdi, emit, fill, fromTemplate, listen, part, showError } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { begun, keepBegun, showFace, submitName } from "./name-field.js";
import "./page-choices.js";

export class JoinForm extends HTMLElement {
  connectedCallback() {
    this.append(fromTemplate("join-form"));
  }

  /** @param {RoomSummary} summary  @param {BrowserMemory} memory  @param {Api} api
   * @param {string} why the stored name is refused; "": it is not */
  show(summary, memory, api, why) {
    fill(part(this, "h1", HTMLElement), "join.welcome", { room: bdi(summary.room) });
    const here = summary.count > 0 ? t("join.count", { n: summary.count }) : t("join.nobody");
    const written = summary.seq > 0 ? t("messages.n", { n: summary.seq }) : t("join.unwritten");
    part(this, ".summary", HTMLElement).textContent = t("join.summary", { here, written });
    const field = part(this, "input", HTMLInputElement);
    field.value = begun(memory.store).name || memory.name;
    showFace(this, field);
    listen(this, "reload", () => keepBegun(memory.store, { name: field.value }));
    part(this, "form", HTMLFormElement).onsubmit = async (e) => {
      e.preventDefault();
      if (!field.value.trim()) return showError(this, field, t("front.no-name"));
      const me = await submitName(this, field, api);
      if (me) emit(this, "entered", me);
    };
    field.focus();
    if (why) showError(this, field, why);
  }
}

customElements.define("join-form", JoinForm);
