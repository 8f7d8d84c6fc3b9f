// name-field.js: the field for a name. It shows the face's letters while one types, and sends the name to the server,
// whose refusal it shows beside the field.
/** @import { Store } from "../ui/storage.js" */
/** @import { Api } from "../wire/api.js" */
import { part, setText, showError } from "../ui/dom.js";
import { letters } from "../ui/faces.js";
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

/** Shows the letters of the face beside the field. @param {HTMLElement} form  @param {HTMLInputElement} field */
export function showFace(form, field) {
  const face = part(form, ".named .avatar", HTMLElement);
  const show = () => setText(face, field.value.trim() && letters(field.value));
  field.addEventListener("input", show);
  show();
}

/** What somebody has typed who has not entered yet. `room`: as a RoomChoice says it.
 * @typedef {{ name: string, room?: { room: string, typed: string } }} Begun */

/** Keeps it until the page has been loaded again. @param {Store} store  @param {Begun} what */
export const keepBegun = (store, what) => store.put("begun", what);

/** Returns it, once. @param {Store} store  @returns {Begun} */
export function begun(store) {
  const stored = store.get("begun");
  store.remove("begun");
  const { name, room } = /** @type {Partial<Begun>} */ (typeof stored === "object" && stored !== null ? stored : {});
  const isRoom = typeof room === "object" && typeof room?.room === "string" && typeof room.typed === "string";
  return { name: typeof name === "string" ? name : "", ...(isRoom && { room }) };
}
