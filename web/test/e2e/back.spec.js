// Back and Escape close what lies above the page, the topmost first, before Back leaves the room.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PHONE } from "./axe.js";
import { Server, drawn, joined } from "./helper.js";
import { message, press } from "./people.js";
import { settled } from "./room-list.js";

/** @import { Page } from "playwright-core" */

const server = await new Server().start();

/** What can lie above the room: how it is opened, and what is seen of it.
 * @type {Record<string, { open: (page: Page) => Promise<unknown>, seen: string }>} */
const LAYERS = {
  drawer: { open: (page) => page.getByRole("button", { name: /^Rooms/ }).tap(), seen: ".rooms:popover-open" },
  panel: { open: (page) => page.keyboard.press("Control+Shift+F"), seen: "side-panel:not([hidden])" },
  dialog: { open: (page) => page.keyboard.press("Control+,"), seen: "dialog.settings[open]" },
  menu: { open: (page) => press(message(page, 1), "Enter"), seen: "main > .float .menu" },
  thread: { open: (page) => press(message(page, 1), "t"), seen: "thread-panel" },
  "room menu": { open: (page) => page.locator("room-list .more").first().tap(), seen: ".rooms .float .menu" },
  "menu in the thread": {
    open: (page) => press(page.locator("thread-panel .message").first(), "Enter"),
    seen: "side-panel > .float .menu",
  },
};

/** Opens one of LAYERS and waits until it is seen. @param {Page} page  @param {string} name */
async function open(page, name) {
  await LAYERS[name]?.open(page);
  await page.locator(LAYERS[name]?.seen ?? "").waitFor();
}

/** Waits until exactly these are open. @param {Page} page  @param {readonly string[]} names */
async function assertOpen(page, names) {
  const open = new Set(names.map((name) => LAYERS[name]?.seen));
  if (names.includes("thread")) open.add(LAYERS["panel"]?.seen);
  for (const { seen } of Object.values(LAYERS))
    await page.locator(seen).waitFor({ state: open.has(seen) ? "visible" : "hidden" });
}

/** Waits until the history has an entry for each of n layers. @param {Page} page  @param {number} n */
const entries = (page, n) => page.waitForFunction((n) => (history.state?.layer ?? 0) === n, n);

/** Somebody on a phone in the second of two rooms. @param {string} name  @param {string} rooms */
async function onPhone(name, rooms) {
  const person = await settled(server, name, [`${rooms}-a`, `${rooms}-b`], PHONE);
  const left = () => person.page.waitForURL(`${server.url}/r/${rooms}-a`);
  return { ...person, left };
}

for (const name of ["drawer", "panel", "thread", "dialog", "menu"]) {
  test(`Back closes the ${name}, then leaves; Escape closes it and leaves no entry`, async () => {
    const { page, wrong, left } = await onPhone("Ada", `one-${name}`);
    const here = page.url();
    await open(page, name);
    await entries(page, 1);
    await page.goBack();
    await assertOpen(page, []);
    assert.equal(page.url(), here);
    for (let i = 0; i < 3; i++) {
      await open(page, name);
      await page.keyboard.press("Escape");
      await assertOpen(page, []);
      await entries(page, 0);
    }
    await page.goBack();
    await left();
    assert.deepEqual(wrong, []);
  });
}

for (const [below, above] of [
  ["panel", "dialog"],
  ["drawer", "room menu"],
  ["thread", "menu in the thread"],
]) {
  for (const keys of [
    ["Back", "Back"],
    ["Escape", "Escape"],
    ["Back", "Escape"],
    ["Escape", "Back"],
  ]) {
    test(`${above} above the ${below}, closed by ${keys.join(" and ")}`, async () => {
      const { page, wrong, left } = await onPhone("Ada", `two-${below}-${keys.join("-").toLowerCase()}`);
      const here = page.url();
      await open(page, below ?? "");
      await open(page, above ?? "");
      await entries(page, 2);
      for (const [i, key] of keys.entries()) {
        if (key === "Back") await page.goBack();
        else await page.keyboard.press("Escape");
        await assertOpen(page, i === 0 ? [below ?? ""] : []);
        await entries(page, 1 - i);
      }
      assert.equal(page.url(), here);
      await page.goBack();
      await left();
      assert.deepEqual(wrong, []);
    });
  }
}

test("after a reload with a dialog above the panel, one Back leaves the room", async () => {
  const { page, wrong, left } = await onPhone("Ada", "reload");
  await open(page, "panel");
  await open(page, "dialog");
  await page.reload();
  await joined(page);
  await assertOpen(page, []);
  await entries(page, 0);
  await page.goBack();
  await left();
  await page.goForward();
  await page.waitForURL(`${server.url}/r/reload-b`);
  await drawn(page);
  await entries(page, 0);
  assert.deepEqual(wrong, []);
});

test("a room that is chosen in the drawer or the switcher takes over the layer's entry", async () => {
  const { page, wrong, left } = await onPhone("Ada", "chosen");
  await open(page, "drawer");
  await page.locator("room-list li[data-room=chosen-a] a").tap();
  await left();
  await assertOpen(page, []);
  await page.goBack();
  await page.waitForURL(`${server.url}/r/chosen-b`);
  await page.goForward();
  await left();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill("chosen-b");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${server.url}/r/chosen-b`);
  await page.goBack();
  await left();
  assert.deepEqual(wrong, []);
});

test("a panel beside the messages is no layer: Back on a wide screen goes to the room before", async () => {
  const { page, wrong } = await settled(server, "Wilma", ["wide-a", "wide-b"]);
  await page.keyboard.press("Control+Shift+F");
  await page.locator("search-panel").waitFor();
  await page.goBack();
  await page.waitForURL(`${server.url}/r/wide-a`);
  assert.deepEqual(wrong, []);
});
