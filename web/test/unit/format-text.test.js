import assert from "node:assert/strict";
import { test } from "node:test";
import { applyFormat } from "../../js/talk/format-text.js";

/** @import { Format } from "../../js/talk/format-text.js" */

/** Applies a format to a text in which [ and ] stand around the selection, or | at the caret.
 * @param {Format} format  @param {string} marked */
function format(format, marked) {
  const caret = marked.indexOf("‸");
  const [from, to] = caret >= 0 ? [caret, caret] : [marked.indexOf("⟦"), marked.indexOf("⟧") - 1];
  const text = marked.replace(/[⟦⟧‸]/g, "");
  const change = applyFormat(format, text, from, to);
  const after = text.slice(0, change.from) + change.text + text.slice(change.to);
  const [a, b] = change.select;
  return a === b
    ? `${after.slice(0, a)}‸${after.slice(a)}`
    : `${after.slice(0, a)}⟦${after.slice(a, b)}⟧${after.slice(b)}`;
}

for (const [what, as, before, after] of /** @type {[string, Format, string, string][]} */ ([
  ["bold words", "bold", "a ⟦b c⟧ d", "a **⟦b c⟧** d"],
  ["no marks beside a space", "bold", "a⟦ b ⟧c", "a **⟦b⟧** c"],
  ["bold no more", "bold", "a **⟦b⟧** c", "a ⟦b⟧ c"],
  ["bold no more, selected with its marks", "bold", "a ⟦**b**⟧ c", "a ⟦b⟧ c"],
  ["italic in bold", "italic", "**⟦b⟧**", "***⟦b⟧***"],
  ["italic no more, but bold", "italic", "***⟦b⟧***", "**⟦b⟧**"],
  ["bold no more, but italic", "bold", "***⟦b⟧***", "*⟦b⟧*"],
  ["bold of what is italic", "bold", "*⟦b⟧*", "***⟦b⟧***"],
  ["nothing selected yet", "struck", "a ‸", "a ~~‸~~"],
  ["nothing selected any more", "struck", "a ~~‸~~", "a ‸"],
  ["code", "code", "see ⟦x⟧", "see `⟦x⟧`"],
  ["lines of code", "code", "a\n⟦b\nc⟧", "a\n```\n⟦b\nc⟧\n```"],
  ["lines of code with a fence", "code", "⟦```\nb⟧", "````\n⟦```\nb⟧\n````"],
  ["a link of words", "link", "see ⟦this page⟧", "see [this page](⟦https://⟧)"],
  ["a link of an address", "link", "⟦https://example.org/⟧", "[‸](https://example.org/)"],
  ["a link of nothing", "link", "‸", "[‸](https://)"],
  ["a list", "bullets", "x\n⟦a\nb⟧\ny", "x\n⟦- a\n- b⟧\ny"],
  ["a list no more", "bullets", "⟦- a\n- b⟧", "⟦a\nb⟧"],
  ["a list of the line at the caret", "bullets", "a‸\nb", "- a‸\nb"],
  ["numbers", "numbers", "⟦a\nb⟧", "⟦1. a\n2. b⟧"],
  ["numbers instead of bullets", "numbers", "⟦- a\n- b⟧", "⟦1. a\n2. b⟧"],
  ["tasks instead of bullets", "tasks", "⟦- a⟧", "⟦- [ ] a⟧"],
  ["bullets instead of tasks", "bullets", "⟦- [x] a⟧", "⟦- a⟧"],
  ["a quote of a list", "quote", "⟦- a\nb⟧", "⟦> - a\n> b⟧"],
  ["a quote no more", "quote", "⟦> a\n> b⟧", "⟦a\nb⟧"],
  ["a selection that ends at a line's end", "quote", "⟦a\n⟧b", "⟦> a⟧\nb"],
]))
  test(`formatting: ${what}`, () => assert.equal(format(as, before), after));
