// The smallest modules: time, ids, room names, what is memory.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Api } from "../../js/wire/api.js";
import { Refusal } from "../../js/wire/protocol.js";
import { BrowserMemory } from "../../js/room/browser-memory.js";
import { WORDS, makeRoomName } from "../../js/shell/room-names.js";
import { Store, nameOf } from "../../js/ui/storage.js";
import { dayName, dayOf, fullTime } from "../../js/ui/time.js";
import { uuid7 } from "../../js/wire/uuid.js";
import { MemoryStorage } from "./fakes.js";

test("days are named as seen from now", () => {
  const now = new Date(2026, 10, 23, 0, 5).getTime();
  const on = (/** @type {[number, number, number, number?]} */ ...[y, m, d, h = 12]) => dayName(new Date(y, m, d, h).getTime(), now).replace(",", ""); // some ICUs put a comma after the weekday
  assert.deepEqual([on(2026, 10, 23, 0), on(2026, 10, 22, 23), on(2026, 10, 21), on(2025, 10, 23)], ["Today", "Yesterday", "Saturday 21 November", "Sunday 23 November 2025"]);
  assert.match(fullTime(now), /^Monday,? 23 November 2026 at \S+/);
  assert.notEqual(dayOf(now), dayOf(now - 10 * 60_000));
});

test("ids are UUIDs of version 7 that sort as they were made", () => {
  const ids = [...Array.from({ length: 5000 }, () => uuid7(1_700_000_000_000)), uuid7(1_700_000_000_000 - 60_000), uuid7(1_700_000_100_000)];
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual([...ids].sort(), ids);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(parseInt((ids[0] ?? "").replaceAll("-", "").slice(0, 12), 16), 1_700_000_000_000);
});

test("made-up room names have 53 bits of chance and are names that the server takes", () => {
  assert.equal(WORDS.length, 256);
  assert.equal(new Set(WORDS).size, 256);
  assert.ok(WORDS.every((w) => /^[a-z]{3,9}$/.test(w)));
  assert.ok(5 * Math.log2(WORDS.length) + Math.log2(10_000) > 53);
  assert.match(makeRoomName(), /^([a-z]+-){5}\d{4}$/);
  assert.ok(Math.max(...WORDS.map((w) => w.length)) * 5 + 9 <= 64);
  let calls = 0;
  const unlucky = makeRoomName((bytes) => bytes.fill(bytes.length === 4 && calls++ === 0 ? 255 : 1)); // the first number would favour some
  assert.equal(unlucky, `${Array(5).fill(WORDS[1]).join("-")}-3009`); // 0x01010101 % 10,000
  assert.equal(calls, 2);
});

test("what is remembered is kept per room, and numbers of another epoch are forgotten", () => {
  const backing = new MemoryStorage();
  const r = new BrowserMemory(new Store(backing));
  r.name = "Ada";
  r.visited("lobby", 1);
  r.visited("garden", 2);
  r.visited("lobby", 3);
  assert.deepEqual(r.visits().map((v) => v.room), ["lobby", "garden"]);
  r.setDraft("lobby", "half a th");
  r.advanceLastRead("lobby", "e", 42);
  r.advanceLastRead("lobby", "e", 7);
  const again = new BrowserMemory(new Store(backing));
  assert.deepEqual([again.name, again.draft("lobby"), again.draft("garden"), again.lastRead("lobby", "e"), again.lastRead("lobby", "other")], ["Ada", "half a th", "", 42, 0]);
  again.forget("lobby");
  assert.deepEqual([again.visits().map((v) => v.room), again.draft("lobby"), again.lastRead("lobby", "e")], [["garden"], "", 0]);
  assert.deepEqual([nameOf("parley:draft:x"), nameOf("other"), nameOf(null)], ["draft:x", null, null]);
});

test("HTTP: messages that were asked for ahead are not asked for again, unless they did not come", async () => {
  /** @type {string[]} */
  const asked = [];
  const answers = [new Response("", { status: 502 }), ...["e1", "e2", "e3"].map((epoch) => new Response(JSON.stringify({ room: "lobby", seq: 0, epoch, messages: [] })))];
  const api = new Api(async (url) => {
    asked.push(String(url));
    return answers.shift() ?? Response.error();
  });
  const read = async () => (await api.messages("lobby", { limit: 5 })).epoch;
  api.readAhead("lobby", { limit: 5 });
  await new Promise((resolve) => setImmediate(resolve)); // it fails meanwhile
  assert.equal(await read(), "e1");
  api.readAhead("lobby", { limit: 5 });
  assert.deepEqual([await read(), await read()], ["e2", "e3"]);
  assert.deepEqual(asked, Array(4).fill("/api/rooms/lobby/messages?limit=5"));
});

test("HTTP: problems become refusals, a silent server a loss", async () => {
  const answering = (/** @type {number} */ status, /** @type {unknown} */ body) => new Api(async () => new Response(JSON.stringify(body), { status }));
  const code = (/** @type {Promise<unknown>} */ p) => p.then(() => "none", (err) => (err instanceof Refusal ? `${err.code}: ${err.message}` : String(err)));
  assert.equal(await code(answering(400, { code: "bad_room", detail: "No." }).room("x y")), "bad_room: No.");
  assert.equal(await code(answering(502, "<html>").room("x")), "internal: The server answered with 502.");
  assert.equal(await code(new Api(() => Promise.reject(new TypeError("network"))).room("x")), "lost: The server does not answer.");
  assert.equal(await answering(401, { code: "bad_session" }).whoAmI(), null);
  assert.equal(await code(answering(200, {}).room("..")), "bad_room: A room's name needs more than dots.");
});

test("pins and versions that come in several pages are read to the end", async () => {
  const event = (/** @type {number} */ seq) => ({ seq, at: "2026-11-23T09:41:05.123Z", kind: "message", from: { id: "a", name: "Ada" }, text: String(seq) });
  /** @type {string[]} */
  const asked = [];
  const api = new Api(async (url) => {
    asked.push(String(url));
    const pages = {
      "/api/rooms/r/pins": { room: "r", seq: 9, more: true, before: 8, messages: [event(1), event(2)] },
      "/api/rooms/r/pins?before=8": { room: "r", seq: 9, more: true, before: 7, messages: [event(3)] },
      "/api/rooms/r/pins?before=7": { room: "r", seq: 9, messages: [event(4)] },
      "/api/rooms/r/messages/1": { room: "r", message: event(1), more: true, versions: [event(1), event(2)] },
      "/api/rooms/r/messages/1?after=2": { room: "r", message: event(1), versions: [event(3)] },
    };
    return new Response(JSON.stringify(pages[/** @type {keyof typeof pages} */ (url)]), { status: 200 });
  });
  assert.deepEqual((await api.pins("r")).messages.map((m) => m.seq), [1, 2, 3, 4]);
  assert.deepEqual((await api.versions("r", 1)).versions.map((v) => v.seq), [1, 2, 3]);
  assert.equal(asked.length, 5);
  const empty = new Api(async () => new Response(JSON.stringify({ room: "r", more: true, messages: [], versions: [] }), { status: 200 }));
  assert.deepEqual((await empty.pins("r")).messages, []);
  assert.deepEqual((await empty.versions("r", 1)).versions, []);
});
