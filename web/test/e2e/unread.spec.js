// Unread messages: the counts, the separator, and marking a room as unread.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, joined, resting, row, visitor } from "./helper.js";
import { meet, message, press } from "./people.js";

const server = await new Server().start();

test("unread messages are counted in the title and the button, and a separator marks the first", async () => {
  await server.fill("unread", 60);
  const [ada] = await meet(server, "unread", "Ada");
  assert.ok(ada);
  const { page } = ada;
  await page.waitForFunction(() => document.title === "unread – Parley");
  await page.locator(".log").hover();
  await page.mouse.wheel(0, -800);
  await page.getByRole("button", { name: "Jump to newest" }).waitFor();
  const grace = await server.guest("Grace");
  const top = () =>
    resting(page, () =>
      page
        .locator(".message")
        .first()
        .evaluate((m) => m.getBoundingClientRect().top),
    );
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

test("after an absence the separator is above the first message that was missed", async () => {
  const [ada] = await meet(server, "back", "Ada");
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
  assert.ok(
    await page
      .locator(".new-separator")
      .evaluate((m) => m.getBoundingClientRect().top > 0 && m.getBoundingClientRect().top < innerHeight),
  );
  await page.getByRole("button", { name: /new messages/ }).click();
  await row(page, "missed 230").waitFor();
  await page.waitForFunction(() => document.title === "back – Parley");
});

test("a room marked unread from a message is unread on every device, until the person reads on", async () => {
  const [ada] = await meet(server, "unread-from", "Ada");
  assert.ok(ada);
  const phone = await visitor(server, null);
  await phone.context.addCookies(await ada.context.cookies());
  await phone.context.addInitScript(() => localStorage.setItem("parley:name", JSON.stringify("Ada")));
  await phone.page.goto(server.url);
  const entry = phone.page.locator("room-list li[data-room='unread-from']");
  const grace = await server.session("Grace");
  for (let i = 1; i <= 4; i++) await server.say("unread-from", grace, `line ${i}`);
  await message(ada.page, 4).waitFor();
  await press(message(ada.page, 3), "u");
  await ada.page.waitForFunction(() => document.title.startsWith("(2) "));
  assert.equal(await ada.page.locator(".new-separator + .message").getAttribute("data-seq"), "3");
  await entry.locator(".badge", { hasText: "2" }).waitFor();
  await ada.page.keyboard.press("Escape"); // to the newest
  await ada.page.waitForFunction(() => !document.title.startsWith("("));
  assert.deepEqual([...ada.wrong, ...phone.wrong], []);
});

test("deletions and edits change counts, mention, title, icon and the New line at once, as a reload does", async () => {
  await server.fill("follows", 60);
  const [ada] = await meet(server, "follows", "Ada");
  assert.ok(ada);
  const { page } = ada;
  const grace = await server.session("Grace");
  const say = async (/** @type {string} */ room, /** @type {string} */ text) =>
    Number((await server.say(room, grace, text))["seq"]);
  const title = (/** @type {string} */ want) => page.waitForFunction((t) => document.title === t, want);
  const icon = (/** @type {string} */ name) => page.locator(`link[rel=icon][href*='/${name}.svg']`);

  // The room on the screen, whose end is out of sight.
  await page.locator(".log").hover();
  await page.mouse.wheel(0, -800);
  await page.getByRole("button", { name: "Jump to newest" }).waitFor();
  const seqs = [];
  for (const text of ["one", "two", "three"]) seqs.push(await say("follows", text));
  await title("(3) follows – Parley");
  await icon("parley-unread").waitFor({ state: "attached" });
  await server.remove("follows", seqs[1] ?? 0, grace);
  await title("(2) follows – Parley");
  await page.getByRole("button", { name: "2 new messages" }).waitFor();
  assert.equal(await page.locator(".new-separator + .message").getAttribute("data-seq"), String(seqs[0]));
  await server.remove("follows", seqs[0] ?? 0, grace);
  await server.remove("follows", seqs[2] ?? 0, grace);
  await title("follows – Parley");
  await icon("parley").waitFor({ state: "attached" });
  await page.locator(".new-separator").waitFor({ state: "detached" });

  // Another room of the list. Only the server knows the messages of before the page was loaded.
  await say("elsewhere", "the room's first");
  await page.goto(`${server.url}/r/elsewhere`);
  await joined(page);
  await row(page, "the room's first").waitFor();
  await page.locator("room-list li[data-room='follows'] a").click(); // leaving a room sends what was read
  const entry = page.locator("room-list li[data-room='elsewhere']");
  const early = await say("elsewhere", "hello @Ada");
  await entry.locator(".badge", { hasText: "@" }).waitFor();
  for (const reloaded of [false, true]) {
    if (reloaded) await page.reload();
    await entry.locator(".badge", { hasText: "@" }).waitFor();
    await server.edit("elsewhere", early, `hello everybody ${reloaded}`, grace);
    await entry.locator(".badge", { hasText: /^1$/ }).waitFor();
    await server.edit("elsewhere", early, `hello @Ada ${reloaded}`, grace);
    await entry.locator(".badge", { hasText: "@" }).waitFor();
  }
  await title("(1) follows – Parley");
  await server.remove("elsewhere", early, grace);
  await entry.locator(".badge:empty").waitFor({ state: "attached" });
  await title("follows – Parley");
  assert.deepEqual(ada.wrong, []);
});
