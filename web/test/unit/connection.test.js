import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection } from "../../js/wire/connection.js";
import { Refusal } from "../../js/wire/protocol.js";
import { FakeSocket, Timers, settle } from "./fakes.js";

function setUp() {
  const timers = new Timers();
  /** @type {FakeSocket[]} */
  const sockets = [];
  /** @type {string[]} */
  const told = [];
  const ready = { now: true };
  const connection = new Connection({
    dial: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    setTimeout: timers.setTimeout,
    clearTimeout: timers.clearTimeout,
    random: () => 1,
    onHello: (body) => told.push(`hello ${body.person?.name}`),
    onMessage: (m) => told.push(m.type),
    onStatus: (s) => told.push(s),
    onEnded: () => told.push("signed out"),
    onBadSession: async () => void told.push("new session"),
    onBadName: () => void told.push("another name"),
    isReady: async () => ready.now,
  });
  const last = () => {
    const socket = sockets.at(-1);
    assert.ok(socket);
    return socket;
  };
  const online = async () => {
    connection.connect();
    last().open();
    last().answer({ person: { id: "a", name: "Ada" }, epoch: "e" });
    await settle();
  };
  return { connection, timers, sockets, told, ready, last, online };
}

test("says hello first and is online with its answer", async () => {
  const { told, last, online } = setUp();
  await online();
  assert.deepEqual(last().sent, [{ op: "hello", id: 1 }]);
  assert.deepEqual(told, ["connecting", "online", "hello Ada"]);
});

test("answers resolve their commands in any order, and refusals reject them", async () => {
  const { connection, last, online } = setUp();
  await online();
  const one = connection.request({ op: "send", room: "r", text: "1" });
  const two = connection.request({ op: "send", room: "r", text: "2" });
  last().say({ op: "error", id: 3, code: "too_long", message: "Too long." });
  last().say({ op: "ok", id: 2, seq: 7 });
  assert.equal((await one).seq, 7);
  await assert.rejects(two, (err) => err instanceof Refusal && err.code === "too_long");
});

test("a lost connection rejects unanswered commands and reconnects, each time later, up to a bound", async () => {
  const { connection, timers, sockets, last, online } = setUp();
  await online();
  const unanswered = connection.request({ op: "send", room: "r", text: "x" });
  last().end();
  await assert.rejects(unanswered, (err) => err instanceof Refusal && err.code === "lost");
  const waits = [];
  for (let i = 0; i < 9; i++) {
    const began = timers.now;
    const dials = sockets.length;
    while (sockets.length === dials) await timers.pass(50);
    waits.push(timers.now - began);
    last().end();
  }
  assert.deepEqual(waits, [500, 500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]);
  await assert.rejects(connection.request({ op: "ping" }), (err) => err instanceof Refusal && err.code === "lost");
});

test("the first attempt is made at any moment within its time, later ones between half and all of theirs", async () => {
  const { connection, timers, sockets, last, online } = setUp();
  connection.options.random = () => 0;
  await online();
  last().end();
  await timers.pass(0);
  assert.equal(sockets.length, 2);
  last().end();
  await timers.pass(249);
  assert.equal(sockets.length, 2);
  await timers.pass(1);
  assert.equal(sockets.length, 3);
});

test("a server that stops says within which time to come back, and another that stops says it again", async () => {
  const { timers, sockets, last, online } = setUp();
  await online();
  for (const ms of [3000, 100]) {
    const dials = sockets.length;
    last().end(1001, JSON.stringify({ code: "stopping", retry_within_ms: ms }));
    await timers.pass(ms - 1);
    assert.equal(sockets.length, dials);
    await timers.pass(1);
    assert.equal(sockets.length, dials + 1);
    last().open();
    last().answer({ person: { id: "a", name: "Ada" } });
    await settle();
  }
});

test("an attempt that failed is not repeated within the time that the server named before", async () => {
  const { timers, sockets, last, online } = setUp();
  await online();
  last().end(1001, JSON.stringify({ code: "stopping", retry_within_ms: 100 }));
  await timers.pass(100);
  last().end();
  await timers.pass(499);
  assert.equal(sockets.length, 2);
  await timers.pass(1);
  assert.equal(sockets.length, 3);
});

