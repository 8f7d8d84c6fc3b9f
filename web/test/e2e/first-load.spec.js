// The first load: what a browser with an empty cache asks for until it shows a room with all that belongs to it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, joined, visitor } from "./helper.js";
import { field, message } from "./people.js";
import { counting } from "./requests.js";

const MAX_REQUESTS = 15;
const MAX_BYTES = 110_000;

const server = await new Server().start();

for (const { who, name, room } of [
  { who: "somebody whom the server knows", name: "Ada", room: "first-load" },
  { who: "a newcomer", name: null, room: "first-visit" },
]) {
  test(`${who} is in a room after at most ${MAX_REQUESTS} requests and ${MAX_BYTES} bytes`, async (t) => {
    await server.fill(room, 100);
    const { page, wrong } = await visitor(server, name);
    const requests = await counting(page);
    await page.goto(`${server.url}/r/${room}`);
    if (name === null) {
      await page.getByLabel("Your name").fill("Bea");
      await page.keyboard.press("Enter");
    }
    await field(page).waitFor();
    await message(page, 100).waitFor();
    await joined(page);
    await page.waitForLoadState("networkidle");
    const all = [...requests.values()];
    const bytes = all.reduce((sum, r) => sum + r.bytes, 0);
    const lines = all.map((r) => `${String(r.bytes).padStart(7)} ${r.url}`).join("\n");
    t.diagnostic(`${all.length} requests, ${bytes} bytes\n${lines}`);
    assert.ok(all.some((r) => r.url.startsWith("ws:")) && bytes > 20_000, lines);
    assert.ok(all.length <= MAX_REQUESTS, lines);
    assert.ok(bytes <= MAX_BYTES, lines);
    assert.deepEqual(wrong, []);
  });
}
