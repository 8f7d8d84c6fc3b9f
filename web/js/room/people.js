// people.js: the people in a room. In a room of more than 100 people only their number is known.
/** @import { State } from "./types.js" */
import { showAvatar, showName } from "../ui/avatar.js";
import { fromTemplate, part, setText } from "../ui/dom.js";
import { intl, t } from "../ui/i18n.js";

export class PeopleList extends HTMLElement {
  /** @type {State["people"] | undefined} */
  #people;
  #me = "";

  connectedCallback() {
    if (this.childElementCount > 0) return; // inserted again
    this.append(fromTemplate("people-list"));
    this.addEventListener("keydown", (e) => this.#walk(e));
  }

  /** @param {State} state  @param {boolean} online whether the list is up to date */
  show({ people, me }, online) {
    this.classList.toggle("stale", !online);
    setText(part(this, ".note", HTMLElement), people ? "" : t("people.many"));
    if (people === this.#people && me.id === this.#me) return;
    this.#people = people;
    this.#me = me.id;
    const order = [...(people?.values() ?? [])].sort(
      (a, b) =>
        Number(b.id === me.id) - Number(a.id === me.id) ||
        a.name.localeCompare(b.name, intl()) ||
        a.id.localeCompare(b.id),
    );
    const focused = this.#buttons().findIndex((b) => b === document.activeElement);
    part(this, "ul", HTMLElement).replaceChildren(...order.map((p) => item(p, p.id === me.id)));
    this.#stopAt(this.#buttons()[Math.max(0, focused)], focused >= 0);
  }

  #buttons() {
    return [...this.querySelectorAll("button")];
  }

  /** Makes a person the stop of the Tab key. @param {HTMLElement | undefined} button  @param {boolean} focus */
  #stopAt(button, focus) {
    for (const other of this.#buttons()) other.tabIndex = other === button ? 0 : -1;
    if (focus) button?.focus();
  }

  /** Arrow keys walk the list, which is one stop of the Tab key. @param {KeyboardEvent} e */
  #walk(e) {
    const buttons = this.#buttons();
    const at = buttons.findIndex((b) => b === e.target);
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: buttons.length - 1 }[e.key];
    if (at < 0 || to === undefined || e.altKey || e.ctrlKey || e.metaKey) return;
    e.preventDefault();
    this.#stopAt(buttons[Math.min(Math.max(to, 0), buttons.length - 1)], true);
  }
}

/** @param {{ id: string, name: string }} person  @param {boolean} me */
function item(person, me) {
  const li = part(fromTemplate("person"), "li", HTMLElement);
  showAvatar(part(li, ".avatar", HTMLElement), person);
  showName(part(li, ".name", HTMLElement), person);
  part(li, ".you", HTMLElement).hidden = !me;
  return li;
}

customElements.define("people-list", PeopleList);
