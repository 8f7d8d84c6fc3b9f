// spoiler.js: a spoiler: text that is hidden until the person opens it. A button says that it is there and whether it
// is open; until then its text cannot be seen, heard, selected or found.
import { t } from "../ui/i18n.js";

const BLOCKS = "p, ul, ol, blockquote, h3, h4, h5, h6, .table, .code-block";

/** Hides the content of a spoiler. A click anywhere on it shows the content; the button also hides it again.
 * @param {HTMLElement} spoiler */
export function cover(spoiler) {
  const secret = document.createElement("span");
  secret.className = "secret";
  secret.append(...spoiler.childNodes);
  spoiler.classList.toggle("of-blocks", [...secret.children].some((child) => child.matches(BLOCKS)));
  const button = document.createElement("button");
  button.type = "button";
  button.tabIndex = -1; // until its message has the focus
  button.dataset["rove"] = "";
  button.setAttribute("aria-label", t("message.spoiler"));
  spoiler.append(button, secret);
  show(false);
  spoiler.addEventListener("click", (e) => {
    if (e.target === button) show(secret.inert);
    else if (secret.inert) show(true);
  });

  /** @param {boolean} shown */
  function show(shown) {
    secret.inert = !shown;
    spoiler.classList.toggle("shown", shown);
    button.setAttribute("aria-expanded", String(shown));
  }
}
