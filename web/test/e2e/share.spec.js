import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, joined, told, visitor } from "./helper.js";

const server = await new Server().start();

/** Lets a page note what it copies, and answer for the server where others reach it.
 * @param {import("playwright-core").Page} page  @param {object} answer */
async function listening(page, answer) {
  await page.addInitScript(() => {
    Object.defineProperty(navigator, "clipboard", {
      value: { writeText: async (/** @type {string} */ text) => void Object.assign(globalThis, { copied: text }) },
    });
  });
  await page.route("**/api/link?*", (route) => route.fulfill({ json: answer }));
}

/** Waits until a page has copied a text. @param {import("playwright-core").Page} page  @param {string} text */
const copied = (page, text) =>
  page.waitForFunction(
    (text) => /** @type {{ copied: string }} */ (/** @type {unknown} */ (globalThis)).copied === text,
    text,
  );

test("from localhost one shares the address in the network, as a link and as a QR code", async () => {
  const { page, wrong } = await visitor(server, "Ada");
  const link = "http://192.168.1.20:8080/r/share";
  await listening(page, { link, qr: ["101", "010", "111"] });
  await page.goto(`${server.url}/r/share`);
  await joined(page);
  await page.getByRole("button", { name: "Share this room" }).first().click();
  const dialog = page.getByRole("dialog", { name: "Share share" });
  await dialog.getByText("It works for everybody on your network").waitFor();
  assert.equal(await dialog.getByLabel("Link to this room").inputValue(), link);
  const modules = dialog.getByRole("img", { name: "QR code of the link" }).locator("path");
  const drawn = "M4 4h1v1h-1zM6 4h1v1h-1zM5 5h1v1h-1zM4 6h1v1h-1zM5 6h1v1h-1zM6 6h1v1h-1z";
  assert.equal(await modules.getAttribute("d"), drawn);
  assert.equal(await dialog.getByRole("button", { name: "Send to…" }).count(), 0, "this browser shares nothing");
  await dialog.getByRole("button", { name: "Copy link" }).click();
  await told(page, /^Link copied$/);
  await copied(page, link);
  await page.evaluate(() => Object.assign(globalThis, { copied: "" }));
  await dialog.getByRole("button", { name: "Close" }).click();
  await dialog.waitFor({ state: "detached" });
  const list = page.getByRole("navigation", { name: "Rooms" });
  await list.getByRole("link", { name: "share" }).hover();
  await list.getByRole("button", { name: /share/ }).click();
  await page.getByRole("menuitem", { name: "Copy link" }).click();
  await copied(page, link);
  assert.deepEqual(wrong, []);
});

test("a link that only this machine can open says so, and has no QR code", async () => {
  const { page, wrong } = await visitor(server, "Ada");
  await page.goto(`${server.url}/r/alone`); // the server listens on the loopback address only
  await joined(page);
  await page.getByRole("button", { name: "Share this room" }).first().click();
  const dialog = page.getByRole("dialog", { name: "Share alone" });
  await dialog.getByText("It works on this machine only").waitFor();
  assert.equal(await dialog.getByRole("img").count(), 0);
  assert.equal(await dialog.getByLabel("Link to this room").inputValue(), `${server.url}/r/alone`);
  await page.goBack(); // as on a phone
  await dialog.waitFor({ state: "detached" });
  assert.equal(new URL(page.url()).pathname, "/r/alone");
  assert.deepEqual(wrong, []);
});

test("where the browser has a share sheet, the link can be sent to it; on plain HTTP there is none", async () => {
  for (const secure of [true, false]) {
    const at = secure ? server.url : server.url.replace("127.0.0.1", "parley.local");
    const { page, wrong } = await visitor(Object.assign(Object.create(server), { url: at }), null);
    await page.addInitScript(() => {
      const shared = /** @type {string[]} */ ([]);
      Object.assign(globalThis, { shared });
      if (isSecureContext)
        Object.assign(navigator, { share: async (/** @type {ShareData} */ { url }) => void shared.push(String(url)) });
    });
    await page.goto(`${at}/r/sheet`);
    await page.getByLabel("Your name").fill("Ada");
    await page.getByLabel("Your name").press("Enter");
    await joined(page);
    await page.getByRole("button", { name: "Share this room" }).first().click();
    const dialog = page.getByRole("dialog", { name: "Share sheet" });
    const send = dialog.getByRole("button", { name: "Send to…" });
    await dialog.getByRole("button", { name: "Copy link" }).waitFor();
    assert.equal(await send.count(), secure ? 1 : 0);
    if (secure) {
      await send.click();
      await page.waitForFunction(
        () => /** @type {{ shared: string[] }} */ (/** @type {unknown} */ (globalThis)).shared.length === 1,
      );
    } else {
      await dialog.getByRole("img", { name: "QR code of the link" }).waitFor();
      assert.equal(await dialog.getByLabel("Link to this room").inputValue(), `${at}/r/sheet`);
    }
    assert.deepEqual(wrong, []);
  }
});
