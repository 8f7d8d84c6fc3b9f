// name-field.js: sends a name to the server and shows its refusal beside the field.
/** @import { Api } from "../wire/api.js" */
import { part } from "../ui/dom.js";
import { reason } from "../ui/i18n.js";

/** Resolves to the person with that name, or to null if it was refused and the reason is shown.
 * @param {HTMLElement} form contains the field and its `.error`  @param {HTMLInputElement} field  @param {Api} api */
export async function submitName(form, field, api) {
  try {
    const person = await api.callMe(field.value);
    showError(form, field, "");
    return person;
  } catch (err) {
    showError(form, field, reason(err));
    return null;
  }
}

/** @param {HTMLElement} form  @param {HTMLInputElement} field  @param {string} sentence "" for none */
export function showError(form, field, sentence) {
  part(form, `#${field.id}-error`, HTMLElement).textContent = sentence;
  field.setAttribute("aria-invalid", String(sentence !== ""));
  if (sentence) field.focus();
}
