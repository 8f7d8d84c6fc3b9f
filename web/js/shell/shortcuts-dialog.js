// shortcuts-dialog.js: the list of shortcuts, made from the table by which the page acts.
import { APPLE } from "../ui/apple.js";
import { part } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { openDialog } from "../ui/overlay.js";
import { ELSEWHERE, SHORTCUTS, keysOf } from "./shortcuts.js";

export function open() {
  const dialog = openDialog("shortcuts-dialog");
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
}
