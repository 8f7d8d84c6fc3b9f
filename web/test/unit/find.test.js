// Finding one's way: addresses, shortcuts, the letters of the switcher, what a search has found.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Api } from "../../js/wire/api.js";
import { saved, search, threads } from "../../js/find/find-api.js";
import { best, match } from "../../js/find/fuzzy.js";
import { formatAddress, isPlain, parseAddress } from "../../js/ui/address.js";
import { SHORTCUTS, actionOf, keysOf } from "../../js/shell/shortcuts.js";
import { snippet } from "../../js/find/snippet.js";

test("an address names the front page, a room, a message in it, or nothing", () => {
  const at = (/** @type {string} */ pathname, hash = "") => parseAddress({ pathname, hash });
  assert.deepEqual(at("/"), { at: "front" });
  assert.deepEqual(at("/r/lobby/", "#42"), { at: "room", name: "lobby", seq: 42 });
  assert.deepEqual(at("/r/stra%C3%9Fe", "#-1"), { at: "room", name: "straße", seq: null });
  assert.deepEqual(at("/r/%ff"), { at: "room", name: "%ff", seq: null });
  assert.deepEqual(at("/r/a/b"), { at: "nowhere" });
  assert.equal(formatAddress("straße", 3), "/r/stra%C3%9Fe#3");
  assert.deepEqual(["lobby", "a.b-c_9", "Lobby", "straße", "..", ".", "-", "a".repeat(65)].map(isPlain), [true, true, false, false, false, false, true, false]);
});

/** @param {string} keys such as "Ctrl+Shift+f" */
function press(keys) {
  const parts = keys.split("+");
  return { key: parts.at(-1) ?? "", ctrlKey: parts.includes("Ctrl"), metaKey: parts.includes("Meta"), shiftKey: parts.includes("Shift"), altKey: parts.includes("Alt") };
}

test("shortcuts: one table, without clashes; a bare key does nothing to somebody who writes", () => {
  const does = (/** @type {string} */ keys, where = { writing: false, apple: false }) => actionOf(press(keys), where);
  assert.deepEqual(["Ctrl+k", "Ctrl+Shift+F", "Alt+ArrowUp", "Alt+Shift+ArrowDown", "Shift+Escape", "Ctrl+,", "?", "Shift+?"].map((k) => does(k)), ["switcher", "search", "previous", "next-unread", "read", "settings", "shortcuts", "shortcuts"]);
  assert.deepEqual(["k", "Ctrl+f", "Ctrl+Alt+k", "Meta+k", "Escape", "ArrowUp", "Ctrl+Shift+k"].map((k) => does(k)), Array(7).fill(null));
  assert.equal(does("Meta+k", { writing: false, apple: true }), "switcher");
  assert.equal(does("Ctrl+k", { writing: false, apple: true }), null);
  assert.deepEqual(["?", "Ctrl+k", "Alt+ArrowUp"].map((k) => does(k, { writing: true, apple: false })), [null, "switcher", "previous"]);
  const seen = SHORTCUTS.map((s) => keysOf(s, false).join("+"));
  assert.equal(new Set(seen).size, seen.length);
  assert.deepEqual(keysOf(SHORTCUTS[0] ?? { does: "switcher", key: "", says: "keys.switcher" }, true), ["⌘", "K"]);
});

test("a few letters in their order mean a name; at the start of words they mean it more", () => {
  assert.equal(match("xyz", "lobby"), null);
  assert.equal(match("yb", "lobby"), null, "not in this order");
  const names = ["garden", "dragon-review", "design-review", "ops", "straße", "Ärger", "orchestra"];
  const found = (/** @type {string} */ letters) => best(names, letters, (n) => n, 3);
  assert.equal(found("dr")[0], "dragon-review");
  assert.equal(found("der")[0], "design-review", "at the starts of its words, though dragon-review has the letters too");
  assert.deepEqual(found("arg").slice(0, 1), ["Ärger"], "without its accent");
  assert.deepEqual(found("stra").slice(0, 2), ["straße", "orchestra"]);
  assert.deepEqual(found(""), names.slice(0, 3));
  assert.deepEqual(found("o p s"), ["ops"]);
});

