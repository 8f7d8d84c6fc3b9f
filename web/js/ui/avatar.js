// avatar.js: shows a person's picture: initials on a colour. It repeats the name beside it, so it is hidden from
// assistive technology.
/** @import { Person } from "../wire/json.js" */
import { hue, initials } from "./text.js";

/** @param {HTMLElement} element  @param {Person} person */
export function showAvatar(element, person) {
  element.textContent = initials(person.name);
  element.style.setProperty("--hue", String(hue(person.id)));
}
