import assert from "node:assert/strict";
import { test } from "node:test";
import { Api } from "../../js/wire/api.js";
import { Refusal } from "../../js/wire/protocol.js";

test("a page that was requested ahead is not requested again, unless that failed", async () => {
  /** @type {string[]} */
  const asked = [];
  const answers = [
    new Response("", { status: 502 }),
    ...["e1", "e2", "e3"].map((epoch) => new Response(JSON.stringify({ room: "lobby", seq: 0, epoch, messages: [] }))),
  ];
  const api = new Api(async (url) => {
    asked.push(String(url));
    return answers.shift() ?? Response.error();
  });
  const read = async () => (await api.messages("lobby", { limit: 5 })).epoch;
  api.readAhead("lobby", { limit: 5 });
  await new Promise((resolve) => setImmediate(resolve)); // the request fails now
  assert.equal(await read(), "e1");
  api.readAhead("lobby", { limit: 5 });
  assert.deepEqual([await read(), await read()], ["e2", "e3"]);
  assert.deepEqual(asked, Array(4).fill("/api/rooms/lobby/messages?limit=5"));
});

test("problem details become refusals, and a silent server the code lost", async () => {
  const answering = (/** @type {number} */ status, /** @type {unknown} */ body) =>
    new Api(async () => new Response(JSON.stringify(body), { status }));
  const code = (/** @type {Promise<unknown>} */ p) =>
    p.then(
      () => "none",
      (err) => (err instanceof Refusal ? `${err.code}: ${err.message}` : String(err)),
    );
  assert.equal(await code(answering(400, { code: "bad_room", detail: "No." }).room("x y")), "bad_room: No.");
  assert.equal(await code(answering(502, "<html>").room("x")), "internal: The server answered with 502.");
  assert.equal(
    await code(new Api(() => Promise.reject(new TypeError("network"))).room("x")),
    "lost: The server does not answer.",
  );
  assert.equal(await answering(401, { code: "bad_session" }).whoAmI(), null);
  assert.equal(await code(answering(200, {}).room("..")), "bad_room: A room's name needs more than dots.");
});

test("pins and versions that come in several pages are read to the end", async () => {
  const event = (/** @type {number} */ seq) => ({
    seq,
    at: "2026-11-23T09:41:05.123Z",
    kind: "message",
    from: { id: "a", name: "Ada" },
    text: String(seq),
  });
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
  assert.deepEqual(
    (await api.pins("r")).messages.map((m) => m.seq),
    [1, 2, 3, 4],
  );
  assert.deepEqual(
    (await api.versions("r", 1)).versions.map((v) => v.seq),
    [1, 2, 3],
  );
  assert.equal(asked.length, 5);
  const empty = new Api(
    async () => new Response(JSON.stringify({ room: "r", more: true, messages: [], versions: [] }), { status: 200 }),
  );
  assert.deepEqual((await empty.pins("r")).messages, []);
  assert.deepEqual((await empty.versions("r", 1)).versions, []);
});

test("a new guest whose browser refuses the cookie brings the session until it ends", async () => {
  /** @type {string[]} */
  const asked = [];
  let known = "s1";
  const api = new Api(async (url, init) => {
    const bearer = new Headers(init?.headers).get("Authorization");
    asked.push(`${init?.method ?? "GET"} ${url} ${bearer ?? "-"}`);
    const answer = (/** @type {number} */ status, /** @type {unknown} */ body) =>
      new Response(JSON.stringify(body), { status });
    if (bearer ? bearer !== `Bearer ${known}` : init?.method !== "POST") return answer(401, { code: "bad_session" });
    return answer(200, { person: { id: "a", name: "Ada" }, ...(!bearer && { session: known }) });
  });
  await api.callMe("Ada");
  assert.equal(api.session, "s1");
  assert.equal((await api.whoAmI())?.name, "Ada");
  await api.callMe("Grace");
  known = "s2"; // the server has forgotten its guests
  await api.callMe("Grace");
  assert.equal(api.session, "s2");
  assert.deepEqual(asked, [
    "POST /api/session -",
    "GET /api/session -",
    "GET /api/session Bearer s1",
    "POST /api/session Bearer s1",
    "POST /api/session Bearer s1",
    "POST /api/session -",
    "GET /api/session -",
  ]);
});

test("a browser with cookies brings no session of its own", async () => {
  const api = new Api(async () => new Response(JSON.stringify({ person: { id: "a", name: "Ada" }, session: "s" })));
  await api.callMe("Ada");
  assert.equal(api.session, "");
});
