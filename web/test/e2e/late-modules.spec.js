// A slow network: parts of the page that are loaded when somebody asks for them, and what is typed before they come.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, joined, told, visitor } from "./helper.js";
import { enter, field, message, said } from "./people.js";
import { entry, settle, settled } from "./room-list.js";

/** @import { Page } from "playwright-core" */

const server = await new Server().start();

/** The address of a module that is loaded late. @param {string} name */
const module = (name) => `assets/${name}-*.js`;

/** Holds the answer for a file back. It returns what lets it come. @param {Page} page  @param {string} file */
async function holdBack(page, file) {
  let come = () => {};
  const held = new Promise((resolve) => (come = () => resolve(null)));
  await page.route(`**/${file}`, async (route) => {
    await held;
    await route.continue();
  });
  return { come };
}

test("what is typed while the switcher is loaded goes into it", async () => {
  const person = await visitor(server, "Ada");
  const part = await holdBack(person.page, module("switcher"));
  const { page, wrong } = await settle(server, person, ["late-garden", "late-office"]);
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Control+k"); // again, since nothing is to be seen
  await page.keyboard.type("gxar");
  for (let i = 0; i < 3; i++) await page.keyboard.press("Backspace");
  await page.keyboard.type("ard");
  await page.keyboard.press("Enter");
  assert.equal(await field(page).inputValue(), "", "nothing of it goes into the composer");
  part.come();
  await page.waitForURL(`${server.url}/r/late-garden`);
  await page.locator("dialog[open]").waitFor({ state: "detached" });
  assert.deepEqual(wrong, []);
});

test("what is typed while the emoji picker is loaded searches it, and is no command for the message", async () => {
  const { page, wrong } = await enter(server, "late-emoji", "Ada");
  const picker = await holdBack(page, module("emoji-picker"));
  const list = await holdBack(page, "api/emoji");
  await said(page, "react to me", 1);
  await message(page, 1).focus();
  await page.keyboard.press("+");
  await page.keyboard.type("tad"); // t opens the thread of a message, p pins it
  picker.come();
  await page.getByRole("searchbox", { name: "Search emoji" }).and(page.locator(":focus")).waitFor();
  await page.keyboard.type("a");
  await page.keyboard.press("Enter"); // before there is an emoji to choose
  list.come();
  await message(page, 1).locator(".reaction", { hasText: "🎉" }).waitFor();
  assert.equal(await page.locator("thread-panel").count(), 0);
  assert.deepEqual(wrong, []);
});

test("a menu that comes late gets the keys, and none comes after Escape", async () => {
  const person = await visitor(server, "Bea");
  const part = await holdBack(person.page, module("room-menu"));
  const { page, wrong } = await settle(server, person, ["late-menu"]);
  const link = entry(page, "late-menu").getByRole("link");
  await link.focus();
  await page.keyboard.press("Shift+F10");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Shift+F10");
  for (const key of ["ArrowDown", "Enter"]) await page.keyboard.press(key);
  part.come();
  await page.locator("li.muted[data-room=late-menu]").waitFor();
  assert.equal(await page.getByRole("menu").count(), 0);
  assert.deepEqual(wrong, []);
});

test("a key on a message waits until the page knows what it does", async () => {
  const person = await visitor(server, "Cleo");
  const part = await holdBack(person.page, module("message-actions"));
  const { page, wrong } = person;
  await server.say("late-keys", await server.session("Grace"), "answer me");
  await page.goto(`${server.url}/r/late-keys`);
  await message(page, 1).focus();
  await page.keyboard.press("r");
  await page.keyboard.type("here you are"); // of these letters, some are commands, too
  part.come();
  await page.getByText(/Replying to .*Grace/).waitFor();
  await page.waitForFunction(
    () => /** @type {HTMLTextAreaElement} */ (document.querySelector("#composer-field")).value === "here you are",
  );
  await field(page).press("Enter");
  await message(page, 2).locator(".quote").waitFor();
  assert.deepEqual(wrong, []);
});

test("suggestions that come after the text was sent are not shown", async () => {
  const { page, wrong } = await enter(server, "late-commands", "Erna");
  const commands = await holdBack(page, "api/commands");
  const listed = page.waitForResponse("**/api/commands");
  await field(page).pressSequentially("/shrug");
  await field(page).press("Enter");
  await message(page, 1).waitFor();
  commands.come();
  await (await listed).finished();
  await said(page, "next", 2);
  assert.equal(await page.getByRole("option").count(), 0);
  assert.deepEqual(wrong, []);
});

test("a part that cannot be loaded says so, and opens at the next try", async () => {
  const { page, wrong } = await settled(server, "Dora", ["late-search"]);
  await page.route(`**/${module("search-panel")}`, (route) => route.abort());
  await page.keyboard.press("Control+Shift+F");
  await told(page, /server/i);
  await page.unroute(`**/${module("search-panel")}`);
  await page.keyboard.press("Control+Shift+F");
  await page.keyboard.type("words");
  await page.waitForFunction(() => {
    const input = document.querySelector("search-panel input[name=q]");
    return input instanceof HTMLInputElement && input.value.endsWith("words");
  });
  assert.deepEqual(wrong, []);
});

for (const file of ["styles", "modules"]) {
  test(`a page that comes without its ${file} is loaded again until it has them`, async () => {
    const { page } = await visitor(server, "Ada");
    let asked = 0;
    const address = file === "styles" ? "**/assets/page-*.css" : "**/assets/chunk-*.js";
    await page.route(address, (route) => (++asked > 2 ? route.continue() : route.abort()));
    await page.goto(`${server.url}/r/late-page`);
    await page.waitForFunction(() => getComputedStyle(document.body).getPropertyValue("--text"));
    await joined(page);
    assert.equal(asked, 3);
  });
}
