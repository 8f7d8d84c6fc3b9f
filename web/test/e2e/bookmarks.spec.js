// Bookmarks and forwarded messages.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertAccessible } from "./axe.js";
import { Server, joined, told } from "./helper.js";
import { enter, meet, message, openMenu, press, said } from "./people.js";
import { settled } from "./room-list.js";

const server = await new Server().start();

test("a bookmark is listed in the panel, links to its message, and is removed from there", async () => {
  const [ada] = await meet(server, "saved", "Ada");
  assert.ok(ada);
  const { page } = ada;
  await said(page, "worth keeping", 1);
  for (let i = 2; i <= 40; i++) await server.say("saved", await server.session("Filler"), `line ${i}`);
  await message(page, 40).waitFor();
  await press(message(page, 1), "s");
  await told(page, "Saved");
  await page.keyboard.press("Escape"); // to the newest
  await page.getByRole("button", { name: "Saved", exact: true }).click();
  const hit = page.locator(".saved .hits li");
  await hit.getByText("worth keeping").waitFor();
  await hit.getByRole("link").click();
  await message(page, 1).and(page.locator(".linked")).waitFor();
  const known = page.waitForResponse(/\/api\/me\/saved/);
  await page.reload(); // the server knows it
  await (await known).finished();
  await joined(page);
  for (const [now, then, says] of [
    ["Remove from saved", "Save for later", "Removed from saved"],
    ["Save for later", "Remove from saved", "Saved"],
  ]) {
    await openMenu(page, 1, now ?? "");
    await page.getByRole("menuitem", { name: now }).click();
    await told(page, says ?? "");
    await openMenu(page, 1, then ?? "");
    await page.keyboard.press("Escape");
  }
  await press(message(page, 1), "s");
  await told(page, "Removed from saved");
  await page.getByRole("button", { name: "Saved", exact: true }).click();
  await page.getByText("Nothing saved yet").waitFor();
  assert.deepEqual(ada.wrong, []);
});

test("the panel of bookmarks opens with one tap, and a message of another room with the next", async () => {
  const { page, context, wrong } = await settled(server, "Jutta", ["keep", "keep-else"]);
  await context.request.put(`${server.url}/api/me/saved/keep/1`);
  await page.getByRole("button", { name: "Saved" }).click();
  const hit = page.locator(".saved .hits li", { hasText: "welcome to keep" });
  await hit.getByRole("link").click();
  await page.waitForURL(`${server.url}/r/keep#1`);
  await page.locator("[data-seq='1'].linked").waitFor();
  await page.getByRole("button", { name: "Threads" }).click();
  await page.getByText("No threads yet").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("side-panel.people").waitFor(); // who is here again
  assert.deepEqual(wrong, []);
});

test("a forwarded message names its author and not the room it comes from", async () => {
  const [ada] = await meet(server, "elsewhere", "Ada");
  assert.ok(ada);
  await ada.page.goto(`${server.url}/r/forward`);
  await joined(ada.page);
  const grace = await enter(server, "elsewhere", "Grace");
  await said(ada.page, "worth repeating", 1);
  await message(ada.page, 1).focus();
  await ada.page.keyboard.press("Enter");
  await ada.page.getByRole("menuitem", { name: "Forward…" }).click();
  const dialog = ada.page.getByRole("dialog", { name: "Forward to a room" });
  await dialog.waitFor();
  await assertAccessible(ada.page, "forward");
  await dialog.getByRole("button", { name: "elsewhere" }).click();
  await told(ada.page, /Forwarded to .*elsewhere/);
  await message(grace.page, 1).getByText("worth repeating").waitFor();
  await message(grace.page, 1)
    .getByText(/^Forwarded: Ada, /)
    .waitFor();
  await press(message(ada.page, 1), "Enter");
  await ada.page.getByRole("menuitem", { name: "Forward…" }).click();
  await dialog.getByLabel("Room").fill("!?");
  await dialog.getByRole("button", { name: "Forward", exact: true }).click();
  await told(ada.page, /name/);
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});
