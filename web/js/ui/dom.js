// dom.js: helpers that all views use.
/** @import { Key } from "../lang/en.js" */
import { pieces, t } from "./i18n.js";

/** Returns a copy of a <template>'s content, in the reader's language.
 * @param {string} id  @returns {DocumentFragment} */
export function fromTemplate(id) {
  const template = document.getElementById(id);
  if (!(template instanceof HTMLTemplateElement)) throw new Error(`no <template id=${id}>`);
  const fragment = /** @type {DocumentFragment} */ (document.importNode(template.content, true));
  translate(fragment);
  return fragment;
}

const ATTRIBUTES = { "data-t-label": "aria-label", "data-t-title": "title", "data-t-placeholder": "placeholder" };

/** Inserts the sentences whose keys the markup names: data-t for the text, data-t-label and the like for attributes.
 * @param {ParentNode} root */
export function translate(root) {
  for (const element of root.querySelectorAll("[data-t]"))
    element.textContent = t(/** @type {Key} */ (element.getAttribute("data-t")));
  for (const [from, to] of Object.entries(ATTRIBUTES)) {
    for (const element of root.querySelectorAll(`[${from}]`))
      element.setAttribute(to, t(/** @type {Key} */ (element.getAttribute(from))));
  }
}

/** Fills an element with a sentence whose placeholders are elements, such as a name.
 * @param {Element} element  @param {Key} key  @param {Record<string, Node>} values */
export function fill(element, key, values) {
  element.replaceChildren(...pieces(key, values));
}

/** Returns an element that must exist. It throws if there is none of this type. @template {Element} T
 * @param {ParentNode} root  @param {string} selector  @param {new () => T} type  @returns {T} */
export function part(root, selector, type) {
  const found = root.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`no ${selector}`);
  return found;
}

/** Sends an intent of the person to the ancestors, as an event with our prefix.
 * @param {Element} from  @param {string} name  @param {unknown} [detail] */
export function emit(from, name, detail) {
  from.dispatchEvent(new CustomEvent(`parley:${name}`, { bubbles: true, detail }));
}

/** Calls `then` for each intent that `emit` sends under this name. @template T
 * @param {EventTarget} on  @param {string} name  @param {(detail: T) => void} then */
export function listen(on, name, then) {
  on.addEventListener(`parley:${name}`, (e) => {
    if (e instanceof CustomEvent) then(e.detail);
  });
}

/** Announces a text politely; it is not visible. @param {string} text */
export function announce(text) {
  part(document, "#announcer", HTMLElement).textContent = text;
}

/** Sets an element's text if it differs, so that unchanged text causes no layout and is not announced again.
 * @param {Element} element  @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows beside a field what is wrong with it. @param {HTMLElement} form contains the field and its error
 * @param {HTMLInputElement} field  @param {string} sentence "" for none */
export function showError(form, field, sentence) {
  part(form, `#${field.id}-error`, HTMLElement).textContent = sentence;
  field.setAttribute("aria-invalid", String(sentence !== ""));
  if (sentence) field.focus();
}

/** Returns an element that shows a name and isolates its writing direction. @param {string} name */
export function bdi(name) {
  const element = document.createElement("bdi");
  element.textContent = name;
  return element;
}

/** Returns an icon. @param {string} name of the sprite's symbol */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}
