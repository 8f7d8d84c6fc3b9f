import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, joined, row, shown, visitor, write } from "./helper.js";

const server = await new Server().start();

/** @param {string} room  @param {string[]} names */
async function meet(room, ...names) {
  const people = [];
  for (const name of names) {
    const person = await visitor(server, name);
    await person.page.goto(`${server.url}/r/${room}`);
    await joined(person.page);
    people.push(person);
  }
  return people;
}

test("two people talk", async () => {
  const [ada, grace] = await meet("talk", "Ada", "Grace");
  assert.ok(ada && grace);
  await write(ada.page, "Hello, Grace");
  await row(grace.page, "Hello, Grace").waitFor();
  await write(grace.page, "Hello, **Ada**");
  await row(ada.page, "Hello, Ada").locator("strong", { hasText: "Ada" }).waitFor();
  assert.deepEqual(await shown(ada.page), ["Hello, Grace", "Hello, Ada"]);
  assert.deepEqual(await shown(grace.page), ["Hello, Grace", "Hello, Ada"]);
  assert.equal(await ada.page.evaluate(() => document.activeElement?.tagName), "TEXTAREA", "the focus stays in the composer");
  await ada.page.locator(".people h2", { hasText: "2 people here" }).waitFor();
  await grace.context.close();
  await ada.page.locator(".people h2", { hasText: "1 person here" }).waitFor();
  assert.deepEqual(ada.wrong, []);
});

test("who types is seen, until the message comes", async () => {
  const [ada, grace] = await meet("typing", "Ada", "Grace");
  assert.ok(ada && grace);
  await ada.page.getByLabel("Your message").pressSequentially("Well");
  await grace.page.locator(".typing", { hasText: "Ada is typing…".replace("Ada", "Ada\u2069") }).waitFor();
  await ada.page.getByLabel("Your message").press("Enter");
  await row(grace.page, "Well").waitFor();
  await grace.page.locator(".typing", { hasText: /^$/ }).waitFor({ state: "attached" });
});

test("messages are grouped by author and day, with times", async () => {
  const [ada] = await meet("groups", "Ada");
  assert.ok(ada);
  const other = await server.guest("Grace");
  for (const text of ["one", "two"]) await write(ada.page, text);
  await row(ada.page, "two").and(ada.page.locator("[data-seq='2']")).waitFor();
  await server.say("groups", other, "three");
  await row(ada.page, "three").waitFor();
  const first = await ada.page.locator(".message").evaluateAll((rows) => rows.map((r) => r.classList.contains("first")));
  assert.deepEqual(first, [true, false, true]);
  assert.equal(await ada.page.locator(".day").textContent(), "Today");
  const time = row(ada.page, "two").locator("time");
  assert.match((await time.getAttribute("datetime")) ?? "", /^\d{4}-\d\d-\d\dT.*Z$/);
  await row(ada.page, "two").hover();
  await ada.page.waitForFunction((el) => el && getComputedStyle(el).opacity === "1", await row(ada.page, "two").locator(".permalink").elementHandle());
});

