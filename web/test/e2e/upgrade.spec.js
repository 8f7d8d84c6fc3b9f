// A new version of the server while pages are open.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Balancer } from "./balancer.js";
import { Server, assertReading, forget, joined, reading, row, told, visitor, write } from "./helper.js";
import { field, message } from "./people.js";
import { laterVersion } from "./server.js";

/** @import { Page } from "playwright-core" */

const later = laterVersion("web/js/lang/en.js", '"settings.title": "Settings"', '"settings.title": "Later settings"');

/** Starts a server whose next version is another program. */
async function startOld() {
  const server = await new Server().start();
  return {
    server,
    upgrade: async () => {
      await server.stop();
      server.program = later;
      await server.start();
    },
  };
}

/** @param {Page} page */
const buildOf = (page) => page.locator("meta[name=build]").getAttribute("content");

/** Waits until the page is of another build, and returns how often it was loaded until then.
 * @param {Page} page  @param {string | null} before */
async function upgraded(page, before) {
  await page.waitForFunction(
    (build) => {
      const now = document.querySelector("meta[name=build]")?.getAttribute("content");
      return now && now !== build;
    },
    before,
  );
  await joined(page);
}

/** Counts how often a page is loaded from now on. @param {Page} page */
function counting(page) {
  const count = { loads: 0 };
  page.on("domcontentloaded", () => count.loads++);
  return count;
}

test("an upgrade loads a page again at the same place, once, and what was written meanwhile is sent once", async () => {
  const { server, upgrade } = await startOld();
  await server.fill("upgrade", 60);
  const { page, wrong } = await visitor(server, "Ada");
  await page.goto(`${server.url}/r/upgrade`);
  await joined(page);
  const before = await buildOf(page);
  const count = counting(page);
  await server.stop();
  await told(page, /Reconnecting/);
  await write(page, "written while there is no server");
  await row(page, "written while there is no server").waitFor();
  await message(page, 20).scrollIntoViewIfNeeded();
  const place = await reading(page);
  await upgrade();
  await upgraded(page, before);
  await row(page, "written while there is no server").waitFor({ state: "attached" });
  await page.locator(".pending").waitFor({ state: "detached" });
  await assertReading(page, place, "after the upgrade");
  assert.equal(count.loads, 1);
  assert.equal((await server.texts("upgrade")).filter((t) => t === "written while there is no server").length, 1);
  assert.deepEqual(wrong, []);
});

test("a page on which something is written is left alone and offers to load itself; the draft is kept", async () => {
  const { server, upgrade } = await startOld();
  const { page, wrong } = await visitor(server, "Ada");
  await page.goto(`${server.url}/r/upgrade`);
  await joined(page);
  const before = await buildOf(page);
  const count = counting(page);
  await field(page).fill("half a thought");
  await upgrade();
  const notice = page.getByRole("group", { name: "Parley has been updated." });
  await notice.waitFor();
  assert.equal(await buildOf(page), before);
  assert.equal(await field(page).inputValue(), "half a thought");
  assert.equal(count.loads, 0);
  await notice.getByRole("button", { name: "Reload" }).click();
  await upgraded(page, before);
  assert.equal(await field(page).inputValue(), "half a thought");
  assert.equal(await notice.count(), 0);
  assert.deepEqual(wrong, []);
});

test("a part that an old page lacks after an upgrade: it says so and is there after the page was loaded", async () => {
  const { server, upgrade } = await startOld();
  const { page, wrong } = await visitor(server, "Ada");
  await page.goto(`${server.url}/r/upgrade`);
  await joined(page);
  const before = await buildOf(page);
  await page.routeWebSocket(/\/ws$/, () => undefined); // hello is not answered: nothing announces the build
  await upgrade();
  await field(page).fill("half a thought");
  await page.getByRole("button", { name: /settings/ }).click();
  const notice = page.getByRole("group", { name: "Parley has been updated." });
  await notice.waitFor();
  assert.equal(await page.getByText("does not answer").count(), 0);
  await page.unrouteAll();
  await notice.getByRole("button", { name: "Reload" }).click();
  await page.waitForFunction((b) => document.querySelector("meta[name=build]")?.getAttribute("content") !== b, before);
  await field(page).waitFor();
  assert.equal(await field(page).inputValue(), "half a thought");
  await page.getByRole("button", { name: /settings/ }).click();
  await page.getByRole("dialog").getByText("Later settings").waitFor();
  assert.deepEqual(wrong, []);
});

test("a server that announces a build which no server serves does not make the page load itself", async () => {
  const { server } = await startOld();
  const { page, wrong } = await visitor(server, "Ada");
  let hellos = 0;
  await page.routeWebSocket(/\/ws$/, (ws) => {
    const upstream = ws.connectToServer();
    upstream.onMessage((m) => {
      const frame = JSON.parse(String(m));
      if (frame.build) hellos++;
      ws.send(frame.build ? JSON.stringify({ ...frame, build: `other${hellos}` }) : m);
    });
  });
  let asked = 0;
  await page.route(`${server.url}/`, (route) => {
    asked++;
    return route.continue();
  });
  await page.goto(`${server.url}/r/upgrade`);
  await joined(page);
  const count = counting(page);
  const served = page.waitForResponse(`${server.url}/`);
  await (await served).finished();
  await write(page, "still here");
  await message(page, 1).waitFor();
  assert.equal(count.loads, 0);
  assert.ok(hellos > 0 && asked > 0);
  assert.deepEqual(wrong, []);
});

test("between servers of two builds a page becomes the later one once, and never goes back", async () => {
  const one = await new Server().start();
  const two = new Server();
  two.program = later;
  await two.start();
  const network = await new Balancer().start(one);
  const { page, wrong } = await visitor(network, "Ada");
  await page.goto(`${network.url}/r/upgrade`);
  await joined(page);
  const before = await buildOf(page);
  const count = counting(page);
  const move = (/** @type {Server} */ server) => {
    network.cut();
    network.server = server;
  };
  move(two);
  await upgraded(page, before);
  const after = await buildOf(page);
  for (const server of [one, two, one]) {
    await forget(page);
    const hello = page.waitForEvent("websocket").then((ws) => ws.waitForEvent("framereceived"));
    move(server);
    await hello;
    await told(page, "Back online");
  }
  assert.equal(await buildOf(page), after);
  assert.equal(count.loads, 1);
  assert.deepEqual(wrong, []);
});
