import assert from "node:assert/strict";
import { test } from "node:test";
import { Api } from "../../js/wire/api.js";
import { PageSession } from "../../js/list/page-session.js";
import { BrowserMemory } from "../../js/room/browser-memory.js";
import { OfflineCopy } from "../../js/list/offline-copy.js";
import { Shelf } from "../../js/ui/shelf.js";
import { Store } from "../../js/ui/storage.js";
import { FakeSocket, MemoryStorage, Timers, channels, event, settle } from "./fakes.js";

const me = { id: "a", name: "Ada" };
const entry = (/** @type {string} */ room, /** @type {object} */ more = {}) => ({
  room,
  topic: "",
  seq: 3,
  at: "2026-11-23T09:00:00Z",
  read: 3,
  unread: 0,
  mentions: 0,
  notify: "all",
  muted: false,
  favourite: false,
  ...more,
});

/** Returns an event in the JSON of the server. @param {number} seq */
const stamped = (seq) => ({ ...event(seq), at: new Date(event(seq).at).toISOString() });

/** A page whose server is the test. Pages with the same storage and channels are tabs of one browser. */
function page(backing = new MemoryStorage(), channel = channels()) {
  const timers = new Timers();
  const sockets = /** @type {FakeSocket[]} */ ([]);
  const asked = /** @type {string[]} */ ([]);
  const read = /** @type {unknown[]} */ ([]);
  const log = { seq: 3 };
  const api = new Api(async (url) => {
    if (url === "/readyz") return new Response("", { status: 503 }); // unanswered commands are no reason to move
    asked.push(String(url));
    const room = /rooms\/([^/]+)/.exec(String(url))?.[1];
    const messages = Array.from({ length: log.seq }, (_, i) => stamped(i + 1));
    return new Response(JSON.stringify({ room, ...log, at: stamped(log.seq).at, epoch: "e", messages }));
  });
  const session = new PageSession({
    me,
    api,
    memory: new BrowserMemory(new Store(backing)),
    dial: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    channel,
    copy: new OfflineCopy({
      shelf: new Shelf(undefined, ""),
      messages: () => Promise.reject(new Error("not wanted")),
      visited: () => [],
      setTimeout: timers.setTimeout,
      random: () => 1,
    }),
    setTimeout: timers.setTimeout,
    clearTimeout: timers.clearTimeout,
    now: () => timers.now,
    random: () => 1,
    onEnded: () => undefined,
    onBuild: () => undefined,
    onRoom: () => undefined,
    onList: () => undefined,
    onListUpdate: () => undefined,
    onBadName: () => undefined,
    onRead: (mark) => read.push(mark),
  });
  const socket = () => /** @type {FakeSocket} */ (sockets.at(-1));
  /** Answers the last command with this op. @param {string} op  @param {object} fields */
  const answer = async (op, fields) => {
    const command = socket().sent.findLast((c) => c["op"] === op);
    socket().say({ op: "ok", id: command?.["id"], ...fields });
    await settle();
  };
  /** @param {object[]} rooms */
  const online = async (rooms) => {
    session.connection.connect();
    socket().open();
    await answer("hello", { person: me, epoch: "e" });
    await answer("watch", { rooms });
  };
  const sent = (/** @type {string} */ op) => socket().sent.filter((c) => c["op"] === op);
  return {
    session,
    timers,
    asked,
    read,
    log,
    sockets,
    answer,
    online,
    sent,
    say: (/** @type {object} */ m) => socket().say(m),
  };
}

test("a list of 200 rooms is one connection and one request, and joins none of them", async () => {
  const p = page();
  await p.online(Array.from({ length: 200 }, (_, i) => entry(`room-${i}`, { unread: i })));
  assert.equal(p.session.rooms.size, 200);
  assert.deepEqual([p.sockets.length, p.asked.length, p.sent("watch").length, p.sent("join").length], [1, 0, 1, 0]);
});

