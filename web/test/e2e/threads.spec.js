// Replies and threads.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertAccessible } from "./axe.js";
import { Server, assertShown, write } from "./helper.js";
import { meet, message, press, said } from "./people.js";

const server = await new Server().start();

test("a reply quotes its message and links to it; deleting the message deletes the quote", async () => {
  const [ada, grace] = await meet(server, "answer", "Ada", "Grace");
  assert.ok(ada && grace);
  await said(ada.page, "who takes the **notes**?", 1);
  for (let i = 2; i <= 30; i++) await server.say("answer", await server.session("Filler"), `line ${i}`);
  await message(grace.page, 30).waitFor();
  await message(grace.page, 1).focus();
  await grace.page.keyboard.press("r");
  await grace.page.getByText(/Replying to .*Ada/).waitFor();
  await grace.page.keyboard.press("Escape");
  await grace.page.getByText(/Replying to/).waitFor({ state: "hidden" });
  await press(message(grace.page, 1), "r");
  await grace.page.keyboard.type("I do");
  await grace.page.keyboard.press("Enter");
  const quote = message(ada.page, 31).locator(".quote");
  await quote.waitFor();
  assert.match((await quote.textContent()) ?? "", /Ada.*who takes the notes\?/);
  await quote.click();
  await message(ada.page, 1).and(ada.page.locator(".linked")).waitFor();
  assert.ok(await message(ada.page, 1).evaluate((m) => m === document.activeElement));
  await press(message(ada.page, 1), "Delete");
  await ada.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await message(grace.page, 31).getByText("Reply to a deleted message").waitFor();
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});

test("a thread opens beside the room, counts its replies under the root, and can also post to the room", async () => {
  const [ada, grace, linus] = await meet(server, "thread", "Ada", "Grace", "Linus");
  assert.ok(ada && grace && linus);
  await said(ada.page, "shall we?", 1);
  await press(message(grace.page, 1), "t");
  const thread = grace.page.locator("thread-panel");
  await thread.getByText("shall we?").waitFor();
  await grace.page.keyboard.type("a word in private");
  await grace.page.keyboard.press("Enter");
  await thread.locator(".message[data-seq='2']").waitFor();
  await message(ada.page, 1)
    .getByRole("button", { name: /^1 reply, last/ })
    .click();
  const hers = ada.page.locator("thread-panel");
  await hers.getByText("a word in private").waitFor();
  await hers.getByLabel("Also send to the room").check();
  await ada.page.getByLabel("Your reply").fill("and for all");
  await ada.page.getByLabel("Your reply").press("Enter");
  await thread.getByText("and for all").waitFor();
  await message(linus.page, 3).getByText("and for all").waitFor();
  await message(linus.page, 3).getByRole("button", { name: "From a thread" }).waitFor();
  assert.equal(await linus.page.locator("room-view .message").count(), 2, "the rest stays in the thread");
  assert.equal(await hers.getByLabel("Also send to the room").isChecked(), false, "it was for one message");
  await message(linus.page, 1)
    .getByRole("button", { name: /^2 replies, last/ })
    .waitFor();

  await press(thread.locator(".message[data-seq='2']"), "Delete");
  await grace.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await message(linus.page, 1)
    .getByRole("button", { name: /^1 reply, last/ })
    .waitFor();
  await hers.getByText("This message was deleted.").waitFor();

  await grace.leave();
  await ada.page.getByLabel("Your reply").fill("while you were away");
  await ada.page.getByLabel("Your reply").press("Enter");
  await hers.locator(".message[data-seq='5']").waitFor();
  await grace.page.getByLabel("Your reply").fill("kept in the thread");
  await grace.page.getByLabel("Your reply").press("Enter");
  await thread.locator(".pending", { hasText: "kept in the thread" }).waitFor();
  assert.equal(await grace.page.locator("room-view .pending").count(), 0);
  await grace.comeBack();
  await thread.locator(".message[data-seq='6']").waitFor();
  const texts = ["shall we?", "This message was deleted.", "and for all", "while you were away", "kept in the thread"];
  await assertShown(grace.page, texts, "thread-panel");
  await grace.page.keyboard.press("Escape");
  await thread.waitFor({ state: "detached" });
  assert.deepEqual([...ada.wrong, ...grace.wrong, ...linus.wrong], []);
});

test("a thread is subscribed to and unsubscribed from", async () => {
  const [ada] = await meet(server, "follow", "Ada");
  assert.ok(ada);
  await said(ada.page, "root", 1);
  await press(message(ada.page, 1), "t");
  const button = ada.page.locator("side-panel .follow");
  await button.waitFor();
  const before = await button.getAttribute("aria-pressed");
  await button.click();
  await ada.page.waitForFunction(
    (was) => document.querySelector("side-panel .follow")?.getAttribute("aria-pressed") !== was,
    before,
  );
  await ada.page.getByRole("button", { name: "Close panel" }).click();
  await press(message(ada.page, 1), "t");
  await button.waitFor();
  assert.notEqual(await button.getAttribute("aria-pressed"), before, "the server knows it");
  assert.deepEqual(ada.wrong, []);
});

test("subscribed threads are listed and open from the list, and a reply's address opens its thread", async () => {
  const [ada] = await meet(server, "threads", "Ada");
  assert.ok(ada);
  const { page } = ada;
  const grace = await server.session("Grace");
  await said(page, "shall we?", 1);
  for (const text of ["yes", "certainly"]) await server.post("/api/rooms/threads/messages", { text, thread: 1 }, grace);
  await write(page, "/join threads-else");
  await page.getByRole("heading", { name: "threads-else" }).waitFor();
  await page.getByRole("button", { name: "Threads", exact: true }).click();
  const hit = page.locator(".threads .hits li", { hasText: "shall we?" });
  await hit.waitFor();
  await assertAccessible(page, "threads");
  await hit.getByRole("link").click();
  await page.waitForURL(`${server.url}/r/threads`);
  const thread = page.locator("thread-panel");
  await thread.getByText("certainly").waitFor();
  await page.getByRole("button", { name: "Close panel" }).click();
  await page.goto(`${server.url}/r/threads#2`); // from within the page
  await thread.locator(".message[data-seq='2'].linked").waitFor();
  await page.evaluate(() => history.replaceState(null, "", "#3"));
  await page.reload(); // from elsewhere
  await thread.locator(".message[data-seq='3'].linked").waitFor();
  assert.equal(await page.locator("room-view .message").count(), 1);
  assert.deepEqual(ada.wrong, []);
});
