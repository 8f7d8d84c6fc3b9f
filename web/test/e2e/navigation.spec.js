// Changing rooms: the page, the connection and the scroll position stay.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PHONE } from "./axe.js";
import { Server, assertReading, joined, reading, row, visitor, write } from "./helper.js";
import { entry } from "./room-list.js";

/** @import { BrowserContextOptions, Page } from "playwright-core" */

const server = await new Server().start();

test("changing rooms keeps the page, the connection, the draft and the scroll position", async () => {
  await server.fill("far", 120);
  const person = await visitor(server, "Ada");
  const { page, wrong } = person;
  let sockets = 0;
  page.on("websocket", () => sockets++);
  await page.goto(`${server.url}/r/far`);
  await page.locator("[data-seq='120']").waitFor();
  await joined(page);
  await page.evaluate(() => Object.assign(window, { same: true }));
  await page.getByLabel("Your message").fill("half a th");
  await page.locator(".log").hover();
  await page.mouse.wheel(0, -1500);
  await page.getByRole("button", { name: "Jump to newest" }).waitFor();
  const before = await reading(page); // the wheel comes to rest

  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").waitFor();
  await page.keyboard.type("second-room");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${server.url}/r/second-room`);
  await page.getByText("Nobody has written here yet").waitFor();
  assert.equal(await page.getByLabel("Your message").inputValue(), "");
  await write(page, "hello here");
  await row(page, "hello here").waitFor();
  await page.waitForFunction(() => document.title === "second-room – Parley");

  await page.goBack();
  await page.locator("[data-seq='60'], [data-seq='100']").first().waitFor({ state: "attached" });
  await assertReading(page, before, "back in the room");
  assert.equal(await page.getByLabel("Your message").inputValue(), "half a th");
  await page.goForward();
  await row(page, "hello here").waitFor();
  await entry(page, "far").getByRole("link").click();
  await page.waitForURL(`${server.url}/r/far`);
  await joined(page);
  await page.evaluate(() => {
    location.hash = "#5";
  });
  await page.locator("[data-seq='5'].linked").waitFor();
  assert.equal(await page.evaluate(() => "same" in window), true, "the page was never loaded again");
  assert.equal(sockets, 1);
  assert.deepEqual(wrong, []);
});

for (const [
  what,
  options,
  change,
] of /** @type {[string, BrowserContextOptions, (page: Page) => Promise<unknown>][]} */ ([
  ["as it was", {}, async () => {}],
  ["in a narrower window", {}, (page) => page.setViewportSize({ width: 1000, height: 600 })],
  ["on a turned phone", PHONE, (page) => page.setViewportSize({ width: 844, height: 390 })],
  ["with larger letters", {}, (page) => page.addStyleTag({ content: ".message .body { font-size: 150%; }" })],
  ["with wider letters, which come late", {}, async () => {}],
])) {
  test(`going back to a room restores the scroll position: ${what}`, async () => {
    const room = `back-${what.replace(/\W+/g, "-")}`;
    await server.fill(room, 60);
    const { page, wrong } = await visitor(server, "Ada", { ...options, bypassCSP: true }); // the tests' own style
    await page.goto(`${server.url}/r/${room}`);
    await page.locator("[data-seq='60']").waitFor();
    await joined(page);
    const reach = await page.locator("[data-seq='60']").evaluate((r) => r.getBoundingClientRect().bottom);
    await page.locator("room-view .log").evaluate((log) => log.scrollBy(0, -900));
    await page.waitForFunction(
      (at) => (document.querySelector("[data-seq='60']")?.getBoundingClientRect().bottom ?? 0) > at + 800,
      reach,
    );
    const before = await reading(page);
    await page.evaluate(() =>
      document.querySelector("app-shell")?.dispatchEvent(new CustomEvent("parley:go", { detail: "/r/elsewhere" })),
    );
    await page.getByText("Nobody has written here yet").waitFor();
    await change(page);
    await page.goBack();
    await page.locator(`[data-seq='${before.seq}']`).waitFor({ state: "attached" });
    if (what.includes("late"))
      await page.evaluate(() => document.documentElement.style.setProperty("letter-spacing", "2px"));
    await assertReading(page, before, what);
    assert.deepEqual(wrong, []);
  });
}
