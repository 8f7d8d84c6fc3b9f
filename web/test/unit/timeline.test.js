import assert from "node:assert/strict";
import { test } from "node:test";
import { applyLive } from "../../js/room/live-events.js";
import { openWindow } from "../../js/room/room-pages.js";
import { addSentMessage, begin } from "../../js/room/room-state.js";
import { inChunks, layOut } from "../../js/room/timeline.js";
import { event } from "./fakes.js";

/** @import { MessageState } from "../../js/wire/types.js" */
/** @import { OutboxMessage } from "../../js/room/types.js" */

const ME = { id: "me", name: "Ada" };
const AT = new Date(2026, 10, 23, 12).getTime(); // noon of the local day
const MINUTE = 60_000;

/** @param {MessageState[]} messages  @param {number} [seq] */
const state = (messages, seq = messages.at(-1)?.seq ?? 0) =>
  openWindow(
    begin("lobby", ME),
    {
      room: "lobby",
      seq,
      epoch: "e",
      more: (messages[0]?.seq ?? 1) > 1,
      moreAfter: seq > (messages.at(-1)?.seq ?? 0),
      messages,
    },
    0,
  );

/** @param {Partial<OutboxMessage>} [more]  @returns {OutboxMessage} */
const entry = (more) => ({
  nonce: "n1",
  text: "kept",
  at: AT,
  owner: "tab",
  attempted: false,
  since: 0,
  failed: null,
  ...more,
});

/** @param {ReturnType<typeof layOut>} rows */
const brief = (rows) => rows.map((r) => (r.kind === "message" ? `${r.first ? "+" : "-"}${r.message.text}` : r.kind));

test("messages are grouped by author, pause and day", () => {
  const s = state([
    event(1, { at: AT, text: "a" }),
    event(2, { at: AT + MINUTE, text: "b" }),
    event(3, { at: AT + 7 * MINUTE, text: "after a pause" }),
    event(4, { at: AT + 7 * MINUTE, text: "other", from: ME }),
    event(5, { at: AT + 7 * MINUTE, text: "new name", from: { id: "me", name: "Countess" } }),
    event(6, { at: AT + 24 * 60 * MINUTE, text: "next day", from: { id: "me", name: "Countess" } }),
  ]);
  assert.deepEqual(brief(layOut(s, [])), [
    "beginning",
    "day",
    "+a",
    "-b",
    "+after a pause",
    "+other",
    "+new name",
    "day",
    "+next day",
  ]);
});

test("the edges say whether there is more", () => {
  const middle = layOut(state([event(50, { at: AT })], 90), []);
  assert.deepEqual(
    middle.map((r) => r.kind),
    ["older", "day", "message", "newer"],
  );
  assert.deepEqual(layOut(state([]), []), []);
});

test("a message that needs its author beside it begins a group", () => {
  const s = state([
    event(1, { at: AT, text: "a" }),
    event(2, { at: AT, text: "answer", replyTo: 1 }),
    event(3, { at: AT, text: "b" }),
    event(4, { at: AT, text: "waves", action: true }),
    event(5, { at: AT, text: "c" }),
    event(6, { at: AT, text: "", deleted: true, replyTo: 1 }),
  ]);
  assert.deepEqual(brief(layOut(s, [])), ["beginning", "day", "+a", "+answer", "-b", "+waves", "+c", "-"]);
});

test("a thread has its first message above its replies, and only its own unsent messages", () => {
  const root = event(1, { at: AT, text: "root" });
  let s = openWindow(
    begin("lobby", ME, 1),
    {
      room: "lobby",
      seq: 9,
      epoch: "e",
      more: false,
      messages: [event(5, { at: AT, kind: "reply", thread: 1, text: "one" })],
      root,
    },
    0,
  );
  s = applyLive(s, event(10, { at: AT, kind: "reply", thread: 1, text: "two" }));
  s = applyLive(s, event(11, { at: AT, kind: "reply", thread: 4, text: "of another thread" }));
  s = applyLive(s, event(12, { at: AT, text: "of the room" }));
  const entries = [entry({ thread: 1 }), entry({ nonce: "n2", text: "elsewhere" })];
  assert.deepEqual(brief(layOut(s, entries)), ["+root", "replies", "+one", "-two", "+kept"]);
  const later = { ...s, root: event(1, { at: AT - 24 * 60 * MINUTE, text: "root" }) };
  assert.deepEqual(brief(layOut(later, [])), ["+root", "replies", "day", "+one", "-two"], "from another day");
  assert.deepEqual(s.root?.replies, { count: 1, seq: 10, at: AT, from: root.from });
  assert.deepEqual(
    brief(layOut(state([event(1, { at: AT, text: "a" })]), entries)),
    ["beginning", "day", "+a", "+elsewhere"],
    "nor does the room show a thread's",
  );
  assert.deepEqual(brief(layOut(state([event(1, { at: AT, text: "a" })]), [entry({ thread: 1, echo: true })])), [
    "beginning",
    "day",
    "+a",
    "+kept",
  ]);
});

