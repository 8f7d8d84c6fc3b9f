// slash-commands.js: texts that begin with a slash. The server carries out most of them when it gets them as messages;
// commands about this page alone are carried out by the page. No DOM.

/** Returns how the server will store a text, as far as that is needed to show it before it is stored.
 * @param {string} text  @returns {{ text: string, action?: true }} */
export function previewText(text) {
  const me = /^\/me\s+(\S[\s\S]*)$/.exec(text)?.[1];
  if (me !== undefined) return { text: me, action: true };
  return { text: text.startsWith("//") ? text.slice(1) : text };
}

/** The commands that the page carries out. Their help is in the server's list. */
const PAGE_COMMANDS = ["nick", "join", "help"];

/** Returns the page's command in a text, or null. @param {string} text */
export function clientCommand(text) {
  const [, name = "", args = ""] = /^\/([a-z]+)(?:\s+([\s\S]*))?$/.exec(text) ?? [];
  return PAGE_COMMANDS.includes(name) ? { name, args: args.trim() } : null;
}