test("until the list has come, the rooms visited in this browser are shown and none can be changed", async () => {
  const backing = new MemoryStorage();
  new BrowserMemory(new Store(backing)).visited("lobby", 1);
  const p = page(backing);
  p.session.connection.connect();
  p.sockets[0]?.open();
  await p.answer("hello", { person: me, epoch: "e" });
  assert.deepEqual([p.session.hasList, [...p.session.rooms.keys()]], [false, ["lobby"]]);
  assert.equal(await p.session.set("lobby", { muted: true }), false);
  assert.deepEqual(p.sent("set"), []);
  await p.answer("watch", { rooms: [entry("lobby")] });
  assert.equal(p.session.hasList, true);
});

test("going to another room leaves the first one a little later, and coming back finds it unchanged", async () => {
  const p = page();
  await p.online([entry("lobby"), entry("garden")]);
  const lobby = p.session.enter("lobby", null);
  await settle();
  await p.answer("join", { room: "lobby", seq: 3, count: 1, here: [me] });
  assert.ok(lobby.joined);
  p.session.enter("garden", null);
  await settle();
  await p.answer("join", { room: "garden", seq: 3, count: 1, here: [me] });
  assert.deepEqual(p.sent("leave"), []);
  await p.timers.pass(5000);
  assert.deepEqual(
    p.sent("leave").map((c) => c["room"]),
    ["lobby"],
  );
  assert.equal(p.session.enter("lobby", null), lobby);
  assert.deepEqual(
    lobby.state.messages.map((e) => e.seq),
    [1, 2, 3],
  );
  await settle();
  assert.equal(p.sent("join").at(-1)?.["after"], 3);
  assert.equal(p.asked.filter((url) => url.includes("lobby")).length, 1, "nothing is read again");
  p.session.enter("garden", null);
  p.session.enter("lobby", null);
  await p.timers.pass(6000);
  assert.deepEqual(
    p.sent("leave").map((c) => c["room"]),
    ["lobby", "garden"],
    "a glance is no leaving",
  );
});

for (const [way, seq, target] of /** @type {const} */ ([
  ["the view goes there", null, { to: "new-separator" }],
  ["the view stays at the message of a link", 2, { to: "message", seq: 2 }],
])) {
  test(`messages missed in another room are marked as new, and ${way}`, async () => {
    const p = page();
    await p.online([entry("lobby"), entry("garden")]);
    const lobby = p.session.enter("lobby", null);
    await settle();
    await p.answer("join", { room: "lobby", seq: 3, count: 1 });
    lobby.look({ following: true, reading: true, seen: 3 });
    p.session.enter("garden", null);
    await p.timers.pass(5000);
    p.say({
      op: "news",
      room: "lobby",
      seq: 5,
      at: "2026-11-23T09:00:00Z",
      kind: "message",
      from: { id: "g", name: "Grace" },
      text: "psst",
    });
    assert.equal(p.session.rooms.get("lobby")?.unread, 1);
    p.session.enter("lobby", null);
    await settle();
    await p.answer("join", { room: "lobby", seq: 5, count: 1 });
    lobby.target = null;
    if (seq) assert.ok(await lobby.goTo(seq));
    for (const seq of [4, 5]) p.say({ op: "event", room: "lobby", ...event(seq), at: "2026-11-23T09:00:00Z" });
    assert.deepEqual([lobby.state.newSeparator, lobby.target], [3, target]);
  });
}

test("a link to a message that the room has got since one left it shows the message", async () => {
  for (const joined of [false, true]) {
    const p = page();
    await p.online([entry("lobby"), entry("garden")]);
    const lobby = p.session.enter("lobby", null);
    await settle();
    await p.answer("join", { room: "lobby", seq: 3, count: 1 });
    assert.equal(await lobby.goTo(4), false, "there is none yet");
    p.session.enter("garden", null);
    await p.timers.pass(5000);
    p.log.seq = 5;
    p.session.enter("lobby", null);
    await settle();
    if (joined) await p.answer("join", { room: "lobby", seq: 5, count: 1 }); // its events come later
    assert.ok(await lobby.goTo(4), joined ? "before the events" : "before the answer to the join");
    assert.deepEqual(lobby.target, { to: "message", seq: 4 });
  }
});

