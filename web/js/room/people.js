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
    if (this.childElementCount === 0) this.append(fromTemplate("people-list"));
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
    part(this, "ul", HTMLElement).replaceChildren(...order.map((p) => item(p, p.id === me.id)));
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
