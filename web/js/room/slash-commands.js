// slash-commands.js: texts that begin with a slash. The server carries out most of them when it gets them as messages;
// commands about this page alone are carried out by the page. A word that is no command is not sent at all, because
// others would read it. No DOM.

/** The commands that the server carries out, and those that the page does. Their help is in the server's list. */
const SERVER_COMMANDS = ["me", "topic", "shrug", "tableflip", "code", "spoiler"];
const PAGE_COMMANDS = ["nick", "join", "help"];

/** All commands. */
export const COMMANDS = [...SERVER_COMMANDS, ...PAGE_COMMANDS];

/** Returns how the server will store a text, as far as that is needed to show it before it is stored.
 * @param {string} text  @returns {{ text: string, action?: true }} */
export function previewText(text) {
  const { word, rest } = slashWord(text);
  if (word === "me" && rest.trim()) return { text: rest.trim(), action: true };
  return { text: text.startsWith("//") ? text.slice(1) : text };
}

/** Returns the page's command in a text, or null. @param {string} text */
export function clientCommand(text) {
  const { word, rest } = slashWord(text);
  return PAGE_COMMANDS.includes(word) ? { name: word, args: rest.trim() } : null;
}

/** Returns the word after the slash if it is no command, else "". @param {string} text */
export function unknownCommand(text) {
  const { word } = slashWord(text);
  return COMMANDS.includes(word) ? "" : word;
}

/** Returns a text so that the server takes it for text, whatever it begins with. @param {string} text */
export const asText = (text) => (text.startsWith("/") ? `/${text}` : text);

/** Returns what the author of a message would write to say it again.
 * @param {{ text: string, action?: boolean | undefined }} message */
export const written = ({ text, action }) => (action ? `/me ${text}` : asText(text));

/** Returns what a written text makes of a message by an edit: the message's new text, or null if only a new message can
 * become that. An edit carries out no command, and what somebody does stays what they do.
 * @param {string} text  @param {boolean} action whether the message says what its author does */
export function editedText(text, action) {
  const become = previewText(text);
  if (Boolean(become.action) !== action) return null;
  return !action && text.startsWith("/") && !text.startsWith("//") ? null : become.text;
}

/** Splits a text into the word after its slash and what follows it, as the server does.
 * @param {string} text  @returns {{ word: string, rest: string }} word: "" if the text begins with no word */
function slashWord(text) {
  const [, word = "", rest = ""] = /^\/([^ \t\r\n/][^ \t\r\n]*)(?:[ \t\r\n]([\s\S]*))?$/.exec(text) ?? [];
  return { word, rest };
}
