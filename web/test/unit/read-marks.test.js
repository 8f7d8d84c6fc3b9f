import assert from "node:assert/strict";
import { test } from "node:test";
import { ReadMarks } from "../../js/list/read-marks.js";
import { Timers } from "./fakes.js";

/** Returns read marks and what they sent to the server. */
function marks() {
  const timers = new Timers();
  const told = /** @type {[string, number, boolean][]} */ ([]);
  const answers = /** @type {unknown[]} */ ([]);
  let online = true;
  const m = new ReadMarks({
    setTimeout: timers.setTimeout,
    clearTimeout: timers.clearTimeout,
    send: async (name, seq, exact) => {
      told.push([name, seq, exact]);
      return online ? { op: "ok", read: seq, unread: 0, mentions: 0 } : null;
    },
    onAnswer: (mark) => answers.push(mark),
  });
  return { m, timers, told, answers, cut: () => (online = false), mend: () => (online = true) };
}

test("a read mark is sent a second later, once, and never an earlier one", async () => {
  const { m, timers, told, answers } = marks();
  m.seen("lobby", 5);
  m.seen("lobby", 7);
  m.seen("lobby", 6);
  m.seen("garden", 1);
  assert.deepEqual(told, []);
  await timers.pass(1000);
  assert.deepEqual(told, [
    ["lobby", 7, false],
    ["garden", 1, false],
  ]);
  assert.deepEqual(answers[0], { room: "lobby", seq: 7, unread: 0, mentions: 0 });
  m.seen("lobby", 7);
  m.receive("lobby", 9);
  m.seen("lobby", 8);
  await timers.pass(5000);
  assert.equal(told.length, 2, "known there already");
});

test("leaving sends it at once; without a connection it waits for the next one", async () => {
  const { m, timers, told, cut, mend } = marks();
  cut();
  m.seen("lobby", 5);
  m.flush("lobby");
  await timers.pass(0);
  assert.deepEqual(told, [["lobby", 5, false]]);
  mend();
  m.resend();
  await timers.pass(1000);
  assert.deepEqual(told.at(-1), ["lobby", 5, false]);
  assert.equal(told.length, 2);
});

test("after a room left the list no read mark is sent, until there is a new message", async () => {
  const { m, timers, told } = marks();
  m.seen("lobby", 9);
  m.seen("garden", 4);
  m.forget("lobby");
  m.seen("lobby", 9);
  await timers.pass(5000);
  assert.deepEqual(told, [["garden", 4, false]]);
  m.seen("lobby", 10);
  await timers.pass(1000);
  assert.deepEqual(told.at(-1), ["lobby", 10, false]);
});

test("a room marked as unread sends no read mark until it is left", async () => {
  const { m, timers, told } = marks();
  m.seen("lobby", 9);
  m.hold("lobby", 3);
  m.seen("lobby", 12);
  await timers.pass(5000);
  assert.deepEqual(told, [["lobby", 3, true]]);
  m.release("lobby");
  m.seen("lobby", 12);
  await timers.pass(1000);
  assert.deepEqual(told.at(-1), ["lobby", 12, false]);
});
