// signed-out.js: the dialog after the session was ended, here or in another browser. The page sends and gets nothing
// until it is loaded again.
import { fromTemplate, part } from "../ui/dom.js";

/** Shows a dialog that stays until the page is loaded again, with a new session under the same name. */
export function showSignedOut() {
  const dialog = part(fromTemplate("signed-out"), "dialog", HTMLDialogElement);
  document.body.append(dialog);
  dialog.addEventListener("cancel", (e) => e.preventDefault());
  dialog.addEventListener("close", () => dialog.showModal()); // browsers may close it anyway
  part(dialog, "button", HTMLButtonElement).addEventListener("click", () => location.reload());
  dialog.showModal();
}
