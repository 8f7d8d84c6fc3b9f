// paste-into.js: turns pasted formatted text into Markdown. Text without formatting is pasted by the browser, as is
// everything with Ctrl+Shift+V.
/** @import { MessageComposer } from "../room/composer.js" */
import { inertTree } from "../room/safe-html.js";
import { isFormatted, toMarkdown } from "./paste.js";

const MAX_PASTE = 1_000_000; // characters of HTML; of more, the browser pastes the plain text
const MAX_UNDO = 8_000; // characters

/** @param {MessageComposer} composer  @param {ClipboardEvent} e */
export function pasteInto(composer, e) {
  const html = e.clipboardData?.getData("text/html") ?? "";
  if (!html || html.length > MAX_PASTE) return;
  const tree = inertTree(html);
  if (!isFormatted(tree)) return;
  e.preventDefault();
  const text = toMarkdown(tree);
  // insertText can be undone with Ctrl+Z, but takes minutes for long texts. These cannot be sent anyway.
  if (text.length > MAX_UNDO || !document.execCommand("insertText", false, text)) composer.insert(text);
}