test("formatting comes from the server, links from the page", async () => {
  const [ada] = await meet("format", "Ada");
  assert.ok(ada);
  await write(ada.page, "see https://example.org/a_(b), or www.example.org.");
  const links = row(ada.page, "see").locator(".body a");
  await links.nth(1).waitFor();
  assert.deepEqual(await links.evaluateAll((as) => as.map((a) => a.getAttribute("href"))), ["https://example.org/a_(b)", "https://www.example.org/"]);
  assert.deepEqual(await links.first().evaluate((a) => [a.getAttribute("rel"), a.getAttribute("target")]), ["noopener noreferrer nofollow", "_blank"]);
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

test("the composer: Shift+Enter breaks the line, a draft waits per room, length is minded", async () => {
  const [ada] = await meet("draft", "Ada");
  assert.ok(ada);
  const field = ada.page.getByLabel("Your message");
  const height = async () => (await field.boundingBox())?.height ?? 0;
  const before = await height();
  await field.pressSequentially("line one");
  await field.press("Shift+Enter");
  await field.pressSequentially("line two");
  assert.ok((await height()) > before, "it grows");
  await ada.page.goto(`${server.url}/r/another`);
  await joined(ada.page);
  assert.equal(await field.inputValue(), "");
  await ada.page.goto(`${server.url}/r/draft`);
  await joined(ada.page);
  assert.equal(await field.inputValue(), "line one\nline two");
  await field.press("Enter");
  await row(ada.page, "line one\nline two").waitFor();
  await field.fill("é".repeat(4001));
  await ada.page.getByText("1 too many").waitFor();
  await field.press("Enter");
  assert.equal((await field.inputValue()).length, 4001, "kept, not sent");
  await field.fill("   \n ");
  await field.press("Enter");
  assert.equal(await ada.page.locator(".message").count(), 1);
});

test("unread: the title counts, the button too, and a separator marks where one stopped", async () => {
  await server.fill("unread", 60);
  const [ada] = await meet("unread", "Ada");
  assert.ok(ada);
  const { page } = ada;
  await page.waitForFunction(() => document.title === "unread – Parley");
  await page.locator(".log").hover();
  await page.mouse.wheel(0, -800);
  await page.getByRole("button", { name: "Jump to newest" }).waitFor();
  const grace = await server.guest("Grace");
  const top = () => page.locator(".message").first().evaluate((m) => m.getBoundingClientRect().top);
  const before = await top();
  for (const text of ["news one", "news two", "news three"]) await server.say("unread", grace, text);
  await page.waitForFunction(() => document.title === "(3) unread – Parley");
  assert.equal(await top(), before, "the view does not move");
  const button = page.getByRole("button", { name: "3 new messages" });
  await button.click();
  await page.waitForFunction(() => document.title === "unread – Parley");
  assert.equal(await page.locator(".new-separator + .message .body").textContent(), "news one");
  await button.waitFor({ state: "hidden" });
});

test("who comes back finds the separator where they stopped reading", async () => {
  const [ada] = await meet("back", "Ada");
  assert.ok(ada);
  const { page } = ada;
  const grace = await server.guest("Grace");
  await server.say("back", grace, "seen");
  await row(page, "seen").waitFor();
  await page.waitForFunction(() => JSON.parse(localStorage.getItem("parley:read:back") ?? "[]")[1] === 1);
  await page.goto(server.url);
  for (let i = 1; i <= 230; i++) await server.say("back", grace, `missed ${i}`);
  await page.goto(`${server.url}/r/back`);
  const after = page.locator(".new-separator + .message .body");
  await after.waitFor();
  assert.equal(await after.textContent(), "missed 1");
  assert.ok(await page.locator(".new-separator").evaluate((m) => m.getBoundingClientRect().top > 0 && m.getBoundingClientRect().top < innerHeight));
  await page.getByRole("button", { name: /new messages/ }).click();
  await row(page, "missed 230").waitFor();
  await page.waitForFunction(() => document.title === "back – Parley");
});

test("the link to a message is copied, also without the clipboard API", async () => {
  const [ada] = await meet("copy", "Ada");
  assert.ok(ada);
  await write(ada.page, "link me");
  await ada.page.locator("[data-seq='1']").waitFor();
  await ada.page.evaluate(() => {
    Object.defineProperty(navigator, "clipboard", { value: undefined }); // as on plain http
    document.addEventListener("copy", () => {
      document.body.dataset["copied"] = /** @type {HTMLTextAreaElement} */ (document.activeElement).value;
    });
  });
  await row(ada.page, "link me").hover();
  await ada.page.getByRole("button", { name: "Copy link to this message" }).click();
  await ada.page.getByText("Link to the message copied").waitFor();
  assert.equal(await ada.page.locator("body").getAttribute("data-copied"), `${server.url}/r/copy#1`);
  await ada.page.getByRole("button", { name: "Share this room" }).click();
  await ada.page.getByRole("button", { name: "Copy link", exact: true }).click();
  await ada.page.getByText("Link copied", { exact: true }).waitFor();
  assert.equal(await ada.page.locator("body").getAttribute("data-copied"), `${server.url}/r/copy`);
  assert.deepEqual(ada.wrong, []);
});
