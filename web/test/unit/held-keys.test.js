import assert from "node:assert/strict";
import { test } from "node:test";
import { HeldKeys } from "../../js/ui/held-keys.js";
import { Timers } from "./fakes.js";

/** A page with keys held, and what has been pressed in its place or reached the page. */
function hold() {
  const page = new EventTarget();
  const timers = new Timers();
  const seen = { pressed: /** @type {string[]} */ ([]), reached: /** @type {string[]} */ ([]), asks: false };
  const press = (/** @type {{ key: string } | string} */ held) =>
    seen.pressed.push(typeof held === "string" ? `text ${held}` : held.key);
  const isInside = () => seen.asks;
  const { setTimeout, clearTimeout } = timers;
  const keys = new HeldKeys({ page, press, isInside, waitMs: 10_000, setTimeout, clearTimeout });
  page.addEventListener("keydown", (e) => seen.reached.push(/** @type {KeyboardEvent} */ (e).key));
  /** Presses a key. It reports whether the browser would act on it. @param {string} key  @param {object} [how] */
  const type = (key, how) => {
    const e = new Event("keydown", { cancelable: true });
    const plain = { code: "", shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, isComposing: false };
    return page.dispatchEvent(Object.assign(e, { key, ...plain, ...how }));
  };
  return { page, timers, keys, type, seen, ...seen };
}

test("held keys are pressed in their order once what they are meant for is there", () => {
  const { keys, type, pressed, reached } = hold();
  for (const key of ["t", "A", " ", "é", "Backspace", "ArrowDown", "Enter", "Tab"]) assert.equal(type(key), false, key);
  assert.deepEqual([pressed, reached], [[], []]);
  keys.pass();
  assert.deepEqual(pressed, ["t", "A", " ", "é", "Backspace", "ArrowDown", "Enter", "Tab"]);
  assert.equal(type("x"), true, "held no more");
  assert.deepEqual(reached, ["x"]);
  keys.pass();
  assert.equal(pressed.length, 8, "each once");
});

test("texts that come without keys are written in their turn", () => {
  const { keys, type, pressed } = hold();
  type("a");
  keys.add("執事");
  type("b");
  keys.pass();
  keys.add("too late");
  keys.pass();
  assert.deepEqual(pressed, ["a", "text 執事", "b"]);
});

test("while the person is asked something, keys and the mouse answer, and Escape still leaves", async () => {
  const { page, keys, type, seen } = hold();
  type("a");
  keys.paused = seen.asks = true;
  assert.equal(type("Enter"), true);
  page.dispatchEvent(new Event("pointerdown"));
  keys.paused = seen.asks = false;
  assert.equal(type("b"), false);
  keys.paused = true;
  type("Escape");
  assert.equal(await keys.left, null);
  keys.pass();
  assert.deepEqual(seen.pressed, []);
});

test("shortcuts, input methods and keys of the browser are not held", () => {
  const { type, reached } = hold();
  for (const [key, how] of /** @type {[string, object][]} */ ([
    ["r", { ctrlKey: true }],
    ["r", { metaKey: true }],
    ["ArrowDown", { altKey: true }],
    ["F5", {}],
    ["Shift", { shiftKey: true }],
  ]))
    assert.equal(type(key, how), true, key);
  assert.equal(reached.length, 5);
});

for (const [way, leave] of /** @type {[string, (h: ReturnType<typeof hold>) => unknown][]} */ ([
  ["Escape", ({ type }) => type("Escape")],
  ["the mouse", ({ page }) => page.dispatchEvent(new Event("pointerdown"))],
])) {
  test(`by ${way} a person goes elsewhere: the keys are dropped`, async () => {
    const held = hold();
    held.type("t");
    leave(held);
    assert.equal(await held.keys.left, null);
    assert.equal(held.type("u"), true);
    held.keys.pass();
    assert.deepEqual(held.pressed, []);
  });
}

test("a part that is late gives the keyboard back", async () => {
  const { timers, keys, type, pressed } = hold();
  type("t");
  await timers.pass(9_999);
  assert.equal(type("u"), false);
  const late = assert.rejects(keys.left);
  await timers.pass(1);
  await late;
  assert.equal(type("v"), true);
  keys.pass();
  assert.deepEqual(pressed, []);
});

test("what has come is never late", async () => {
  const { timers, keys } = hold();
  keys.pass();
  await timers.pass(60_000);
  assert.equal(await Promise.race([keys.left, Promise.resolve("pending")]), "pending");
});