test("read marks go to the server, at once when the person leaves; those of other devices apply here", async () => {
  const p = page();
  await p.online([entry("lobby", { read: 1, unread: 2 }), entry("garden", { unread: 4 })]);
  const lobby = p.session.enter("lobby", null);
  await settle();
  assert.equal(lobby.state.lastRead, 1, "as the server knew");
  lobby.look({ following: true, reading: true, seen: 3 });
  assert.deepEqual(p.sent("read"), []);
  p.session.leave();
  assert.deepEqual(
    p.sent("read").map((c) => [c["room"], c["seq"], c["exact"]]),
    [["lobby", 3, undefined]],
  );
  await p.answer("read", { room: "lobby", read: 3, unread: 0, mentions: 0 });
  assert.equal(p.session.rooms.get("lobby")?.unread, 0);
  p.say({ op: "read", room: "garden", seq: 9, unread: 0, mentions: 0 });
  assert.equal(p.session.rooms.get("garden")?.unread, 0);
  assert.deepEqual(p.read, [{ room: "garden", seq: 9, unread: 0, mentions: 0 }]);
});

test("a setting that the server refuses is undone; a room removed on another device leaves the list", async () => {
  const p = page();
  await p.online([entry("lobby"), entry("garden")]);
  const set = p.session.set("lobby", { muted: true });
  assert.equal(p.session.rooms.get("lobby")?.muted, true, "at once");
  p.say({ op: "error", id: p.sent("set")[0]?.["id"], code: "internal", message: "no" });
  assert.equal(await set, false);
  assert.equal(p.session.rooms.get("lobby")?.muted, false);
  p.say({ op: "entry", room: "garden", listed: false });
  assert.deepEqual([...p.session.rooms.keys()], ["lobby"]);
  p.say({ op: "entry", ...entry("orchard", { favourite: true }) });
  assert.equal(p.session.rooms.get("orchard")?.favourite, true);
});

test("the server's list counts, and the room on the screen is in it even before the server has listed it", async () => {
  const backing = new MemoryStorage();
  new BrowserMemory(new Store(backing)).visited("taken-off-elsewhere", 2);
  const p = page(backing);
  p.session.enter("here", null);
  await p.online([entry("lobby"), entry("awaited", { seq: 0, read: 0 })]);
  assert.deepEqual([...p.session.rooms.keys()].sort(), ["awaited", "here", "lobby"]);
  p.say({ op: "entry", ...entry("here", { seq: 0, read: 0 }) });
  p.session.leave();
  const at = "2026-11-30T10:00:00.000Z";
  const from = { id: "grace", name: "Grace" };
  for (const room of ["here", "awaited"])
    p.say({ op: "news", room, seq: 1, at, kind: "message", from, text: "come", mentions: [me.id] });
  for (const room of ["here", "awaited"])
    assert.deepEqual([p.session.rooms.get(room)?.unread, p.session.rooms.get(room)?.mentions], [1, 1], room);
});

/** Joins a room after its first page. @param {ReturnType<typeof page>} p */
async function joinedRoom(p) {
  await p.online([entry("lobby")]);
  const lobby = p.session.enter("lobby", null);
  await settle();
  await p.answer("join", { room: "lobby", seq: 3, at: new Date(event(3).at).toISOString(), count: 1, here: [me] });
  return lobby;
}

/** The connection breaks and comes back. @param {ReturnType<typeof page>} p */
async function reconnected(p) {
  p.sockets.at(-1)?.end();
  await p.timers.pass(1_000);
  p.sockets.at(-1)?.open();
  await p.answer("hello", { person: me, epoch: "e" });
}

