// People talk in a room.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, assertShown, row, told, write } from "./helper.js";
import { meet } from "./people.js";

const server = await new Server().start();

test("two people talk", async () => {
  const [ada, grace] = await meet(server, "talk", "Ada", "Grace");
  assert.ok(ada && grace);
  await write(ada.page, "Hello, Grace");
  await row(grace.page, "Hello, Grace").waitFor();
  await write(grace.page, "Hello, **Ada**");
  await row(ada.page, "Hello, Ada").locator("strong", { hasText: "Ada" }).waitFor();
  for (const { page } of [ada, grace]) await assertShown(page, ["Hello, Grace", "Hello, Ada"]);
  assert.equal(
    await ada.page.evaluate(() => document.activeElement?.tagName),
    "TEXTAREA",
    "the focus stays in the composer",
  );
  await ada.page.locator(".people h2", { hasText: "2 people here" }).waitFor();
  await grace.context.close();
  await ada.page.locator(".people h2", { hasText: "1 person here" }).waitFor();
  assert.deepEqual(ada.wrong, []);
});

test("typing is shown until the message arrives", async () => {
  const [ada, grace] = await meet(server, "typing", "Ada", "Grace");
  assert.ok(ada && grace);
  await ada.page.getByLabel("Your message").pressSequentially("Well");
  await told(grace.page, "Ada\u2069 is typing…");
  await ada.page.getByLabel("Your message").press("Enter");
  await row(grace.page, "Well").waitFor();
  await grace.page.locator(".typing", { hasText: /^$/ }).waitFor({ state: "attached" });
});

test("messages are grouped by author and day, with times", async () => {
  const [ada] = await meet(server, "groups", "Ada");
  assert.ok(ada);
  const other = await server.guest("Grace");
  for (const text of ["one", "two"]) await write(ada.page, text);
  await row(ada.page, "two").and(ada.page.locator("[data-seq='2']")).waitFor();
  await server.say("groups", other, "three");
  await row(ada.page, "three").waitFor();
  const first = await ada.page
    .locator(".message")
    .evaluateAll((rows) => rows.map((r) => r.classList.contains("first")));
  assert.deepEqual(first, [true, false, true]);
  assert.equal(await ada.page.locator(".day").textContent(), "Today");
  const time = row(ada.page, "two").locator("time");
  assert.match((await time.getAttribute("datetime")) ?? "", /^\d{4}-\d\d-\d\dT.*Z$/);
  await row(ada.page, "two").hover();
  await ada.page.waitForFunction(
    (el) => el && getComputedStyle(el).opacity === "1",
    await row(ada.page, "two").locator(".permalink").elementHandle(),
  );
});

test("messages show the server's formatting, and links open in a new tab", async () => {
  const [ada] = await meet(server, "format", "Ada");
  assert.ok(ada);
  await write(ada.page, "see https://example.org/a_(b), or www.example.org.");
  const links = row(ada.page, "see").locator(".body a");
  await links.nth(1).waitFor();
  assert.deepEqual(await links.evaluateAll((as) => as.map((a) => a.getAttribute("href"))), [
    "https://example.org/a_(b)",
    "https://www.example.org/",
  ]);
  assert.deepEqual(await links.first().evaluate((a) => [a.getAttribute("rel"), a.getAttribute("target")]), [
    "noopener noreferrer nofollow",
    "_blank",
  ]);
  await write(ada.page, "```js\nlet a = 1;\n\nlet b;\n```");
  assert.equal(await ada.page.locator(".message pre code").textContent(), "let a = 1;\n\nlet b;\n");
  await write(ada.page, "- one\n- *two*\n\n> quoted\n\n:tada: `code`");
  const last = ada.page.locator(".message").last();
  await last.locator("ul li em", { hasText: "two" }).waitFor();
  await last.locator("blockquote", { hasText: "quoted" }).waitFor();
  await last.locator("code", { hasText: "code" }).waitFor();
  assert.match((await last.locator(".body").textContent()) ?? "", /🎉/u);
  assert.deepEqual(ada.wrong, []);
});
