// A slow network: parts of the page that are loaded when somebody asks for them, and what is typed before they come.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, joined, visitor } from "./helper.js";
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

/** What is loaded late and opened with the keyboard: the module, the keys, and what shows that it is open. If that has
 * a field, what was typed is there.
 * @typedef {{ module: string, open: (page: Page) => Promise<unknown>, shown: string, field?: string }} Part
 * @type {Record<string, Part>} */
const parts = {
  switcher: { module: "switcher", open: (p) => p.keyboard.press("Control+k"), shown: "dialog[open]", field: "input" },
  search: {
    module: "search-panel",
    open: (p) => p.keyboard.press("Control+Shift+F"),
    shown: "search-panel",
    field: "input[name=q]",
  },
  settings: { module: "settings-dialog", open: (p) => p.keyboard.press("Control+,"), shown: "dialog[open]" },
  shortcuts: {
    module: "shortcuts-dialog",
    open: async (p) => {
      await p.locator(".share-button").focus();
      await p.keyboard.press("?");
    },
    shown: "dialog[open]",
  },
  share: { module: "share-dialog", open: (p) => p.locator(".share-button").press("Enter"), shown: "dialog[open]" },
  emoji: {
    module: "emoji-picker",
    open: async (p) => {
      await message(p, 1).focus();
      await p.keyboard.press("+");
    },
    shown: ".emoji-picker",
    field: "input[type=search]",
  },
  "room menu": {
    module: "room-menu",
    open: (p) => entry(p, "typed-room-menu").getByRole("link").press("Shift+F10"),
    shown: "[role=menu]",
  },
};

for (const [name, part] of Object.entries(parts)) {
  test(`nothing that is typed before the ${name} comes goes to the composer`, async () => {
    const person = await visitor(server, "Gerd");
    const late = await holdBack(person.page, module(part.module));
    const { page, wrong } = await settle(server, person, [`typed-${part.module}`]);
    await field(page).fill("half a sentence");
    await part.open(page);
    await page.keyboard.type("ab");
    await page.keyboard.insertText("執事"); // as from an input method or by dictation: no key says it
    await page.keyboard.type("c");
    assert.equal(await field(page).inputValue(), "half a sentence");
    late.come();
    const shown = page.locator(part.shown).first();
    if (part.field) {
      const input = shown.locator(part.field);
      await input.and(page.locator(":focus")).waitFor();
      await page.waitForFunction(
        () => document.activeElement instanceof HTMLInputElement && document.activeElement.value.endsWith("ab執事c"),
      );
    } else await shown.waitFor();
    assert.equal(await field(page).inputValue(), "half a sentence");
    assert.equal(await page.locator("room-view .message").count(), 1, "nothing was sent");
    assert.deepEqual(wrong, []);
  });
}

test("a word that is being composed is finished before it goes to the part that has come", async () => {
  const person = await visitor(server, "Hana");
  const late = await holdBack(person.page, module("switcher"));
  const { page, wrong } = await settle(server, person, ["late-compose"]);
  await page.keyboard.press("Control+k");
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Input.imeSetComposition", { text: "しつじ", selectionStart: 3, selectionEnd: 3 });
  const came = page.waitForResponse(`**/${module("switcher")}`);
  late.come();
  await (await came).finished();
  assert.equal(await page.locator("dialog[open]").count(), 0);
  await cdp.send("Input.insertText", { text: "執事" });
  const input = page.locator("dialog[open] input");
  await input.waitFor();
  await page.waitForFunction(() => /** @type {HTMLInputElement} */ (document.activeElement).value === "執事");
  assert.equal(await field(page).inputValue(), "");
  assert.deepEqual(wrong, []);
});

test("a part that cannot be loaded says so, opens at the next try, and keeps what is typed", async () => {
  const { page, wrong } = await settled(server, "Dora", ["late-search"]);
  await page.route(`**/${module("search-panel")}`, (route) => route.abort());
  await page.keyboard.press("Control+Shift+F");
  await page.keyboard.type("wo");
  const waiting = page.locator(".waiting");
  await waiting.getByText("The server does not answer").waitFor();
  await page.keyboard.type("rd");
  await page.keyboard.press("Enter"); // tries again
  await waiting.getByText("The server does not answer").waitFor();
  await page.unroute(`**/${module("search-panel")}`);
  await waiting.getByRole("button", { name: "Try again" }).click();
  await page.keyboard.type("s");
  await page.waitForFunction(() => {
    const input = document.querySelector("search-panel input[name=q]");
    return input instanceof HTMLInputElement && input.value.endsWith("words");
  });
  assert.equal(await field(page).inputValue(), "");
  assert.deepEqual(wrong, []);
});

test("whoever gives up a part that cannot be loaded is where they were", async () => {
  const { page, wrong } = await settled(server, "Emil", ["late-given-up"]);
  await page.route(`**/${module("settings-dialog")}`, (route) => route.abort());
  for (const how of ["Escape", "Close"]) {
    await field(page).focus();
    await page.keyboard.press("Control+,");
    const waiting = page.locator(".waiting");
    await waiting.getByText("The server does not answer").waitFor();
    if (how === "Close") await waiting.getByRole("button", { name: "Close" }).click();
    else await page.keyboard.press("Escape");
    await waiting.waitFor({ state: "detached" });
    await field(page).and(page.locator(":focus")).waitFor();
  }
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
