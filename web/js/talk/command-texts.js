// command-texts.js: the server's commands in the reader's language. No DOM.
/** @import { Key } from "../lang/en.js" */
/** @import { SlashCommand } from "../wire/types.js" */
import { t } from "../ui/i18n.js";

/** What each command takes and does. @type {Readonly<Record<string, { args?: Key, help: Key }>>} */
const TEXTS = {
  me: { args: "command.me-args", help: "command.me" },
  topic: { args: "command.topic-args", help: "command.topic" },
  shrug: { args: "command.text", help: "command.shrug" },
  tableflip: { args: "command.text", help: "command.tableflip" },
  code: { args: "command.code-args", help: "command.code" },
  spoiler: { args: "command.text", help: "command.spoiler" },
  nick: { args: "command.nick-args", help: "command.nick" },
  join: { args: "command.join-args", help: "command.join" },
  help: { help: "command.help" },
};

/** Returns commands with the page's texts. One that the page does not know keeps the server's.
 * @param {readonly SlashCommand[]} commands  @returns {SlashCommand[]} */
export const translated = (commands) =>
  commands.map((command) => {
    const texts = TEXTS[command.name];
    return texts ? { ...command, args: texts.args ? t(texts.args) : "", help: t(texts.help) } : command;
  });
