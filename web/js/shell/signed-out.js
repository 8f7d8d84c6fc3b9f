// signed-out.js: one has been signed out, in this browser or elsewhere. Nothing more comes or goes here until one comes in again.
import { fromTemplate, part } from "../ui/dom.js";

/** Shows a dialog that stays until the page is loaded anew, as somebody new under the same name. */
export function showSignedOut() {
  const dialog = part(fromTemplate("signed-out"), "dialog", HTMLDialogElement);
  document.body.append(dialog);
  dialog.addEventListener("cancel", (e) => e.preventDefault());
  dialog.addEventListener("close", () => dialog.showModal()); // a browser may close it all the same
  part(dialog, "button", HTMLButtonElement).addEventListener("click", () => location.reload());
  dialog.showModal();
}