for (const reason of ["", "the server is going down", "{", '{"retry_within_ms":"soon"}', "null"]) {
  test(`without a time in the reason ${reason} the first attempt is made within half a second`, async () => {
    const { timers, sockets, last, online } = setUp();
    await online();
    last().end(1001, reason);
    await timers.pass(499);
    assert.equal(sockets.length, 1);
    await timers.pass(1);
    assert.equal(sockets.length, 2);
  });
}

test("success resets the back-off", async () => {
  const { timers, sockets, last, online } = setUp();
  await online();
  last().end();
  await timers.pass(500);
  last().end();
  await timers.pass(500);
  last().open();
  last().answer({ person: { id: "a", name: "Ada" } });
  await settle();
  last().end();
  await timers.pass(500);
  assert.equal(sockets.length, 4);
});

test("pings when nothing is sent, and without an answer the connection counts as lost", async () => {
  const { connection, timers, ready, last, online } = setUp();
  ready.now = false;
  await online();
  await timers.pass(25_000);
  assert.equal(last().sent.at(-1)?.["op"], "ping");
  last().answer({});
  await timers.pass(24_000);
  assert.equal(connection.status, "online");
  await timers.pass(1_000); // the next ping, which gets no answer
  await timers.pass(10_000);
  assert.equal(connection.status, "waiting");
});

/** A frame from the server that answers nothing. @param {ReturnType<typeof setUp>} s */
const hear = ({ last }) => last().say({ op: "typing", room: "r", from: { id: "g", name: "Grace" } });

test("a server that falls silent after a frame is left within ten seconds, if another one is ready", async () => {
  const s = setUp();
  await s.online();
  await s.timers.pass(20_000);
  hear(s);
  await s.timers.pass(9_999);
  assert.equal(s.connection.status, "online");
  await s.timers.pass(1);
  assert.equal(s.connection.status, "waiting");
});

test("a frame costs one ping at most, and none while others follow it", async () => {
  const s = setUp();
  await s.online();
  const pings = () => s.last().sent.filter((frame) => frame["op"] === "ping").length;
  for (let ms = 0; ms < 60_000; ms += 5_000) {
    hear(s);
    await s.timers.pass(5_000);
  }
  assert.equal(pings(), 0);
  await s.timers.pass(1_000);
  assert.equal(pings(), 1);
  s.last().answer({});
  await s.timers.pass(24_999);
  assert.equal(pings(), 1);
  await s.timers.pass(1);
  assert.equal(pings(), 2);
});

test("those who heard the same frame do not ping at the same moment", async () => {
  const times = [];
  for (const random of [0, 0.5, 1]) {
    const s = setUp();
    s.connection.options.random = () => random;
    await s.online();
    hear(s);
    while (s.timers.now < 10_000 && s.last().sent.length < 2) await s.timers.pass(100);
    times.push(s.timers.now);
  }
  assert.deepEqual(times, [4_000, 5_000, 6_000]);
});

test("a connection that leaves a command unanswered counts as lost", async () => {
  const { connection, timers, ready, online } = setUp();
  ready.now = false;
  await online();
  const unanswered = assert.rejects(connection.request({ op: "send", room: "r", text: "x" }));
  await timers.pass(10_000);
  await unanswered;
  assert.equal(connection.status, "waiting");
});

test("after the device wakes up the connection is checked at once", async () => {
  const { connection, timers, sockets, last, online } = setUp();
  await online();
  connection.wake();
  assert.equal(last().sent.at(-1)?.["op"], "ping");
  await timers.pass(3_000);
  assert.equal(connection.status, "waiting");
  connection.wake(); // and does not wait for the back-off
  assert.equal(sockets.length, 2);
});

test("after an unknown session a new one is made, then it connects again", async () => {
  const { connection, timers, sockets, told, last } = setUp();
  connection.connect();
  last().open();
  last().say({ op: "error", id: 1, code: "bad_session", message: "Unknown." });
  await timers.pass(500);
  assert.ok(told.includes("new session"));
  assert.equal(sockets.length, 2);
});

