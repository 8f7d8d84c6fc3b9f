// The switcher and the list of shortcuts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, visitor } from "./helper.js";
import { settled } from "./room-list.js";

const server = await new Server().start();

test("the switcher finds rooms, people and actions by a few letters and the keyboard alone", async () => {
  const { page, wrong } = await settled(server, "Edda", ["s-garden", "s-office"]);
  await page.keyboard.press("Control+k");
  const field = page.getByRole("combobox", { name: "Go to…" });
  await field.waitFor();
  await page.keyboard.type("gar");
  const option = page.getByRole("option").first();
  assert.match((await option.textContent()) ?? "", /s-garden/);
  assert.equal(await field.getAttribute("aria-activedescendant"), await option.getAttribute("id"));
  await page.keyboard.press("ArrowDown");
  assert.equal(await option.getAttribute("aria-selected"), "false");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${server.url}/r/s-garden`);
  const guest = await visitor(server, "Zora");
  await guest.page.goto(`${server.url}/r/s-garden`);
  await page.locator(".people li", { hasText: "Zora" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("zora");
  await page.keyboard.press("Enter");
  assert.equal(await page.getByLabel("Your message").inputValue(), "@Zora ");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("theme dark");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Escape");
  await page.locator("#composer-field:focus").waitFor(); // the focus comes back
  assert.deepEqual(wrong, []);
});

test("the switcher has rooms with mentions and unread messages first, makes a room, and searches", async () => {
  const { page, wrong } = await settled(server, "Emma", ["m-old", "m-unread", "m-named", "m-muted", "m-new", "m-here"]);
  const grace = await server.session("Grace");
  const api = page.context().request;
  await api.put(`${server.url}/api/me/rooms/m-muted`, { data: { muted: true } });
  await server.say("m-named", grace, "for you, @Emma");
  await server.say("m-unread", grace, "some");
  await server.say("m-unread", grace, "news");
  await server.say("m-muted", grace, "quietly");
  const headers = { Authorization: `Bearer ${grace}` };
  await api.put(`${server.url}/api/rooms/m-old/topic`, { headers, data: { text: "Roses and tulips" } });
  await page.locator("room-list li[data-room=m-muted] .last", { hasText: "quietly" }).waitFor();
  await page.keyboard.press("Control+k");
  const options = page.getByRole("option");
  await options.first().waitFor();
  const shown = (await options.allTextContents()).slice(0, 5);
  assert.deepEqual(
    shown.map((text) => text.replace(/Roses.*/, "")),
    ["m-named@1 mention", "m-unread22 unread", "m-muted", "m-new", "m-old"],
  );
  await page.keyboard.type("tulips");
  assert.match((await options.first().textContent()) ?? "", /^m-old/, "the topic counts too");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("Tea & Cake!");
  await options.filter({ hasText: "Join or make \u2068tea-cake\u2069" }).waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL(`${server.url}/r/tea-cake`);
  await page.keyboard.press("Control+k");
  await page.keyboard.type("welcome to m");
  await options.filter({ hasText: "Search messages for" }).click();
  const field = page.getByRole("searchbox", { name: "Search" });
  await field.waitFor();
  assert.equal(await field.inputValue(), "welcome to m");
  assert.equal(await page.getByRole("checkbox", { name: "tea-cake" }).isChecked(), false, "in all rooms");
  assert.deepEqual(wrong, []);
});

test("? opens the list of shortcuts, but not in the composer", async () => {
  const { page } = await settled(server, "Gitta", ["keys"]);
  await page.getByLabel("Your message").press("?");
  assert.equal(await page.getByLabel("Your message").inputValue(), "?");
  await page.locator(".log").focus();
  await page.keyboard.press("?");
  const sheet = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await sheet.getByText("Mark everything as read").waitFor();
  assert.ok((await sheet.locator("dt").count()) >= 13);
});