test("a room is joined with the time of the newest event that is known", async () => {
  const p = page();
  await joinedRoom(p);
  const iso = (/** @type {number} */ seq) => new Date(event(seq).at).toISOString();
  assert.deepEqual([p.sent("join")[0]?.["after"], p.sent("join")[0]?.["at"]], [3, iso(3)]);
  // An event that is no message.
  p.say({ op: "event", room: "lobby", ...event(4, { kind: "react" }), at: iso(4), target: 1, emoji: "👍" });
  await reconnected(p);
  assert.deepEqual([p.sent("join")[0]?.["after"], p.sent("join")[0]?.["at"]], [4, iso(4)]);
});

test("after the server was set back, the room is read again and the read mark is the server's", async () => {
  const p = page();
  const lobby = await joinedRoom(p);
  lobby.sending.outbox.add("not stored", 1);
  lobby.sending.outbox.attempt(lobby.sending.outbox.messages()[0]?.nonce ?? "", 3);
  p.session.marks.seen("lobby", 3);
  await reconnected(p);
  const asked = p.asked.length;
  p.log.seq = 5;
  await p.answer("join", {
    op: "behind",
    room: "lobby",
    seq: 5,
    at: "2026-11-24T09:00:00.000Z",
    epoch: "e",
    reset: true,
    count: 1,
    here: [me],
  });
  await p.answer("read", { room: "lobby", read: 1, unread: 2, mentions: 0 });
  await settle();
  assert.equal(p.asked.length, asked + 1, "the room was not read again");
  assert.deepEqual([lobby.state.head, lobby.state.headAt], [5, Date.UTC(2026, 10, 24, 9)]);
  assert.equal(lobby.state.lastRead, 1);
  assert.equal(lobby.sending.outbox.messages()[0]?.since, 0);
  await p.timers.pass(5_000);
  assert.deepEqual(
    p.sent("read").map((c) => c["seq"]),
    [0, 1],
    "what was read of the other log was told",
  );
});

test("behind without a reset keeps the messages that are held", async () => {
  const p = page();
  const lobby = await joinedRoom(p);
  await reconnected(p);
  await p.answer("join", {
    op: "behind",
    room: "lobby",
    seq: 2000,
    at: "2026-11-24T09:00:00.000Z",
    epoch: "e",
    count: 1,
    here: [me],
  });
  assert.deepEqual(
    [lobby.state.messages.length > 0, lobby.state.head, lobby.sending.outbox.messages().length],
    [true, 2000, 0],
  );
});

test("a tab that is signed out leaves its messages to the tab that comes in again, and takes none", async () => {
  const backing = new MemoryStorage();
  const channel = channels();
  const [old, fresh] = [page(backing, channel), page(backing, channel)];
  const unsent = await joinedRoom(old);
  old.sockets.at(-1)?.end(4001);
  unsent.send("written too late");

  const lobby = await joinedRoom(fresh);
  await fresh.timers.pass(500);
  assert.deepEqual(
    fresh.sent("send").map((c) => c["text"]),
    ["written too late"],
  );
  lobby.sending.tabs.leave(); // the page is about to be loaded again
  await old.timers.pass(60_000);
  assert.deepEqual(
    lobby.sending.outbox.messages().map((m) => m.owner),
    [lobby.sending.outbox.tab],
  );
});

test("a room that was closed to save memory takes no messages of other tabs", async () => {
  const backing = new MemoryStorage();
  const channel = channels();
  const [p, other] = [page(backing, channel), page(backing, channel)];
  const closed = await joinedRoom(p);
  for (let i = 0; i < 13; i++) {
    p.session.enter(`room-${i}`, null);
    await p.timers.pass(5_000);
  }
  const again = p.session.enter("lobby", null);
  assert.notEqual(again, closed, "it was closed");
  const lobby = await joinedRoom(other);
  lobby.send("written in a tab that is closed");
  p.session.storageChanged(null);
  lobby.sending.tabs.close();
  await p.timers.pass(60_000);
  assert.equal(lobby.sending.outbox.messages()[0]?.owner, again.sending.outbox.tab);
});
