import assert from "node:assert/strict";
import { test } from "node:test";
import { Refusal, decode, decodePage, isRetryable } from "../../js/wire/protocol.js";

test("an event is decoded, its time in milliseconds", () => {
  const frame =
    `{"op":"event","room":"lobby","seq":42,"at":"2026-11-23T09:41:05.123Z","kind":"message",` +
    `"from":{"id":"a","name":"Ada"},"text":"hi","html":"<p>hi</p>","later":1}`;
  assert.deepEqual(decode(frame), {
    type: "event",
    room: "lobby",
    event: {
      seq: 42,
      at: Date.UTC(2026, 10, 23, 9, 41, 5, 123),
      kind: "message",
      from: { id: "a", name: "Ada" },
      text: "hi",
      html: "<p>hi</p>",
    },
  });
});

test("answers keep their id, refusals their code and wait", () => {
  const ok = decode(`{"op":"ok","id":4,"room":"lobby","seq":1,"at":"2026-11-23T09:41:05.123Z"}`);
  assert.ok(ok?.type === "answer" && ok.ok && ok.id === 4 && ok.body.seq === 1);
  const behind = decode(`{"op":"behind","id":3,"seq":5000,"epoch":"e","here":[{"id":"a","name":"Ada"},7]}`);
  assert.ok(behind?.type === "answer" && behind.ok && behind.body.op === "behind");
  assert.deepEqual(behind.body.here, [{ id: "a", name: "Ada" }]);
  const no = decode(`{"op":"error","id":4,"code":"rate_limited","message":"Slower.","retry_after_ms":800}`);
  assert.ok(no?.type === "answer" && !no.ok && no.error instanceof Refusal);
  assert.deepEqual([no.error.code, no.error.message, no.error.retryAfterMs], ["rate_limited", "Slower.", 800]);
});

test("frames with an unknown op are ignored", () => {
  for (const frame of [
    `{"op":"poll"}`,
    `{}`,
    `[]`,
    `null`,
    `7`,
    `"x"`,
    `{`,
    ``,
    `{"op":"event","room":"x"}`,
    `{"op":"typing","room":"x"}`,
  ])
    assert.equal(decode(frame), null, frame);
});

test("presence has the fields of its frame", () => {
  const p = decode(`{"op":"presence","room":"lobby","count":250}`);
  assert.deepEqual(p, {
    type: "presence",
    room: "lobby",
    count: 250,
    joined: undefined,
    left: undefined,
    here: undefined,
  });
});

test("a page leaves out items that are no events", () => {
  const page = decodePage({
    room: "lobby",
    seq: 2,
    epoch: "e",
    messages: [{ seq: 1, text: "a" }, null, "x", { text: "no seq" }],
  });
  assert.deepEqual(
    page.messages.map((m) => [m.seq, m.text, m.from.name]),
    [[1, "a", ""]],
  );
  assert.deepEqual(decodePage("nonsense"), {
    room: "",
    seq: 0,
    at: 0,
    epoch: "",
    more: false,
    moreAfter: false,
    messages: [],
  });
});

test("optional fields are decoded where they exist, and nonsense in them is left out", () => {
  const [m] = decodePage({
    messages: [
      {
        seq: 7,
        kind: "message",
        thread: 3,
        reply_to: 2,
        quote: { from: { id: "g", name: "Grace" }, text: "hm" },
        action: true,
        mentions: [{ id: "a", name: "Ada" }, 7],
        reactions: [{ emoji: "👍", count: 1, people: [{ id: "a", name: "Ada" }] }, { emoji: "x", people: "nobody" }, 7],
        replies: { count: 2, seq: 9, at: "2026-11-23T09:41:05.123Z", from: { id: "g", name: "Grace" } },
        edited: { seq: 8, at: "nonsense" },
        pinned: true,
        gone: "yes",
      },
    ],
  }).messages;
  const grace = { id: "g", name: "Grace" };
  const ada = { id: "a", name: "Ada" };
  assert.deepEqual(m, {
    seq: 7,
    at: 0,
    kind: "message",
    from: { id: "", name: "" },
    text: "",
    html: "",
    thread: 3,
    replyTo: 2,
    quote: { from: grace, text: "hm" },
    action: true,
    mentions: [ada],
    reactions: [{ emoji: "👍", people: [ada] }],
    replies: { count: 2, seq: 9, at: Date.UTC(2026, 10, 23, 9, 41, 5, 123), from: grace },
    edited: { seq: 8, at: 0 },
    pinned: true,
    deleted: false,
  });
  const thread = decodePage({ messages: [], root: { seq: 3, text: "root" }, following: true });
  assert.deepEqual([thread.root?.text, thread.subscribed], ["root", true]);
});

test("waiting helps with some codes only", () => {
  for (const code of ["rate_limited", "unavailable", "overloaded", "stopping", "internal"])
    assert.ok(isRetryable(code), code);
  for (const code of ["too_long", "bad_text", "bad_nonce", "bad_room"]) assert.ok(!isRetryable(code), code);
});
