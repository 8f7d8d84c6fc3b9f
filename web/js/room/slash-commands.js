// slash-commands.js: what begins with a slash. The server carries most of it out, when it gets it as a message; what concerns
// this page alone the page does itself. No DOM.

/** Returns what the server will make of a text that is a message, as far as that is needed to show it until then.
 * @param {string} text  @returns {{ text: string, action?: true }} */
export function previewText(text) {
  const me = /^\/me\s+(\S[\s\S]*)$/.exec(text)?.[1];
  if (me !== undefined) return { text: me, action: true };
  return { text: text.startsWith("//") ? text.slice(1) : text };
}

/** What the page does itself; the server's list of commands says how it is used. */
const PAGE_COMMANDS = ["nick", "join", "help"];

/** Returns the command of the page's own that a text is, or null. @param {string} text */
export function clientCommand(text) {
  const [, name = "", args = ""] = /^\/([a-z]+)(?:\s+([\s\S]*))?$/.exec(text) ?? [];
  return PAGE_COMMANDS.includes(name) ? { name, args: args.trim() } : null;
}
