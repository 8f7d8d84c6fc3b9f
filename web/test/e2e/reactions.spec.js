// Reactions and the emoji picker.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertAccessible } from "./axe.js";
import { Server, told } from "./helper.js";
import { field, meet, message, press, said } from "./people.js";

/** @import { Page } from "playwright-core" */

const server = await new Server().start();

test("reactions are added and removed, by pointer and keyboard, and name their people", async () => {
  const [ada, grace] = await meet(server, "react", "Ada", "Grace");
  assert.ok(ada && grace);
  await said(ada.page, "ship it?", 1);
  const pill = (/** @type {Page} */ page) => message(page, 1).locator(".reaction", { hasText: "👍" });
  await message(grace.page, 1).focus();
  await grace.page.keyboard.press("Enter");
  await grace.page.getByRole("menuitem", { name: "React with 👍" }).click();
  await pill(ada.page).waitFor();
  assert.deepEqual(
    await pill(ada.page).evaluate((b) => [
      b.getAttribute("aria-pressed"),
      b.textContent,
      b.getAttribute("aria-label")?.replace(/[\u2068\u2069]/g, ""),
    ]),
    ["false", "👍1", "👍 1: Grace"],
  );
  await pill(ada.page).click();
  await grace.page.waitForFunction(() => document.querySelector(".reaction .n")?.textContent === "2");
  assert.equal(await pill(ada.page).getAttribute("aria-pressed"), "true");
  assert.match((await pill(grace.page).getAttribute("title")) ?? "", /you and .*Ada/);
  await message(grace.page, 1).focus(); // … by Tab: time, toolbar, reactions
  await pill(grace.page).focus();
  await grace.page.keyboard.press("Space");
  await ada.page.waitForFunction(() => document.querySelector(".reaction .n")?.textContent === "1");
  assert.ok(await pill(grace.page).evaluate((b) => b === document.activeElement), "the pill keeps the focus");
  await ada.leave();
  await pill(ada.page).click();
  await told(ada.page, /not connected/i);
  await pill(ada.page).and(ada.page.locator("[aria-pressed=true]")).waitFor(); // what was not done is not shown as done
  await ada.comeBack();
  await pill(ada.page).click();
  await pill(grace.page).waitFor({ state: "detached" });
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});

test("emoji are found by search, by keyboard and in a skin tone, and completed in the composer", async () => {
  const [ada] = await meet(server, "emoji", "Ada");
  assert.ok(ada);
  const { page } = ada;
  await said(page, "react to me", 1);
  assert.equal(
    await page.evaluate(() => performance.getEntriesByType("resource").some((r) => r.name.includes("/emoji-picker-"))),
    false,
    "not loaded before it is wanted",
  );
  await press(message(page, 1), "+");
  const picker = page.getByRole("dialog", { name: "Emoji", exact: true });
  await picker.getByRole("searchbox", { name: "Search emoji" }).waitFor();
  await picker.locator(".grid button").nth(30).waitFor();
  await assertAccessible(page, "picker");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowRight");
  assert.equal(
    await page.evaluate(() =>
      [...document.querySelectorAll(".emoji-picker .grid button")].indexOf(
        /** @type {Element} */ (document.activeElement),
      ),
    ),
    1,
  );
  await page.keyboard.press("ArrowUp");
  await page.keyboard.type("thumbsup");
  await picker.locator(".status", { hasText: /found/ }).waitFor();
  await picker.getByRole("radio", { name: "Skin tone 3 of 5" }).check();
  await picker.locator("button[data-emoji='👍🏽']").waitFor();
  await picker.getByRole("searchbox").press("Enter");
  await message(page, 1).locator(".reaction", { hasText: "👍🏽" }).waitFor();
  assert.ok(await message(page, 1).evaluate((m) => m === document.activeElement), "the focus comes back");
  await press(message(page, 1), "Enter");
  assert.equal(await page.getByRole("menuitem").first().textContent(), "👍🏽", "it is remembered");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Add an emoji" }).click();
  await picker.getByRole("searchbox").fill("tada");
  await picker.locator("button[data-emoji='🎉']").click();
  await page.waitForFunction(
    () => /** @type {HTMLTextAreaElement} */ (document.querySelector("#composer-field")).value === "🎉",
  );
  await field(page).pressSequentially(" :wav");
  await page.getByRole("option", { name: /:wave:/ }).waitFor();
  await field(page).press("Enter");
  assert.match(await field(page).inputValue(), /^🎉 👋/u);
  await field(page).fill("");
  assert.deepEqual(ada.wrong, []);
});
