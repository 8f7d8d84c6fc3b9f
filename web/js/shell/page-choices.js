// page-choices.js: the language and the theme, for somebody who has not entered yet.
/** @import { Theme } from "../ui/theme.js" */
import { emit, fromTemplate, part } from "../ui/dom.js";
import { LANGUAGES, language } from "../ui/i18n.js";
import { chooseLanguage, chosenLanguage } from "../ui/language.js";
import { setTheme, theme } from "../ui/theme.js";

export class PageChoices extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(fromTemplate("page-choices"));
    const languages = part(this, "[name=language]", HTMLSelectElement);
    languages.append(...Object.entries(LANGUAGES).map(([tag, name]) => new Option(name, tag)));
    languages.value = chosenLanguage() || language();
    languages.addEventListener("change", () => {
      emit(this, "reload"); // what was typed is kept for the page in the other language
      chooseLanguage(languages.value);
    });
    const themes = part(this, "[name=theme]", HTMLSelectElement);
    themes.value = theme();
    themes.addEventListener("change", () => setTheme(/** @type {Theme} */ (themes.value)));
  }
}

customElements.define("page-choices", PageChoices);
