// share-dialog.js: the room's link, to copy or to pass to the system's share sheet.
import { copyText } from "../ui/clipboard.js";
import { fromTemplate, part } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { showDialog } from "../ui/overlay.js";
import { say } from "../ui/toast.js";

export class ShareDialog extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return; // inserted again
    this.append(fromTemplate("share-dialog"));
    this.field.addEventListener("focus", () => this.field.select());
    part(this, ".copy", HTMLButtonElement).addEventListener("click", () => this.#copy());
    const share = part(this, ".share", HTMLButtonElement);
    share.hidden = !("share" in navigator);
    share.addEventListener("click", () => {
      navigator.share({ title: document.title, url: this.field.value }).catch(() => undefined); // the person cancelled
    });
  }

  /** @param {string} link */
  open(link) {
    this.field.value = link;
    showDialog(part(this, "dialog", HTMLDialogElement));
  }

  get field() {
    return part(this, "input", HTMLInputElement);
  }

  async #copy() {
    const copied = await copyText(this.field.value);
    say(copied ? t("room.copied") : t("room.not-copied"));
    if (!copied) this.field.select();
  }
}

customElements.define("share-dialog", ShareDialog);
