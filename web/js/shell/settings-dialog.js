// settings-dialog.js: the settings: the person's name, the look of the page, alerts, the key that sends. A choice
// takes effect at once.
/** @import { PageSession } from "../list/page-session.js" */
/** @import { Choices, Settings } from "../ui/settings.js" */
/** @import { Api } from "../wire/api.js" */
import { chime } from "../list/chime.js";
import { showAvatar } from "../ui/avatar.js";
import { bdi, emit, fromTemplate, part, setText } from "../ui/dom.js";
import { LANGUAGES, t } from "../ui/i18n.js";
import { chooseLanguage, chosenLanguage } from "../ui/language.js";
import { showDialog } from "../ui/overlay.js";
import { showLastWords, showSize } from "../ui/theme.js";
import { submitName } from "./name-field.js";
import "./theme-choice.js";

/** @typedef {object} Context
 * @property {HTMLElement & { open: (what: "shortcuts") => void }} shell
 * @property {PageSession} session
 * @property {Settings} settings
 * @property {Api} api
 * @property {string} [at]  selects what gets the focus
 */

/** @param {Context} context */
export function open({ shell, session, settings, api, at }) {
  const dialog = part(fromTemplate("settings-dialog"), "dialog", HTMLDialogElement);
  dialog.addEventListener("close", () => dialog.remove());
  shell.append(dialog);
  hearName(dialog, session, api);
  hearLanguage(dialog);
  hearChoices(dialog, settings);
  part(dialog, ".keys", HTMLElement).addEventListener("click", () => {
    dialog.close();
    shell.open("shortcuts");
  });
  showDialog(dialog);
  if (at) part(dialog, at, HTMLElement).focus();
}

/** Shows the person's name, which a button lets them change.
 * @param {HTMLDialogElement} dialog  @param {PageSession} session  @param {Api} api */
function hearName(dialog, session, api) {
  const field = part(dialog, "input[name=name]", HTMLInputElement);
  const form = part(dialog, "form.rename", HTMLFormElement);
  const change = part(dialog, ".change", HTMLButtonElement);
  const { me } = session;
  field.value = me.name;
  showAvatar(part(dialog, ".who .avatar", HTMLElement), me);
  part(dialog, ".who .name", HTMLElement).append(bdi(me.name));
  change.addEventListener("click", () => {
    form.hidden = !form.hidden;
    change.setAttribute("aria-expanded", String(!form.hidden));
    if (!form.hidden) field.select();
  });
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    const person = field.value === me.name ? me : await submitName(dialog, field, api);
    if (!person) return;
    if (person !== me) emit(dialog, "renamed", person);
    dialog.close();
  });
}

/** @param {HTMLDialogElement} dialog */
function hearLanguage(dialog) {
  const select = part(dialog, "#set-language", HTMLSelectElement);
  select.append(...Object.entries(LANGUAGES).map(([tag, name]) => new Option(name, tag)));
  select.value = chosenLanguage();
  select.addEventListener("change", () => chooseLanguage(select.value));
}

/** @param {HTMLDialogElement} dialog  @param {Settings} settings */
function hearChoices(dialog, settings) {
  const controls = /** @type {(HTMLInputElement | HTMLSelectElement)[]} */ (
    [...dialog.querySelectorAll("section [name]")].filter((c) => !c.closest("theme-choice, .rename"))
  );
  const hours = part(dialog, ".hours", HTMLElement);
  const choices = settings.all;
  hours.hidden = !choices.quiet;
  if (!isSecureContext) {
    part(dialog, "[name=system]", HTMLInputElement).disabled = true;
    setText(part(dialog, ".system-error", HTMLElement), t("settings.insecure"));
  }
  for (const control of controls) {
    const name = /** @type {keyof Choices} */ (control.name);
    put(control, choices[name]);
    control.addEventListener("change", async () => {
      const value = valueOf(control);
      if (name === "system" && value === true && !(await allowed(dialog))) return put(control, false);
      settings.put({ [name]: value });
      if (name === "size" || name === "density") showSize();
      if (name === "lastWords") showLastWords();
      if (name === "quiet") hours.hidden = value !== true;
      if (name === "sound" && value === true) chime(); // as a sample
    });
  }
}

/** @param {HTMLInputElement | HTMLSelectElement} control */
const valueOf = (control) =>
  control instanceof HTMLInputElement && control.type === "checkbox" ? control.checked : control.value;

/** @param {HTMLInputElement | HTMLSelectElement} control  @param {boolean | string} value */
function put(control, value) {
  if (control instanceof HTMLInputElement && control.type === "checkbox") control.checked = value === true;
  else if (control instanceof HTMLInputElement && control.type === "radio") control.checked = control.value === value;
  else control.value = String(value);
}

/** Asks the browser whether the page may show notifications. @param {HTMLElement} dialog */
async function allowed(dialog) {
  const error = part(dialog, ".system-error", HTMLElement);
  setText(error, "");
  const answer = "Notification" in window ? await Notification.requestPermission() : "missing";
  if (answer !== "granted") setText(error, t("settings.system-denied"));
  return answer === "granted";
}
