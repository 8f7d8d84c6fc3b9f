// The page without a network: it starts from what the browser holds, and holds nothing that was deleted.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Balancer } from "./balancer.js";
import { Server, assertShown, joined, row, visitor, write } from "./helper.js";
import { field, message } from "./people.js";
import { entry } from "./room-list.js";
import { laterVersion } from "./server.js";

/** @import { Page } from "playwright-core" */

const ALLOWED = /** @type {const} */ ({ serviceWorkers: "allow" });

/** Waits until the page can start without a network. @param {Page} page */
const installed = (page) => page.waitForFunction(() => navigator.serviceWorker.controller?.state === "activated");

/** Waits until the browser holds these texts of a room, and no other.
 * @param {Page} page  @param {string} room  @param {readonly string[]} texts */
async function holds(page, room, texts) {
  await eventually(
    page,
    async ({ item, texts }) => {
      const answer = await (await caches.open("offline copy")).match(`/offline/${encodeURIComponent(item)}`);
      const copy = /** @type {{ messages: { text: string }[] } | undefined} */ (await answer?.json());
      return JSON.stringify(copy?.messages.map((m) => m.text) ?? null) === JSON.stringify(texts);
    },
    { item: `room ${room}`, texts },
  );
}

/** Waits until a promise of the page resolves to true: page.waitForFunction() does not wait for promises.
 * @template A  @param {Page} page  @param {(arg: A) => Promise<boolean>} is  @param {A} arg */
async function eventually(page, is, arg) {
  const until = Date.now() + 60_000;
  while (!(await page.evaluate(/** @type {(arg: unknown) => Promise<boolean>} */ (is), arg))) {
    assert.ok(Date.now() < until, String(is));
    await page.evaluate(() => new Promise((then) => requestAnimationFrame(then)));
  }
}

test("without a network a reload shows the rooms read last, and what is written is sent later", async () => {
  const server = await new Server().start();
  const grace = await server.session("Grace");
  const { page, wrong } = await visitor(server, "Ada", ALLOWED);
  for (const room of ["offline-garden", "offline-office"]) {
    await server.say(room, grace, `kept in ${room}`);
    await page.goto(`${server.url}/r/${room}`);
    await row(page, `kept in ${room}`).waitFor();
    await holds(page, room, [`kept in ${room}`]);
  }
  await installed(page);
  await server.kill();
  await page.reload();
  await assertShown(page, ["kept in offline-office"]);
  await write(page, "written without a network");
  await row(page, "written without a network").waitFor();
  await entry(page, "offline-garden").getByRole("link").click();
  await row(page, "kept in offline-garden").waitFor();
  await page.reload();
  await row(page, "kept in offline-garden").waitFor();
  await page.getByRole("button", { name: /settings/ }).first().click(); // late parts are there, too
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await entry(page, "offline-office").getByRole("link").click();
  await row(page, "written without a network").waitFor();
  await server.start();
  await joined(page);
  await page.locator(".pending").waitFor({ state: "detached" });
  assert.deepEqual(await server.texts("offline-office"), ["kept in offline-office", "written without a network"]);
  assert.deepEqual(wrong, []);
});

test("what was deleted meanwhile is not held any more as soon as the page is online", async () => {
  const server = await new Server().start();
  const grace = await server.session("Grace");
  const network = await new Balancer().start(server);
  const { page, wrong } = await visitor(network, "Ada", ALLOWED);
  for (const room of ["deleted-here", "deleted-there"]) {
    await server.say(room, grace, "a secret");
    await server.say(room, grace, "no secret");
    await page.goto(`${network.url}/r/${room}`);
    await row(page, "no secret").waitFor();
    await holds(page, room, ["a secret", "no secret"]);
  }
  await installed(page);
  await page.goto(`${network.url}/api/openapi.json`); // away from the rooms
  network.cut();
  for (const room of ["deleted-here", "deleted-there"]) await server.remove(room, 1, grace);
  await page.goto(`${network.url}/r/deleted-here`);
  await row(page, /^a secret$/).waitFor(); // nobody can have told the browser
  network.server = server;
  await row(page, /^a secret$/).waitFor({ state: "detached" });
  await row(page, "no secret").waitFor();
  await holds(page, "deleted-there", ["", "no secret"]);
  await holds(page, "deleted-here", ["", "no secret"]);
  assert.deepEqual(wrong, []);
});

test("after an upgrade the browser shows the new page, though it holds the old one", async () => {
  const later = laterVersion("web/js/lang/en.js", '"settings.title": "Settings"', '"settings.title": "Later settings"');
  const server = await new Server().start();
  const { page, wrong } = await visitor(server, "Ada", ALLOWED);
  await page.goto(`${server.url}/r/offline-upgrade`);
  await joined(page);
  await installed(page);
  const build = () => page.locator("meta[name=build]").getAttribute("content");
  const before = await build();
  await page.goto(`${server.url}/api/openapi.json`);
  await server.stop();
  server.program = later;
  await server.start();
  await page.goto(`${server.url}/r/offline-upgrade`);
  const after = await build();
  assert.notEqual(after, before);
  await joined(page);
  // The new page's worker takes over, and then starts the new page without a network.
  await eventually(page, async (name) => (await (await caches.open(`build ${name}`)).match("/")) !== undefined, after);
  await eventually(
    page,
    async () => {
      const registration = await navigator.serviceWorker.getRegistration();
      return !registration?.installing && !registration?.waiting && registration?.active?.state === "activated";
    },
    null,
  );
  await server.kill();
  await page.reload();
  await field(page).waitFor();
  assert.equal(await build(), after);
  assert.deepEqual(wrong, []);
});

test("signing out leaves nothing of the rooms in the browser", async () => {
  const server = await new Server().start();
  const { page, context, wrong } = await visitor(server, "Ada", ALLOWED);
  await page.goto(`${server.url}/r/offline-signed-out`);
  await joined(page);
  await write(page, "for me alone");
  await message(page, 1).waitFor();
  await holds(page, "offline-signed-out", ["for me alone"]);
  await context.request.delete(`${server.url}/api/session`);
  await page.getByRole("dialog", { name: "You have been signed out" }).waitFor();
  await eventually(page, async () => !(await caches.has("offline copy")), null);
  assert.deepEqual(wrong, []);
});

test("on plain http in a network there is no worker and no copy, and nothing complains", async () => {
  const server = await new Server().start();
  const url = server.url.replace("127.0.0.1", "parley.local");
  const { page, wrong } = await visitor({ url }, null, ALLOWED);
  await page.goto(`${url}/r/offline-plain`);
  await page.getByLabel("Your name").fill("Ada");
  await page.keyboard.press("Enter");
  await joined(page);
  await page.waitForFunction(() =>
    performance.getEntriesByType("resource").some((r) => r.name.includes("/room-menu-")),
  );
  assert.deepEqual(await page.evaluate(() => ["serviceWorker" in navigator, "caches" in globalThis]), [false, false]);
  assert.deepEqual(wrong, []);
});
