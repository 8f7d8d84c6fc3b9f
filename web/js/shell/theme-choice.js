// theme-choice.js: the choice of the theme: system, light, dark or high contrast.
/** @import { Theme } from "../ui/theme.js" */
import { fromTemplate } from "../ui/dom.js";
import { setTheme, theme } from "../ui/theme.js";

let made = 0;

export class ThemeChoice extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(fromTemplate("theme-choice"));
    const group = `theme-${++made}`; // the front page and the dialog have one each
    for (const radio of this.querySelectorAll("input")) {
      radio.name = group;
      radio.checked = radio.value === theme();
      radio.addEventListener("change", () => setTheme(/** @type {Theme} */ (radio.value)));
    }
  }
}

customElements.define("theme-choice", ThemeChoice);
