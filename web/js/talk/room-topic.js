// room-topic.js: the room's topic in its header, with a button that changes it.
import { emit, fromTemplate, part, setText } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { excerpt } from "../ui/text.js";

export class RoomTopic extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(fromTemplate("room-topic"));
    part(this, "button", HTMLElement).addEventListener("click", () => emit(this, "edit-topic"));
  }

  /** @param {string} topic  @param {boolean} known */
  show(topic, known) {
    topic = excerpt(topic);
    this.hidden = !known;
    this.classList.toggle("none", !topic);
    const button = part(this, "button", HTMLElement);
    setText(part(button, ".words", HTMLElement), topic || t("topic.add"));
    button.title = topic;
    button.setAttribute("aria-label", topic ? t("topic.change", { topic }) : t("topic.add"));
  }
}

customElements.define("room-topic", RoomTopic);
