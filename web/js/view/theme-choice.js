// theme-choice.js: three radio buttons: as the system, light, dark.
import { fromTemplate } from "./dom.js";
import { setTheme, theme } from "./theme.js";

export class ThemeChoice extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(fromTemplate("theme-choice"));
    for (const radio of this.querySelectorAll("input")) {
      radio.checked = radio.value === theme();
      radio.addEventListener("change", () => setTheme(radio.value === "light" || radio.value === "dark" ? radio.value : "system"));
    }
  }
}

customElements.define("theme-choice", ThemeChoice);