test("an unsent /me command is shown as an action", () => {
  const [row] = layOut(state([event(1, { at: AT })]), [entry({ text: "/me waves" })]).slice(-1);
  assert.ok(row?.kind === "message" && row.message.action && row.message.text === "waves");
});

test("the new separator begins a group, and is missing if its place is not in the window", () => {
  const messages = [event(5, { at: AT, text: "a" }), event(6, { at: AT, text: "b" }), event(7, { at: AT, text: "c" })];
  assert.deepEqual(brief(layOut({ ...state(messages), newSeparator: 5 }, [])), [
    "older",
    "day",
    "+a",
    "new-separator",
    "+b",
    "-c",
  ]);
  assert.deepEqual(brief(layOut({ ...state(messages), newSeparator: 4 }, [])), [
    "older",
    "day",
    "new-separator",
    "+a",
    "-b",
    "-c",
  ]);
  assert.deepEqual(brief(layOut({ ...state(messages), newSeparator: 2 }, [])), ["older", "day", "+a", "-b", "-c"]);
  assert.deepEqual(brief(layOut({ ...state(messages), newSeparator: 7 }, [])), ["older", "day", "+a", "-b", "-c"]);
});

test("unsent messages stand at the end, and only there", () => {
  const s = state([event(1, { at: AT, text: "a" })]);
  assert.deepEqual(brief(layOut(s, [entry()])), ["beginning", "day", "+a", "+kept"]);
  assert.deepEqual(brief(layOut(state([event(1, { at: AT, text: "a" })], 900), [entry()])), [
    "beginning",
    "day",
    "+a",
    "newer",
  ]);
});

test("a message keeps its key from the outbox to the log, and is always shown exactly once", () => {
  const kept = entry({ attempted: true, since: 1 });
  const keys = (/** @type {ReturnType<typeof layOut>} */ rows) =>
    rows.filter((r) => r.kind === "message").map((r) => r.key);
  let s = state([event(1, { at: AT })]);
  assert.deepEqual(keys(layOut(s, [kept])), ["1", "n1"]);
  s = addSentMessage(s, 2, kept); // acknowledged, but its event has not come yet
  assert.deepEqual(keys(layOut(s, [])), ["1", "n1"]);
  assert.deepEqual(keys(layOut(s, [kept])), ["1", "n1"], "also before the storage has caught up");
  s = applyLive(s, event(2, { from: ME, text: "kept", at: AT }));
  assert.deepEqual(keys(layOut(s, [])), ["1", "n1"]);
});

test("an event that comes before its answer is not shown beside its unsent message", () => {
  const kept = entry({ attempted: true, since: 1 });
  const again = entry({ nonce: "n2" }); // the same text again, not sent yet
  const s = applyLive(state([event(1, { at: AT })]), event(2, { from: ME, text: "kept", at: AT }));
  assert.deepEqual(brief(layOut(s, [kept, again])).slice(2), ["+text 1", "+kept", "-kept"]);
  const other = entry({ attempted: true, since: 2 }); // sent after that event, so another message
  assert.deepEqual(brief(layOut(s, [other])).slice(2), ["+text 1", "+kept", "-kept"]);
});

test("a row that says the same is the same object when the next message comes", () => {
  const s = applyLive(state([event(1, { at: AT })]), event(2, { at: AT }));
  const rows = layOut(s, []);
  const next = layOut(applyLive(s, event(3, { at: AT })), []);
  assert.deepEqual(next.map((row, i) => row === rows[i]).slice(-3), [true, true, false]);
});

test("rows are in chunks of near messages, each with the separators before it, and stay in theirs", () => {
  const stored = [30, 31, 32, 33, 64].map((seq) => event(seq, { at: AT + seq * MINUTE }));
  const rows = layOut(state(stored), [entry({ at: AT + 70 * MINUTE })]);
  const none = () => undefined;
  const shown = (/** @type {Map<number, import("../../js/room/types.js").Row[]>} */ chunks) =>
    [...chunks].map(([id, part]) => [id, part.map((row) => row.key)]);
  const day = "day 2026-11-23 first";
  assert.deepEqual(shown(inChunks(rows, none)), [
    [0, ["older", day, "30", "31"]],
    [1, ["32", "33"]],
    [2, ["64", "n1"]],
  ]);
  // What was sent is stored as 96, and would be in another chunk if it were new.
  const sent = layOut(addSentMessage(state([...stored, event(96)]), 96, entry()), []);
  assert.deepEqual(shown(inChunks(sent, (row) => (row.key === "n1" ? 2 : undefined))).at(-1), [2, ["64", "n1"]]);
  assert.deepEqual(shown(inChunks(sent, none)).at(-1), [3, ["n1"]]);
  assert.deepEqual([...inChunks([{ kind: "older", key: "older" }], none)], [[0, [{ kind: "older", key: "older" }]]]);
});
