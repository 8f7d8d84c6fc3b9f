// paste-into.js: formatted text that is pasted where one writes becomes Markdown. What has no formatting the browser pastes
// itself, as it does everything with Ctrl+Shift+V.
/** @import { MessageComposer } from "../room/composer.js" */
import { inertTree } from "../room/safe-html.js";
import { isFormatted, toMarkdown } from "./paste.js";

const MAX_PASTE = 1_000_000; // characters of HTML; beyond, its plain text has to do
const MAX_UNDO = 8_000; // characters

/** @param {MessageComposer} composer  @param {ClipboardEvent} e */
export function pasteInto(composer, e) {
  const html = e.clipboardData?.getData("text/html") ?? "";
  if (!html || html.length > MAX_PASTE) return;
  const tree = inertTree(html);
  if (!isFormatted(tree)) return;
  e.preventDefault();
  const text = toMarkdown(tree);
  // By a command, so that Ctrl+Z takes it back; but that takes a browser minutes for what is too long to be sent anyway.
  if (text.length > MAX_UNDO || !document.execCommand("insertText", false, text)) composer.insert(text);
}
