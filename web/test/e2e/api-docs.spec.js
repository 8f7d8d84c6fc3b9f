// The page that describes the REST interface: readable in every theme, without a request to anywhere, with a way back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PHONE, assertAccessible } from "./axe.js";
import { Server, visitor } from "./helper.js";

/** @import { BrowserContextOptions } from "playwright-core" */

const server = await new Server().start();

/** @type {[string, BrowserContextOptions][]} */
const LOOKS = [
  ["light", {}],
  ["dark", { colorScheme: "dark" }],
  ["light contrast", { contrast: "more" }],
  ["dark contrast, phone", { colorScheme: "dark", contrast: "more", ...PHONE }],
];

for (const [look, options] of LOOKS)
  test(`the description of the API is readable: ${look}`, async () => {
    const { page, wrong } = await visitor(server, null, options);
    const requests = /** @type {string[]} */ ([]);
    page.on("request", (request) => requests.push(request.url()));
    const docs = `${server.url}/api/docs`;
    await page.goto(docs);
    assert.deepEqual(requests, [docs]);
    await assertAccessible(page, "API", look === "light" ? "all" : "colours");
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
    if (options.isMobile) await page.getByText("Contents").click();
    await page.getByRole("link", { name: "PUT /api/rooms/{room}/topic", exact: true }).click();
    await page.getByRole("heading", { name: /^PUT \/api\/rooms\/\{room\}\/topic/ }).waitFor();
    await page.getByRole("link", { name: "Back to the rooms" }).click();
    await page.getByRole("heading", { name: "Parley", exact: true }).waitFor();
    assert.deepEqual(wrong, []);
  });
