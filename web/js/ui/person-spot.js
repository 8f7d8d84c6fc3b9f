// person-spot.js: finds the person at a place on the page: a face, the name of an author, a mention, a row of people.
/** @import { Person } from "../wire/json.js" */

const SPOTS = ".mention[data-person], .message .author, .message .avatar, .person, .pin .author, .pin .avatar";

/** Returns the person at an element, and what takes the focus for them; null if there is none.
 * @param {EventTarget | null} target  @returns {{ person: Person, anchor: HTMLElement } | null} */
export function personAt(target) {
  const spot = target instanceof Element ? target.closest(SPOTS) : null;
  if (!(spot instanceof HTMLElement)) return null;
  const { person: id } = spot.dataset;
  if (spot.matches(".mention") && id) return { person: { id, name: (spot.textContent ?? "").slice(1) }, anchor: spot };
  const whole = spot.closest(".message, .pin, .person");
  const face = whole?.querySelector(".avatar[data-person]");
  const anchor = whole?.matches(".person") ? whole : whole?.querySelector(".author");
  if (!(face instanceof HTMLElement) || !(anchor instanceof HTMLElement)) return null;
  return { person: { id: face.dataset["person"] ?? "", name: face.dataset["name"] ?? "" }, anchor };
}
