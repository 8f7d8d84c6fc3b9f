// share-dialog.js: a room's link, to copy, to show to a camera, or to pass to the system's share sheet.
/** @import { Api, Link } from "../wire/api.js" */
import { copyText } from "../ui/clipboard.js";
import { bdi, fill, part, setText } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { openDialog } from "../ui/overlay.js";
import { isLoopback } from "../ui/share-link.js";
import { say } from "../ui/toast.js";

const BORDER = 4; // modules of light around a QR code (ISO/IEC 18004)

/** @param {Api} api  @param {string} room  @param {string} own  the room's link as this page has it */
export function openShare(api, room, own) {
  const dialog = openDialog("share-dialog");
  const field = part(dialog, "input", HTMLInputElement);
  fill(part(dialog, "h2", HTMLElement), "room.share-title", { room: bdi(room) });
  field.addEventListener("focus", () => field.select());
  const asked = api.link(own).catch(() => ({ link: own, onlyHere: isLoopback(location.hostname), qr: [] }));
  asked.then((link) => show(dialog, own, link));
  if (!isLoopback(location.hostname)) field.value = own; // which the answer will be
  part(dialog, ".copy", HTMLButtonElement).addEventListener("click", async () => {
    const copied = await copyText((await asked).link);
    say(copied ? t("room.copied") : t("room.not-copied"));
    if (!copied) field.select();
  });
  const send = part(dialog, ".share", HTMLButtonElement);
  send.hidden = !("share" in navigator); // on plain HTTP, and in most browsers of large screens
  send.addEventListener("click", async () => {
    const { link } = await asked;
    navigator.share({ title: document.title, url: link }).catch(() => undefined); // the person cancelled
  });
}

/** @param {HTMLElement} dialog  @param {string} own  @param {Link} answer */
function show(dialog, own, { link, onlyHere, qr }) {
  part(dialog, "input", HTMLInputElement).value = link;
  const about = onlyHere ? t("room.share-only-here") : link === own ? "" : t("room.share-network");
  setText(part(dialog, ".about-link", HTMLElement), about);
  const picture = part(dialog, ".qr", SVGElement);
  picture.toggleAttribute("hidden", qr.length === 0 || onlyHere);
  const size = qr.length + 2 * BORDER;
  picture.setAttribute("viewBox", `0 0 ${size} ${size}`);
  const modules = qr.flatMap((row, y) =>
    [...row].map((dark, x) => (dark === "1" ? `M${x + BORDER} ${y + BORDER}h1v1h-1z` : "")),
  );
  part(picture, "path", SVGElement).setAttribute("d", modules.join(""));
}