test("frames of an old socket are ignored", async () => {
  const { connection, timers, told, sockets, online } = setUp();
  await online();
  const old = sockets[0];
  assert.ok(old);
  old.end();
  await timers.pass(500);
  told.length = 0;
  old.say({ op: "typing", room: "r", from: { id: "a", name: "Ada" } });
  old.end();
  assert.deepEqual(told, []);
  assert.equal(connection.status, "connecting");
});

/** Sends a message, which the server refuses. @param {ReturnType<typeof setUp>} s  @param {string} code */
async function refused({ connection, last }, code) {
  const refusal = assert.rejects(connection.request({ op: "send", room: "r", text: "x" }));
  last().say({ op: "error", id: last().sent.at(-1)?.["id"], code, message: "No." });
  await refusal;
}

test("a server that cannot store is left for one that is ready", async () => {
  const s = setUp();
  await s.online();
  await refused(s, "unavailable");
  await s.timers.pass(2_999);
  assert.equal(s.connection.status, "online");
  await s.timers.pass(1);
  assert.equal(s.connection.status, "waiting");
  await s.timers.pass(500);
  assert.equal(s.sockets.length, 2);
});

test("a server that leaves a command unanswered is left for one that is ready, whatever else comes", async () => {
  for (const isReady of [true, false]) {
    const s = setUp();
    s.ready.now = isReady;
    await s.online();
    const unanswered = s.connection.request({ op: "send", room: "r", text: "x" });
    unanswered.catch(() => undefined);
    for (let ms = 0; ms < 3_000; ms += 1_000) {
      await s.timers.pass(1_000);
      hear(s);
    }
    await s.timers.pass(999);
    assert.equal(s.connection.status, "online");
    await s.timers.pass(1);
    assert.equal(s.connection.status, isReady ? "waiting" : "online");
    if (isReady) await assert.rejects(unanswered, (err) => err instanceof Refusal && err.code === "lost");
  }
});

test("but not if none is ready, if it can store again, or for another refusal", async () => {
  for (const [code, isReady, storesAgain] of /** @type {const} */ ([
    ["unavailable", false, false],
    ["unavailable", true, true],
    ["rate_limited", true, false],
  ])) {
    const s = setUp();
    s.ready.now = isReady;
    await s.online();
    await refused(s, code);
    if (storesAgain) {
      const answer = s.connection.request({ op: "send", room: "r", text: "x" });
      s.last().answer({ seq: 1 });
      await answer;
    }
    await s.timers.pass(10_000);
    assert.equal(s.connection.status, "online", `${code}, ready: ${isReady}, stores again: ${storesAgain}`);
  }
});

test("of servers that cannot store one is left every half a minute", async () => {
  const s = setUp();
  await s.online();
  await refused(s, "unavailable");
  await s.timers.pass(3_500);
  s.last().open();
  s.last().answer({ person: { id: "a", name: "Ada" } });
  await settle();
  await refused(s, "unavailable");
  await s.timers.pass(26_499);
  assert.equal(s.connection.status, "online");
  await s.timers.pass(1);
  await refused(s, "unavailable");
  await s.timers.pass(3_000);
  assert.equal(s.connection.status, "waiting");
});

test("after the session was ended it does not reconnect", async () => {
  const { connection, timers, sockets, told, last, online } = setUp();
  await online();
  const unanswered = connection.request({ op: "ping" });
  last().end(4001);
  await assert.rejects(unanswered, (err) => err instanceof Refusal && err.code === "lost");
  assert.deepEqual(told.slice(-2), ["ended", "signed out"]);
  await timers.pass(3_600_000);
  connection.wake();
  connection.connect();
  assert.equal(sockets.length, 1);
});

for (const code of [1000, 1001, 1006, 1011, 4000, 4008]) {
  test(`a connection closed with ${code} reconnects`, async () => {
    const { timers, sockets, last, online } = setUp();
    await online();
    last().end(code);
    await timers.pass(60_000);
    assert.ok(sockets.length > 1);
  });
}
