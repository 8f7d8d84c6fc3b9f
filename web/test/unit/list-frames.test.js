import assert from "node:assert/strict";
import { test } from "node:test";
import { decode } from "../../js/wire/protocol.js";

test("frames about the list are decoded, and strange ones do no harm", () => {
  const of = (/** @type {object} */ o) => decode(JSON.stringify(o));
  const answer = of({
    op: "ok",
    id: 1,
    rooms: [
      {
        room: "lobby",
        topic: "x",
        seq: 5,
        at: "2026-11-23T09:41:05.123Z",
        last: { from: { id: "g", name: "Grace" }, text: "hi" },
        read: 3,
        unread: 2,
        mentions: 1,
        notify: "mentions",
        muted: true,
        favourite: true,
      },
      { room: "" },
      7,
      { room: "bare", notify: "loud" },
    ],
  });
  assert.ok(answer?.type === "answer" && answer.ok);
  assert.deepEqual(answer.body.rooms, [
    {
      room: "lobby",
      topic: "x",
      seq: 5,
      at: Date.UTC(2026, 10, 23, 9, 41, 5, 123),
      last: { from: { id: "g", name: "Grace" }, text: "hi" },
      read: 3,
      unread: 2,
      mentions: 1,
      notify: "mentions",
      muted: true,
      favourite: true,
    },
    {
      room: "bare",
      topic: "",
      seq: 0,
      at: 0,
      last: null,
      read: 0,
      unread: 0,
      mentions: 0,
      notify: "all",
      muted: false,
      favourite: false,
    },
  ]);
  assert.deepEqual(of({ op: "entry", room: "lobby", listed: false }), { type: "unlisted", room: "lobby" });
  assert.deepEqual(of({ op: "read", room: "lobby", seq: 4, unread: 1, mentions: 0 }), {
    type: "read",
    room: "lobby",
    mark: { room: "lobby", seq: 4, unread: 1, mentions: 0 },
  });
  const said = of({
    op: "news",
    room: "lobby",
    seq: 6,
    kind: "reply",
    from: { id: "g", name: "Grace" },
    text: "x",
    mentions: ["a", 7],
    thread: 2,
    at_here: true,
  });
  assert.ok(said?.type === "update");
  assert.deepEqual(
    [said.update.mentions, said.update.thread, said.update.from.name, said.update.here],
    [["a", ""], 2, "Grace", true],
  );
});
