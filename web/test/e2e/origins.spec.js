import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { Server, visitor } from "./helper.js";

/** Serves an empty page at an origin of its own, and returns that origin. @returns {Promise<string>} */
function site() {
  const server = createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end("<!doctype html>"));
  after(() => server.close());
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      assert.ok(address && typeof address === "object");
      resolve(`http://127.0.0.1:${address.port}`);
    }),
  );
}

const [listed, elsewhere] = [await site(), await site()];
const server = await new Server("--allow-origin", listed, "--guest-rate", "1").start();

/** Does from a page of an origin what a client would do. Returns what the page saw of each answer.
 * @param {string} origin */
async function use(origin) {
  const { page } = await visitor(server, null);
  await page.goto(`${origin}/`);
  return page.evaluate(async (url) => {
    /** @param {string} method  @param {string} path  @param {RequestInit} [init] */
    const ask = async (method, path, init) => {
      try {
        const answer = await fetch(url + path, { method, credentials: "include", ...init });
        return { seen: String(answer.status), body: await answer.json().catch(() => ({})), headers: answer.headers };
      } catch {
        return { seen: "blocked", body: {}, headers: new Headers() };
      }
    };
    const json = { "Content-Type": "application/json" };
    const guest = { headers: json, body: '{"name":"Ada"}' };
    const signIn = await ask("POST", "/api/session", guest);
    const byCookie = await ask("GET", "/api/session");
    const bearer = { ...json, Authorization: `Bearer ${signIn.body.session}` };
    await ask("POST", "/api/rooms/lobby/messages", {
      headers: { ...bearer, "Idempotency-Key": "0198c1d2-7a3b-7c4d-8e5f-60718293a4b5" },
      body: '{"text":"one"}',
    });
    const edit = await ask("PATCH", "/api/rooms/lobby/messages/1", { headers: bearer, body: '{"text":"two"}' });
    const problem = await ask("GET", "/api/rooms/%3F/messages");
    const tooMany = await ask("POST", "/api/session", { ...guest, credentials: "omit" });
    const foreign = await ask("GET", "/api/rooms/lobby", { headers: { "X-Other": "1" } });
    const socket = await new Promise((resolve) => {
      const ws = new WebSocket(url.replace("http", "ws") + "/ws", "parley.v1");
      ws.onopen = () => resolve("open");
      ws.onerror = () => resolve("blocked");
    });
    return {
      signIn: signIn.seen,
      byCookie: byCookie.seen,
      edit: edit.seen,
      problem: problem.body.code ?? problem.seen,
      tooMany: tooMany.seen,
      retryAfter: tooMany.headers.has("Retry-After"),
      otherHeader: foreign.seen,
      socket,
    };
  }, server.url);
}

test("a page of a listed origin can do what the server's own page can", async () => {
  assert.deepEqual(await use(listed), {
    signIn: "201",
    byCookie: "200",
    edit: "200",
    problem: "bad_room",
    tooMany: "429",
    retryAfter: true,
    otherHeader: "blocked",
    socket: "open",
  });
  assert.deepEqual(await server.texts("lobby"), ["two"]);
});

test("a page of another origin can neither read nor write", async () => {
  assert.deepEqual(await use(elsewhere), {
    signIn: "blocked",
    byCookie: "blocked",
    edit: "blocked",
    problem: "blocked",
    tooMany: "blocked",
    retryAfter: false,
    otherHeader: "blocked",
    socket: "blocked",
  });
});