test("of a found message the part around the hit is shown, by code points", () => {
  const joined = (/** @type {ReturnType<typeof snippet>} */ pieces) => pieces.map((p) => (p.hit ? `[${p.text}]` : p.text)).join("");
  assert.equal(joined(snippet("😀 a compiler\nhere", [[4, 12]])), "😀 a [compiler] here");
  assert.equal(joined(snippet("aa bb", [[3, 5], [0, 2], [1, 2], [9, 12], [4, 4]])), "[aa] [bb]", "in order, once, within the text");
  const long = `${"word ".repeat(100)}target${" word".repeat(100)}`;
  const shown = snippet(long, [[500, 506]]);
  assert.equal(shown.find((p) => p.hit)?.text, "target");
  assert.ok([...joined(shown)].length <= 165 && joined(shown).startsWith("…") && joined(shown).endsWith("…"));
  assert.equal(joined(snippet("no ranges", [])), "no ranges");
});

test("what is found comes a page at a time, each with where the next begins", async () => {
  const asked = /** @type {string[]} */ ([]);
  const api = (/** @type {unknown} */ body) => new Api(async (url) => {
    asked.push(String(url));
    return new Response(JSON.stringify(body));
  });
  const message = { seq: 4, at: "2026-11-23T09:41:05.123Z", kind: "reply", thread: 2, from: { id: "g", name: "Grace" }, text: "hi" };
  const hits = await search(api({ hits: [{ room: "lobby", message, ranges: [[0, 2], "x"] }, null], cursor: "c2" }), { q: "from:grace hi", sort: "relevance", typing: false, cursor: "c1" });
  assert.deepEqual(hits, { hits: [{ room: "lobby", seq: 4, at: Date.UTC(2026, 10, 23, 9, 41, 5, 123), from: { id: "g", name: "Grace" }, text: "hi", ranges: [[0, 2]] }], next: "c2", gap: null });
  assert.equal(asked[0], "/api/search?q=from%3Agrace+hi&sort=relevance&limit=30&cursor=c1");
  const kept = await saved(api({ messages: [{ room: "lobby", at: "2026-11-24T00:00:00Z", message }], more: true }), "");
  assert.deepEqual([kept.hits[0]?.room, kept.next], ["lobby", "2026-11-24T00:00:00Z"]);
  const followed = await threads(api({ threads: [{ room: "lobby", at: "x", root: { ...message, kind: "message", thread: undefined } }], more: false }), "t");
  assert.deepEqual([followed.hits[0]?.seq, followed.next, asked[2]], [4, "", "/api/me/threads?limit=30&before=t"]);
  const pages = [{ hits: [], cursor: "on" }, { hits: [{ room: "lobby", message, ranges: [] }] }];
  const later = new Api(async (url) => {
    asked.push(String(url));
    return new Response(JSON.stringify(pages.shift()));
  });
  assert.equal((await search(later, { q: "hi", sort: "time", typing: true, cursor: "" })).hits.length, 1, "an empty page is not the end");
  assert.deepEqual(asked.slice(-2), ["/api/search?q=hi&sort=time&limit=30&typing=true", "/api/search?q=hi&sort=time&limit=30&typing=true&cursor=on"]);
});

test("an answer that is not whole says since when, unless that is a moment ago", async () => {
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
  assert.deepEqual(await gapOf({ ...none, cursor: "on", complete: false, complete_until: until(60_000) }, { ...none, complete: true }), { since: now - 60_000 }, "of any of the pages");
  assert.deepEqual(await gapOf({ ...none, cursor: "on", complete: true }, { ...none, complete: false }), { since: null }, "of any of the pages");
});
