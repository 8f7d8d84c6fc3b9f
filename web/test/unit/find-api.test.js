import assert from "node:assert/strict";
import { test } from "node:test";
import { saved, search, threads } from "../../js/find/find-api.js";
import { Api } from "../../js/wire/api.js";

test("hits come in pages, each with the cursor of the next one", async () => {
  const asked = /** @type {string[]} */ ([]);
  const api = (/** @type {unknown} */ body) =>
    new Api(async (url) => {
      asked.push(String(url));
      return new Response(JSON.stringify(body));
    });
  const message = {
    seq: 4,
    at: "2026-11-23T09:41:05.123Z",
    kind: "reply",
    thread: 2,
    from: { id: "g", name: "Grace" },
    text: "hi",
  };
  const hits = await search(api({ hits: [{ room: "lobby", message, ranges: [[0, 2], "x"] }, null], cursor: "c2" }), {
    q: "from:grace hi",
    sort: "relevance",
    typing: false,
    cursor: "c1",
  });
  assert.deepEqual(hits, {
    hits: [
      {
        room: "lobby",
        seq: 4,
        at: Date.UTC(2026, 10, 23, 9, 41, 5, 123),
        from: { id: "g", name: "Grace" },
        text: "hi",
        html: "",
        ranges: [[0, 2]],
        thread: true,
        replies: 0,
      },
    ],
    next: "c2",
    gap: null,
  });
  assert.equal(asked[0], "/api/search?q=from%3Agrace+hi&sort=relevance&limit=30&cursor=c1");
  const kept = await saved(api({ messages: [{ room: "lobby", at: "2026-11-24T00:00:00Z", message }], more: true }), "");
  assert.deepEqual([kept.hits[0]?.room, kept.next], ["lobby", "2026-11-24T00:00:00Z"]);
  const followed = await threads(
    api({
      threads: [{ room: "lobby", at: "x", root: { ...message, kind: "message", thread: undefined } }],
      more: false,
    }),
    "t",
  );
  assert.deepEqual([followed.hits[0]?.seq, followed.next, asked[2]], [4, "", "/api/me/threads?limit=30&before=t"]);
  const pages = [{ hits: [], cursor: "on" }, { hits: [{ room: "lobby", message, ranges: [] }] }];
  const later = new Api(async (url) => {
    asked.push(String(url));
    return new Response(JSON.stringify(pages.shift()));
  });
  assert.equal(
    (await search(later, { q: "hi", sort: "time", typing: true, cursor: "" })).hits.length,
    1,
    "an empty page is not the end",
  );
  assert.deepEqual(asked.slice(-2), [
    "/api/search?q=hi&sort=time&limit=30&typing=true",
    "/api/search?q=hi&sort=time&limit=30&typing=true&cursor=on",
  ]);
});

test("an incomplete answer says since when, unless that is less than 5 s ago", async () => {
  const now = Date.UTC(2026, 10, 23, 10);
  const until = (/** @type {number} */ ago) => new Date(now - ago).toISOString();
  const gapOf = async (/** @type {object[]} */ ...answers) => {
    const api = new Api(async () => new Response(JSON.stringify(answers.shift())));
    return (await search(api, { q: "hi", sort: "time", typing: false, cursor: "" }, now)).gap;
  };
  const none = { hits: [] };
  assert.equal(await gapOf({ ...none, complete: true }), null);
  assert.equal(await gapOf(none), null, "a server that does not say so");
  assert.equal(await gapOf({ ...none, complete: false, complete_until: until(2000) }), null);
  assert.deepEqual(await gapOf({ ...none, complete: false, complete_until: until(60_000) }), { since: now - 60_000 });
  assert.deepEqual(await gapOf({ ...none, complete: false }), { since: null });
  assert.deepEqual(await gapOf({ ...none, complete: false, complete_until: "soon" }), { since: null });
  assert.deepEqual(
    await gapOf({ ...none, cursor: "on", complete: false, complete_until: until(60_000) }, { ...none, complete: true }),
    { since: now - 60_000 },
    "of any of the pages",
  );
  assert.deepEqual(
    await gapOf({ ...none, cursor: "on", complete: true }, { ...none, complete: false }),
    { since: null },
    "of any of the pages",
  );
});
