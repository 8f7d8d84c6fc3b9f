// name-dialog.js: asks for another name when the server does not take the present one any more. The page stays as it
// is, with its drafts and with what waits to be sent.
/** @import { Api } from "../wire/api.js" */
/** @import { Person } from "../wire/json.js" */
import { fromTemplate, part, showError } from "../ui/dom.js";
import { submitName } from "./name-field.js";

/** Resolves to the person with the name that they have chosen.
 * @param {string} name  the refused one  @param {string} why  @param {Api} api  @returns {Promise<Person>} */
export function askForName(name, why, api) {
  const dialog = part(fromTemplate("name-dialog"), "dialog", HTMLDialogElement);
  const field = part(dialog, "input", HTMLInputElement);
  document.body.append(dialog);
  dialog.showModal();
  field.value = name;
  field.select();
  showError(dialog, field, why);
  return new Promise((resolve) => {
    let done = false;
    dialog.addEventListener("cancel", (e) => e.preventDefault());
    // Browsers may close it all the same.
    dialog.addEventListener("close", () => (done ? dialog.remove() : dialog.showModal()));
    part(dialog, "form", HTMLFormElement).onsubmit = async (e) => {
      e.preventDefault();
      const me = await submitName(dialog, field, api);
      if (!me) return;
      done = true;
      dialog.close();
      resolve(me);
    };
  });
}
