// paste-into.js: turns pasted formatted text into Markdown. Text without formatting is pasted by the browser, as is
// everything with Ctrl+Shift+V and everything that comes into an open code block.
/** @import { MessageComposer } from "../room/composer.js" */
import { inertTree } from "../room/safe-html.js";
import { isInFence } from "./paste-text.js";
import { isFormatted, toMarkdown } from "./paste.js";

const MAX_PASTE = 1_000_000; // characters of HTML; of more, the browser pastes the plain text

/** @param {MessageComposer} composer  @param {ClipboardEvent} e */
export function pasteInto(composer, e) {
  const html = e.clipboardData?.getData("text/html") ?? "";
  if (!html || html.length > MAX_PASTE || isInFence(composer.text.slice(0, composer.field.selectionStart))) return;
  const tree = inertTree(html);
  if (!isFormatted(tree)) return;
  e.preventDefault();
  composer.insert(toMarkdown(tree));
}
