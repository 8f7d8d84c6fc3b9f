import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, joined, row, visitor, write } from "./helper.js";

const server = await new Server().start();

/** Two people of one name in a room, the second of whom has said something to the first.
 * @param {string} room  @param {import("playwright-core").BrowserContextOptions} [options] of the first */
async function twoAdas(room, options) {
  const ada = await visitor(server, "Ada", options);
  await ada.page.goto(`${server.url}/r/${room}`);
  await joined(ada.page);
  const other = await visitor(server, "Ada");
  await other.page.goto(`${server.url}/r/${room}`);
  await joined(other.page);
  await write(other.page, "hello @Ada");
  await row(ada.page, "hello @Ada").waitFor();
  return { ...ada, other };
}

test("the second person of a name is marked beside the name and in the face, and has another face", async () => {
  const { page, other, wrong } = await twoAdas("namesakes");
  const people = page.locator("people-list .person");
  await people.nth(1).waitFor();
  assert.deepEqual(await people.locator(".avatar").allTextContents(), ["Ad", "A2"]);
  const names = await people.evaluateAll((all) => all.map((p) => /** @type {HTMLElement} */ (p).innerText.trim()));
  assert.match(names[1] ?? "", /2/);
  await page.getByRole("button", { name: "Ada 2, another person of this name" }).first().waitFor();
  const faces = await people.locator(".avatar").evaluateAll((all) => all.map((f) => f.getAttribute("data-face")));
  assert.notEqual(faces[0], faces[1]);
  const message = page.locator(".message", { hasText: "hello" });
  assert.equal(await message.locator(".avatar").getAttribute("data-face"), faces[1], "the same face in the log");
  assert.equal(await message.locator(".avatar").textContent(), "A2");
  assert.deepEqual([...wrong, ...other.wrong], []);
});

test("a press on a face, a name, a mention or a row of people opens the person's card", async () => {
  const ada = await visitor(server, "Ada");
  const grace = await visitor(server, "Grace Hopper");
  for (const { page } of [grace, ada]) {
    await page.goto(`${server.url}/r/card`);
    await joined(page);
  }
  await write(grace.page, "first");
  await row(ada.page, "first").waitFor();
  await write(ada.page, "and @Grace Hopper too");
  const card = ada.page.getByRole("menu", { name: /^Options for .*Grace Hopper/ });
  const message = row(ada.page, "first");
  for (const spot of [
    message.locator(".avatar"),
    message.locator(".author"),
    ada.page.locator(".mention", { hasText: "@Grace Hopper" }),
    ada.page.locator("people-list .person", { hasText: "Grace" }),
  ]) {
    await spot.click();
    await card.waitFor();
    await ada.page.locator(".person-head").getByText("Here now").waitFor();
    await ada.page.keyboard.press("Escape");
    await card.waitFor({ state: "detached" });
  }
  await message.locator(".author").click();
  await card.getByRole("menuitem", { name: "Mention" }).click();
  const field = ada.page.getByLabel("Your message");
  assert.equal(await field.inputValue(), "@Grace Hopper ");
  assert.equal(await ada.page.evaluate(() => document.activeElement?.id), "composer-field");
  await message.locator(".avatar").click();
  await card.getByRole("menuitem", { name: "Their messages" }).click();
  const search = ada.page.getByRole("searchbox");
  await search.waitFor();
  assert.equal(await search.inputValue(), 'from:"Grace Hopper" ');
  await ada.page.locator("search-panel .hits li", { hasText: "first" }).waitFor();
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});

test("the card opens by keys alone, from a message and from the list of people, and gives the focus back", async () => {
  const { page, wrong } = await twoAdas("keys");
  await page.getByRole("log").focus();
  await page.keyboard.press("ArrowUp");
  await page.locator(".message.active").waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.className), "author");
  await page.keyboard.press("Enter");
  const card = page.getByRole("menu", { name: /^Options for .*Ada/ });
  await card.waitFor();
  await page.keyboard.press("Escape");
  await card.waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement?.className), "author");
  const own = page.locator("people-list .person").first();
  await own.focus();
  await page.keyboard.press("Enter");
  await page.locator(".person-head").getByText("This is you").waitFor();
  await page.getByRole("menuitem", { name: "Change my name" }).waitFor();
  assert.equal(await page.getByRole("menuitem", { name: "Mention" }).count(), 0);
  await page.keyboard.press("Escape");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Mention" }).waitFor();
  await page.keyboard.press("Enter");
  assert.equal(await page.getByLabel("Your message").inputValue(), "@Ada ");
  assert.deepEqual(wrong, []);
});
