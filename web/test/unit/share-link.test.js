import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoopback, linkFor } from "../../js/ui/share-link.js";
import { Api } from "../../js/wire/api.js";

test("a host that leads every machine to itself is known as such", () => {
  for (const name of ["localhost", "parley.localhost", "127.0.0.1", "127.1.2.3", "[::1]", "0.0.0.0"])
    assert.ok(isLoopback(name), name);
  for (const name of ["192.168.1.20", "localhost.example.org", "127.example.org", "chat.example.org", "parley.local"])
    assert.ok(!isLoopback(name), name);
});

test("a link from localhost has the address that others reach; any other stays", async () => {
  /** @type {string[]} */
  const asked = [];
  const api = new Api(async (url) => {
    asked.push(String(url));
    return new Response(JSON.stringify({ link: "http://192.168.1.20:8080/r/lobby#7", qr: ["1", 2] }));
  });
  const at = (/** @type {string} */ origin) => new URL(origin);
  assert.equal(await linkFor(api, "/r/lobby#7", at("https://chat.example.org")), "https://chat.example.org/r/lobby#7");
  assert.deepEqual(asked, []);
  assert.equal(await linkFor(api, "/r/lobby#7", at("http://localhost:8080")), "http://192.168.1.20:8080/r/lobby#7");
  assert.deepEqual(asked, ["/api/link?to=http%3A%2F%2Flocalhost%3A8080%2Fr%2Flobby%237"]);
  assert.deepEqual((await api.link("x")).qr, ["1"]);
  const silent = new Api(() => Promise.reject(new TypeError("network")));
  assert.equal(await linkFor(silent, "/r/lobby", at("http://[::1]:8080")), "http://[::1]:8080/r/lobby");
});
