// message-dialogs.js: the dialogs about messages: confirm a deletion, choose the room to forward to, see earlier
// versions, change the topic, ask for a day, list the slash commands.
/** @import { Person } from "../wire/json.js" */
/** @import { MessageState, SlashCommand, Version } from "../wire/types.js" */
import { showBody } from "../room/message-body.js";
import { bdi, fromTemplate, part, showError } from "../ui/dom.js";
import { reason, t } from "../ui/i18n.js";
import { openDialog } from "../ui/overlay.js";
import { dateOf, fullTime, startOfDay } from "../ui/time.js";

const MOST_ROOMS = 30; // offered; any other room can be typed

/** @param {MessageState} message  @param {Person} me  @returns {Promise<boolean>} */
export function askToRemove(message, me) {
  const dialog = openDialog("remove-dialog");
  showBody(part(dialog, ".body", HTMLElement), { ...message, edited: undefined }, me);
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "remove")));
}

/** Asks for a room. @param {readonly string[]} rooms  @returns {Promise<string>} "" for none */
export function askWhereTo(rooms) {
  const dialog = openDialog("forward-dialog");
  const field = part(dialog, "input", HTMLInputElement);
  part(dialog, "ul", HTMLElement).replaceChildren(
    ...rooms.slice(0, MOST_ROOMS).map((room) => {
      const li = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet";
      button.append(bdi(room));
      button.addEventListener("click", () => dialog.close(room));
      li.append(button);
      return li;
    }),
  );
  return answer(dialog, field);
}

/** @param {string} topic  @returns {Promise<string | null>} null: the topic stays */
export function askForTopic(topic) {
  const dialog = openDialog("topic-dialog");
  const field = part(dialog, "input", HTMLInputElement);
  field.value = topic;
  field.select();
  let done = false;
  part(dialog, "form.ask", HTMLFormElement).addEventListener("submit", () => (done = true));
  return answer(dialog, field).then((text) => (done && text !== topic ? text : null));
}

/** Resolves to the text of the field, "" if the dialog is cancelled.
 * @param {HTMLDialogElement} dialog  @param {HTMLInputElement} field  @returns {Promise<string>} */
function answer(dialog, field) {
  part(dialog, "form.ask", HTMLFormElement).addEventListener("submit", (e) => {
    e.preventDefault();
    dialog.close(field.value.trim());
  });
  field.focus();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue)));
}

/** Asks for a day until there is a message on it or after it. Resolves to that message's seq; 0 if the dialog is
 * cancelled.
 * @param {number} now
 * @param {(at: number) => Promise<number>} firstSince resolves to the seq of the first message since a time; 0: none
 * @returns {Promise<number>} */
export function askForDay(now, firstSince) {
  const dialog = openDialog("date-dialog");
  const field = part(dialog, "input", HTMLInputElement);
  field.max = field.value = dateOf(now);
  part(dialog, "form.ask", HTMLFormElement).addEventListener("submit", async (e) => {
    e.preventDefault();
    if (!field.value || !field.validity.valid) return showError(dialog, field, t("date.not-so"));
    const seq = await firstSince(startOfDay(field.value)).catch(reason);
    if (!dialog.open) return; // it was cancelled meanwhile
    if (typeof seq === "string") showError(dialog, field, seq);
    else if (seq === 0) showError(dialog, field, t("date.none"));
    else dialog.close(String(seq));
  });
  field.focus();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(Number(dialog.returnValue))));
}

/** @param {readonly Version[]} versions oldest first  @param {MessageState} message  @param {Person} me */
export function showVersions(versions, message, me) {
  const dialog = openDialog("versions-dialog");
  part(dialog, "ol", HTMLElement).replaceChildren(
    ...[...versions].reverse().map(({ at, text, html }, i) => {
      const li = part(fromTemplate("version"), "li", HTMLElement);
      part(li, "time", HTMLElement).textContent = i === 0 ? t("versions.now", { time: fullTime(at) }) : fullTime(at);
      showBody(part(li, ".body", HTMLElement), { ...message, text, html, edited: undefined }, me);
      return li;
    }),
  );
}

/** @param {readonly SlashCommand[]} commands */
export function showHelp(commands) {
  const dialog = openDialog("help-dialog");
  part(dialog, "tbody", HTMLElement).replaceChildren(
    ...commands.map(({ name, args, help }) => {
      const tr = part(fromTemplate("help-row"), "tr", HTMLElement);
      part(tr, "code", HTMLElement).textContent = `/${name}${args ? ` ${args}` : ""}`;
      part(tr, "td", HTMLElement).textContent = help;
      return tr;
    }),
  );
}
