// Pinned messages and the topic.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, write } from "./helper.js";
import { enter, meet, message, press, said } from "./people.js";

const server = await new Server().start();

test("a pinned message appears in the panel at once and links to its place", async () => {
  const [ada, grace] = await meet(server, "pins", "Ada", "Grace");
  assert.ok(ada && grace);
  await said(ada.page, "the address is <b>here</b>", 1);
  await grace.page.getByRole("button", { name: "Pinned messages" }).click();
  const panel = grace.page.locator("pins-panel");
  await panel.getByText("Nothing is pinned yet.").waitFor();
  await press(message(ada.page, 1), "p");
  await panel.getByText("the address is <b>here</b>").waitFor();
  await message(grace.page, 1).getByText("Pinned").waitFor();
  await panel.getByRole("button", { name: "Go to message" }).click();
  await message(grace.page, 1).and(grace.page.locator(".linked")).waitFor();
  await panel.getByRole("button", { name: "Unpin" }).click();
  await panel.getByText("Nothing is pinned yet.").waitFor();
  await message(ada.page, 1).locator(".pinned-mark").waitFor({ state: "detached" });
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});

test("the topic is changed by command and by dialog, and everybody sees it in the header", async () => {
  const [ada, grace] = await meet(server, "topics", "Ada", "Grace");
  assert.ok(ada && grace);
  await write(ada.page, "/topic Ships & <i>sails</i>");
  const linus = await enter(server, "topics", "Linus"); // who comes later
  await linus.page.getByRole("button", { name: "Topic: Ships & <i>sails</i>. Change it" }).waitFor();
  await grace.page.getByRole("button", { name: "Topic: Ships & <i>sails</i>. Change it" }).click();
  const dialog = grace.page.getByRole("dialog", { name: "What is this room about?" });
  assert.equal(await dialog.getByLabel("Topic").inputValue(), "Ships & <i>sails</i>");
  await dialog.getByLabel("Topic").fill("");
  await dialog.getByRole("button", { name: "Save topic" }).click();
  await ada.page.getByRole("button", { name: "Add a topic" }).waitFor();
  assert.equal(await ada.page.locator(".message").count(), 0, "nothing was said");
  await ada.page.reload();
  await ada.page.getByRole("button", { name: "Add a topic" }).waitFor();
  assert.deepEqual([...ada.wrong, ...grace.wrong, ...linus.wrong], []);
});
