import assert from "node:assert/strict";
import { test } from "node:test";
import { Outbox } from "../../js/room/outbox.js";
import { Refusal } from "../../js/wire/protocol.js";
import { Sender } from "../../js/room/sender.js";
import { Store } from "../../js/ui/storage.js";
import { Tabs } from "../../js/room/tabs.js";
import { MemoryStorage, Timers, channels, settle } from "./fakes.js";

/** @import { AnswerBody, Command } from "../../js/wire/types.js" */

const texts = (/** @type {Outbox} */ outbox) => outbox.messages().map((e) => e.text);

/** Returns a sender whose server is the test: `asked` has its commands and the functions that answer them.
 * @param {Outbox} outbox */
function sending(outbox) {
  const timers = new Timers();
  /** @typedef {{ resolve: (b: AnswerBody) => void, reject: (r: Refusal) => void }} Answering */
  /** @type {({ text: string | undefined, nonce: string | undefined } & Answering)[]} */
  const asked = [];
  /** @type {[string, number][]} */
  const stored = [];
  const sender = new Sender({
    outbox,
    room: "lobby",
    setTimeout: timers.setTimeout,
    newest: () => 41,
    onChange: () => {},
    onStored: (entry, seq) => stored.push([entry.text, seq]),
    request: (/** @type {Command} */ c) =>
      new Promise((resolve, reject) => asked.push({ text: c.text, nonce: c.nonce, resolve, reject })),
  });
  return { sender, timers, asked, stored };
}

test("messages go out one after the other, each once", async () => {
  const outbox = new Outbox(new Store(new MemoryStorage()), "lobby", "tab");
  const { sender, asked, stored } = sending(outbox);
  for (const text of ["a", "b", "c"]) outbox.add(text, 1000);
  sender.setOnline(true);
  sender.pump();
  for (const [i, text] of ["a", "b", "c"].entries()) {
    await settle();
    assert.equal(asked.length, i + 1);
    assert.equal(asked[i]?.text, text);
    asked[i]?.resolve({ op: "ok", seq: 42 + i });
  }
  await settle();
  assert.deepEqual(stored, [
    ["a", 42],
    ["b", 43],
    ["c", 44],
  ]);
  assert.deepEqual(texts(outbox), []);
});

test("without an answer the same nonce goes out again, before what follows", async () => {
  const outbox = new Outbox(new Store(new MemoryStorage()), "lobby", "tab");
  const { sender, asked } = sending(outbox);
  outbox.add("a", 1000);
  sender.setOnline(true);
  await settle();
  asked[0]?.reject(new Refusal("lost", "gone"));
  await settle();
  outbox.add("b", 1000);
  sender.pump();
  await settle();
  assert.equal(asked.length, 1, "nothing goes out while the connection is lost");
  assert.deepEqual(
    outbox.messages().map((e) => [e.text, e.attempted, e.since]),
    [
      ["a", true, 41],
      ["b", false, 0],
    ],
  );
  sender.setOnline(true);
  await settle();
  assert.equal(asked[1]?.nonce, asked[0]?.nonce);
});

test("a message refused for now waits as long as the server says, then is sent by itself", async () => {
  const outbox = new Outbox(new Store(new MemoryStorage()), "lobby", "tab");
  const { sender, timers, asked } = sending(outbox);
  outbox.add("a", 1000);
  sender.setOnline(true);
  await settle();
  asked[0]?.reject(new Refusal("rate_limited", "Slower.", 800));
  await timers.pass(799);
  assert.equal(sender.waitingFor, "rate_limited");
  assert.equal(outbox.messages()[0]?.attempted, false, "the server says that it has not stored it");
  assert.equal(asked.length, 1);
  await timers.pass(1);
  assert.equal(asked.length, 2);
});

test("a message refused for good says why and lets the next one pass", async () => {
  const outbox = new Outbox(new Store(new MemoryStorage()), "lobby", "tab");
  const { sender, asked } = sending(outbox);
  const bad = outbox.add("too long", 1000);
  outbox.add("fine", 1000);
  sender.setOnline(true);
  await settle();
  asked[0]?.reject(new Refusal("too_long", "At most 3 characters."));
  await settle();
  assert.equal(asked[1]?.text, "fine");
  assert.deepEqual(outbox.messages()[0]?.failed, { code: "too_long", message: "At most 3 characters." });
  asked[1]?.resolve({ op: "ok", seq: 42 });
  await settle();
  outbox.retry(bad.nonce);
  sender.pump();
  await settle();
  assert.equal(asked[2]?.nonce, bad.nonce);
});

