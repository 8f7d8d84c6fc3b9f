// How much room messages take: a lone line, a line that follows, and both in the compact density.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, drawn } from "./helper.js";
import { enter, message } from "./people.js";

const server = await new Server().start();

for (const [density, lone, following] of /** @type {const} */ ([["comfortable", 56, 26], ["compact", 28, 24]])) {
  test(`${density}: a lone line takes ${lone} px, one that follows ${following} px`, async () => {
    const room = `density-${density}`;
    const [grace, linus] = [await server.session("Grace"), await server.session("Linus")];
    await server.say(room, linus, "Before it.");
    await server.say(room, grace, "A lone line.");
    await server.say(room, grace, "And one that follows.");
    await server.say(room, linus, "**Formatted**, with a [link](https://example.org/).");
    const { page, context, wrong } = await enter(server, room, "Ada", { viewport: { width: 1280, height: 800 } });
    await message(page, 4).waitFor();
    await page.keyboard.press("Control+,");
    await page.locator(`[name=density][value=${density}]`).check();
    await page.keyboard.press("Escape");
    await drawn(page);
    /** Its height with the space that separates it from the row before. @param {number} seq */
    const height = (seq) =>
      message(page, seq).evaluate((m) => m.getBoundingClientRect().height + parseFloat(getComputedStyle(m).marginTop));
    assert.equal(await height(2), lone);
    assert.equal(await height(3), following);
    assert.equal(await height(4), lone, "formatting takes no more");

    // It is there before the first paint of the next visit, and in every tab.
    const other = await context.newPage();
    await other.goto(`${server.url}/r/${room}`);
    await other.locator(`html[data-density=${density}]`).waitFor({ state: "attached" });
    assert.deepEqual(wrong, []);
  });
}

test("a thread says its room and shows who replied, and its bell is pressed while one follows", async () => {
  const grace = await server.session("Grace");
  const root = Number((await server.say("thread-look", grace, "Still to get."))["seq"]);
  for (const name of ["Linus", "Zoë", "Linus", "Kay", "Margaret"])
    await server.post("/api/rooms/thread-look/messages", { text: "A reply", thread: root }, await server.session(name));
  const { page, wrong } = await enter(server, "thread-look", "Ada");
  const line = page.locator("room-view .replies");
  await line.getByText("5 replies").waitFor();
  assert.equal(await line.locator(".avatar").count(), 1, "the face of the last one");
  await line.click();
  await page.locator("side-panel h2", { hasText: "Thread" }).waitFor();
  assert.equal(await page.locator(".panel-header .about").textContent(), "thread-look");
  await page.locator("thread-panel .replies-rule", { hasText: "5 replies" }).waitFor();
  assert.equal(await page.locator("thread-panel .replies-rule .avatar").count(), 3);
  const bell = page.locator("side-panel .follow");
  assert.equal(await bell.getAttribute("aria-pressed"), "false");
  await bell.click();
  await page.locator("side-panel .follow[aria-pressed=true]").waitFor();
  assert.deepEqual(wrong, []);
});
