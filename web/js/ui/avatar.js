// avatar.js: shows a person's face, two letters on one of twelve colours, and the name beside it. The face repeats the
// name, so it is hidden from assistive technology.
/** @import { Person } from "../wire/json.js" */
import { bdi, setText } from "./dom.js";
import { Faces, letters } from "./faces.js";
import { t } from "./i18n.js";
import { Store } from "./storage.js";
import { backing } from "./theme.js";

const MAX_DRAWN = 1_000;

const faces = new Faces(new Store(backing()));
/** The letters of people who were shown. @type {Map<string, { name: string, letters: string }>} */
const drawn = new Map();

/** @param {HTMLElement} element  @param {Person} person */
export function showAvatar(element, person) {
  const { id, name } = person;
  let known = drawn.get(id);
  if (known?.name !== name) {
    if (drawn.size >= MAX_DRAWN) drawn.clear();
    drawn.set(id, (known = { name, letters: letters(name, faces.number(person)) }));
  }
  setText(element, known.letters);
  element.dataset["person"] = id;
  element.dataset["name"] = name;
  element.dataset["face"] = String(faces.of(id));
}

/** Returns an element for showAvatar. */
export function newFace() {
  const face = document.createElement("span");
  face.className = "avatar";
  face.setAttribute("aria-hidden", "true");
  return face;
}

/** Gives the people who are present different faces, also where they are shown already.
 * @param {Iterable<Person>} people */
export function showPresent(people) {
  for (const id of faces.present(people)) refreshFaces(document, `[data-person="${CSS.escape(id)}"]`);
}

/** Shows the present faces of people on a part of the page that was not in the document for a while.
 * @param {ParentNode} root  @param {string} [whose] */
export function refreshFaces(root, whose = "[data-person]") {
  for (const element of root.querySelectorAll(`.avatar${whose}`))
    if (element instanceof HTMLElement) element.dataset["face"] = String(faces.of(element.dataset["person"] ?? ""));
}

/** Shows a person's name, marked if somebody else had it before.
 * @param {HTMLElement} element  @param {Person} person */
export function showName(element, person) {
  element.replaceChildren(bdi(person.name), ...mark(faces.number(person)));
}

/** @param {number} number among people of one name  @returns {HTMLElement[]} */
function mark(number) {
  if (number < 2) return [];
  const shown = document.createElement("span");
  shown.className = "namesake";
  shown.title = t("person.namesake");
  shown.setAttribute("aria-hidden", "true");
  shown.textContent = String(number);
  const said = document.createElement("span");
  said.className = "visually-hidden";
  said.textContent = ` ${number}, ${t("person.namesake")}`;
  return [shown, said];
}