test("the outbox survives the page, and messages of closed tabs get a new owner", () => {
  const backing = new MemoryStorage();
  const before = new Outbox(new Store(backing), "lobby", "old tab");
  for (const text of ["a", "b"]) before.add(text, 1000);
  const after = new Outbox(new Store(backing), "lobby", "new tab");
  assert.deepEqual(texts(after), ["a", "b"]);
  assert.equal(after.next(), undefined, "not its own");
  assert.equal(after.takeOver(new Set(["old tab", "new tab"])), false, "the owner lives");
  assert.equal(after.takeOver(new Set(["new tab"])), true);
  assert.equal(after.next()?.text, "a");
  before.changed("outbox:lobby:x");
  assert.equal(before.next(), undefined, "the old tab, should it still be there, leaves them alone");
});

test("rooms have separate outboxes, and items that are no messages are ignored", () => {
  const store = new Store(new MemoryStorage());
  const lobby = new Outbox(store, "lobby", "tab");
  const lobby2 = new Outbox(store, "lobby2", "tab");
  lobby.add("a", 1000);
  store.put("outbox:lobby:zzz", { nonce: 7 });
  store.put("outbox:lobby:zzzz", "text");
  assert.deepEqual([texts(lobby), texts(lobby2)], [["a"], []]);
});

test("if the browser stores nothing, messages live as long as the page, and durable is false", () => {
  const full = new MemoryStorage();
  full.full = true;
  for (const store of [new Store(null), new Store(full)]) {
    const outbox = new Outbox(store, "lobby", "tab");
    const entry = outbox.add("a", 1000);
    assert.deepEqual(texts(outbox), ["a"]);
    assert.equal(store.durable, false);
    outbox.remove(entry.nonce);
    assert.deepEqual(texts(outbox), []);
  }
});

test("tabs know which of them are open, and when one closes", async () => {
  const timers = new Timers();
  const channel = channels();
  let gone = 0;
  const one = new Tabs(channel(), "one", timers.setTimeout, () => gone++);
  const two = new Tabs(channel(), "two", timers.setTimeout, () => {});
  const open = async () => {
    const alive = one.alive();
    await timers.pass(500);
    return [...(await alive)].sort();
  };
  assert.deepEqual(await open(), ["one", "two"]);
  two.leave();
  assert.equal(gone, 1);
  assert.deepEqual(await open(), ["one", "two"], "who has left may come back");
  two.close();
  assert.equal(gone, 2);
  assert.deepEqual(await open(), ["one"]);
});

test("a tab that opens while another asks who is open is heard", async () => {
  const timers = new Timers();
  const channel = channels();
  const one = new Tabs(channel(), "one", timers.setTimeout, () => {});
  const alive = one.alive();
  await timers.pass(400);
  new Tabs(channel(), "two", timers.setTimeout, () => {});
  await timers.pass(100);
  assert.deepEqual([...(await alive)].sort(), ["one", "two"]);
});

test("a message whose nonce was used for something else goes out again with a new one, in its place", async () => {
  const outbox = new Outbox(new Store(new MemoryStorage()), "lobby", "tab");
  const { sender, asked, stored } = sending(outbox);
  const bad = outbox.add("mine", 1000, { replyTo: 7 });
  outbox.add("later", 2000);
  sender.setOnline(true);
  asked[0]?.reject(new Refusal("nonce_used", "no"));
  await settle();
  asked[1]?.resolve({ op: "ok", seq: 42 });
  await settle();
  assert.equal(outbox.messages()[0]?.failed?.code, "nonce_used");
  outbox.retry(bad.nonce);
  assert.deepEqual(texts(outbox), ["mine"]);
  assert.equal(outbox.messages()[0]?.replyTo, 7);
  sender.pump();
  await settle();
  assert.notEqual(asked[2]?.nonce, bad.nonce);
  asked[2]?.resolve({ op: "ok", seq: 43 });
  await settle();
  assert.deepEqual(stored, [
    ["later", 42],
    ["mine", 43],
  ]);
  assert.deepEqual(texts(outbox), []);
});
