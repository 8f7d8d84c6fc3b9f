import assert from "node:assert/strict";
import { test } from "node:test";
import { begin } from "../../js/room/room-state.js";
import { lastEditable } from "../../js/talk/last-message.js";

/** @import { MessageState, Page, PageQuery } from "../../js/wire/types.js" */

const ME = { id: "a", name: "Ada" };
const OTHER = { id: "g", name: "Grace" };

/** @param {number} seq  @param {Partial<MessageState>} [more]  @returns {MessageState} */
const message = (seq, more) => ({ seq, at: seq, kind: "message", from: OTHER, text: "x", html: "", ...more });
const mine = (/** @type {number} */ seq, /** @type {Partial<MessageState>} */ more = {}) =>
  message(seq, { from: ME, ...more });
const forward = { from: OTHER, at: 1 };

/** Returns the seq that is found in a window, given the pages before it, and how many pages were read.
 * @param {Partial<ReturnType<typeof begin>>} window  @param {MessageState[][]} [pages] the newest first */
async function find(window, pages = []) {
  const state = { ...begin("lobby", ME), epoch: "e", head: 100, ...window };
  /** @type {PageQuery[]} */
  const asked = [];
  const found = await lastEditable(state, ME.id, async (where) => {
    const messages = pages[asked.length] ?? [];
    asked.push(where);
    return /** @type {Page} */ ({ room: "lobby", seq: 100, epoch: "e", more: asked.length < pages.length, messages });
  });
  return [found?.seq ?? 0, ...asked.map(({ before }) => before ?? "newest")];
}

test("the last message of one's own that is neither deleted nor forwarded is found in the window", async () => {
  const messages = [mine(1), mine(2), message(3), mine(4, { forward }), mine(5, { deleted: true }), message(6)];
  assert.deepEqual(await find({ messages }), [2]);
  assert.deepEqual(await find({ messages: [message(3)], root: mine(1), thread: 1 }), [1], "the root of a thread");
});

test("if the window has none, the pages before it are read, but not for ever", async () => {
  const messages = [message(90), mine(91, { deleted: true })];
  assert.deepEqual(await find({ messages, older: true }, [[message(80)], [mine(60), message(61)]]), [60, 90, 80]);
  assert.deepEqual(await find({ messages, older: true }, [[message(80)]]), [0, 90]);
  assert.deepEqual(await find({ messages, older: false }), [0]);
  const many = Array.from({ length: 50 }, (_, i) => [message(80 - i)]);
  assert.equal((await find({ messages, older: true }, many)).length, 1 + 10);
});

test("a window in the past is no place to look: the log is read from its end", async () => {
  assert.deepEqual(await find({ messages: [mine(7)], newer: true }, [[mine(99)]]), [99, "newest"]);
});
