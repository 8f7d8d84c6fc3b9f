// shortcuts-dialog.js: the list of shortcuts, made from the table by which the page acts.
import { fromTemplate, part } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { APPLE } from "./keys.js";
import { ELSEWHERE, SHORTCUTS, keysOf } from "./shortcuts.js";

export function open() {
  const dialog = part(fromTemplate("shortcuts-dialog"), "dialog", HTMLDialogElement);
  dialog.addEventListener("close", () => dialog.remove());
  const rows = [...SHORTCUTS.map((s) => ({ keys: keysOf(s, APPLE), says: s.says })), ...ELSEWHERE];
  part(dialog, "dl", HTMLElement).append(
    ...rows.flatMap(({ keys, says }) => {
      const dt = document.createElement("dt");
      dt.textContent = t(says);
      const dd = document.createElement("dd");
      dd.append(...keys.map((key) => Object.assign(document.createElement("kbd"), { textContent: key })));
      return [dt, dd];
    }),
  );
  document.body.append(dialog);
  dialog.showModal();
}
