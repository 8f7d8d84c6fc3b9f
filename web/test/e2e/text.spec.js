// What a text means: who is mentioned and lights up, what a spoiler hides, which numbers a list shows, and that
// quotes, hits and topics show text instead of its source.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, indexed, joined, row, visitor, write } from "./helper.js";
import { field, meet, message, press, said } from "./people.js";

const server = await new Server().start();
const grace = await server.guest("Grace");

test("whoever is told of a message sees the mention light up, and nobody else", async () => {
  const room = "mentions";
  const [ada] = await meet(server, room, "Ada");
  assert.ok(ada);
  await said(ada.page, "hello", 1);
  /** Each text, and the mentions in it that light up. @type {[string, string[]][]} */
  const texts = [
    ["请@Ada看一下", ["@Ada"]],
    ["**@Ada**, see `@Ada`", ["@Ada"]],
    ["`@Ada`", []],
    ["```\n@Ada\n@here\n```", []],
    ["https://medium.com/@Ada and @ada/core", []],
    ["@Ada@example.org", []],
    ["[@Ada](https://example.org/@Ada)", []],
    ["大家@here看", ["@here"]],
    ["- @ADA\n- `@here`", ["@ADA"]],
  ];
  for (const [text] of texts) await server.say(room, grace, text);
  await message(ada.page, 1 + texts.length).waitFor();
  for (const [i, [text, lit]] of texts.entries()) {
    const shown = message(ada.page, 2 + i);
    assert.deepEqual(await shown.locator(".mention.me").allTextContents(), lit, text);
    assert.equal(await shown.and(ada.page.locator(".for-me")).count(), lit.length, text);
  }
  assert.deepEqual(ada.wrong, []);
});

test("a spoiler hides paragraphs and lists as a whole, and shows them when asked", async () => {
  const { page, wrong } = await visitor(server, "Ada");
  await page.goto(`${server.url}/r/blocks`);
  await joined(page);
  await server.say("blocks", grace, "/spoiler It was\n\n- the **butler**\n- in the library");
  const spoiler = message(page, 1).locator(".spoiler");
  await spoiler.waitFor();
  const secret = spoiler.locator(".secret");
  assert.equal(await secret.evaluate((e) => getComputedStyle(e).visibility), "hidden");
  assert.equal(await secret.locator("li").count(), 2);
  const box = await spoiler.boundingBox();
  assert.ok(box && box.height > 60, "what is hidden keeps its place");
  await spoiler.click();
  assert.equal(await secret.evaluate((e) => getComputedStyle(e).visibility), "visible");
  assert.deepEqual(wrong, []);
});

test("a list shows all digits of its numbers", async () => {
  const { page } = await visitor(server, "Ada");
  await page.goto(`${server.url}/r/numbers`);
  await joined(page);
  for (const text of ["0. zero", "1986. What a year", "123456789. far\n3. back"])
    await server.say("numbers", grace, text);
  await message(page, 3).waitFor();
  const numbers = (/** @type {number} */ seq) =>
    message(page, seq)
      .locator("ol")
      .evaluate((ol) => {
        const items = [...ol.children].filter((li) => li instanceof HTMLLIElement);
        const room = Number.parseFloat(getComputedStyle(ol).paddingInlineStart);
        const probe = document.createElement("span");
        const first = ol instanceof HTMLOListElement ? ol.start : 1;
        probe.textContent = `${Math.max(first, ...items.map((li) => li.value))}.`;
        ol.append(probe);
        const wide = probe.getBoundingClientRect().width;
        probe.remove();
        const values = items.map((li) => li.getAttribute("value"));
        return { start: ol.getAttribute("start"), values, fits: wide < room };
      });
  assert.deepEqual(await numbers(1), { start: "0", values: [null], fits: true });
  assert.deepEqual(await numbers(2), { start: "1986", values: [null], fits: true });
  assert.deepEqual(await numbers(3), { start: "123456789", values: [null, "3"], fits: true });
});

test("quotes, hits and topics show text, not its source", async () => {
  const { context, page, wrong } = await visitor(server, "Ada");
  await page.goto(`${server.url}/r/snippets`);
  await joined(page);
  await said(page, "the **quick** ||brown|| `fox` [jumps](https://example.org)", 1);
  const plain = "the quick ▒▒▒ fox jumps";
  await press(message(page, 1), "r");
  const excerpt = page.locator(".about .excerpt");
  await excerpt.getByText(plain).waitFor();
  await write(page, "so it does");
  await message(page, 2).waitFor();
  assert.equal(await message(page, 2).locator(".quoted").textContent(), plain);

  // The quote follows an edit.
  await press(message(page, 1), "e");
  await field(page).fill("a **slow** ||fox\n\nsleeps||");
  await field(page).press("Enter");
  await message(page, 2).locator(".quoted").getByText("a slow ▒▒▒", { exact: true }).waitFor();

  await write(page, "/topic **Foxes** and ||wolves||");
  await page.locator("room-topic").getByText("Foxes and ▒▒▒").waitFor();

  await indexed(context, server, "sleeps");
  await page.keyboard.press("Control+Shift+F");
  await page.getByRole("searchbox", { name: "Search" }).fill("slow");
  const hit = page.locator(".hits li", { hasText: "a slow ▒▒▒" });
  await hit.waitFor();
  assert.deepEqual(await hit.locator("mark").allTextContents(), ["slow"]);
  assert.deepEqual(wrong, []);
  assert.equal(await row(page, "so it does").count(), 1);
});
