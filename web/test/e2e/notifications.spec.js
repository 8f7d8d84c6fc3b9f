// Notifications of several tabs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, joined, row, visitor } from "./helper.js";
import { entry, openRoomMenu } from "./room-list.js";

/** @import { Page } from "playwright-core" */

const server = await new Server().start();

test("one tab of several notifies, not for the open room, and the note closes when the message is read", async () => {
  const person = await visitor(server, "Hanna");
  const { context, page } = person;
  const grace = await server.session("Grace");
  await context.clock.install();
  await context.addInitScript(() => {
    class Fake {
      static permission = "granted";
      static requestPermission = async () => "granted";
      onclick = null;
      closed = false;
      /** @param {string} title  @param {{ body: string }} options */
      constructor(title, options) {
        this.title = title;
        this.body = options.body;
        /** @type {unknown[]} */ (
          /** @type {{ notes?: unknown[] }} */ (/** @type {unknown} */ (window)).notes ??= []
        ).push(this);
      }
      close() {
        this.closed = true;
      }
    }
    Object.assign(window, { Notification: Fake });
    localStorage.setItem("parley:settings", JSON.stringify({ system: true }));
  });
  /** @param {Page} p  @returns {Promise<string[]>} */
  const notes = (p) =>
    p.evaluate(() => {
      const { notes = [] } = /** @type {{ notes?: { title: string, body: string, closed: boolean }[] }} */ (
        /** @type {unknown} */ (window)
      );
      return notes.map((n) => `${n.title.replace(/[\u2068\u2069]/g, "")}: ${n.body}${n.closed ? " (closed)" : ""}`);
    });
  for (const room of ["n-other", "n-here"]) {
    await server.say(room, grace, "first");
    await page.goto(`${server.url}/r/${room}`);
    await row(page, "first").waitFor();
    await joined(page);
  }
  const second = await context.newPage();
  const [socket] = await Promise.all([second.waitForEvent("websocket"), second.goto(`${server.url}/r/n-here`)]);
  await joined(second);
  /** Lets the pause end in which a tab waits for the others, once both know of the message.
   * @param {string} badge of the room that it is in */
  const pauseEnds = async (badge) => {
    for (const tab of [page, second]) await entry(tab, "n-other").locator(".badge", { hasText: badge }).waitFor();
    for (const tab of [page, second]) await tab.clock.runFor(2000);
  };
  await server.say("n-here", grace, "looked at");
  await server.say("n-other", grace, "psst, @Hanna");
  await row(page, "looked at").waitFor();
  await pauseEnds("@");
  const all = [...(await notes(page)), ...(await notes(second))];
  assert.deepEqual(all, ["Grace mentioned you in n-other: psst, @Hanna"]);
  await context.request.put(`${server.url}/api/me/rooms/n-other/read`, { data: { seq: 2 } });
  const speaker = (await notes(page)).length > 0 ? page : second;
  await speaker.waitForFunction(
    () => /** @type {{ notes?: { closed: boolean }[] }} */ (/** @type {unknown} */ (window)).notes?.[0]?.closed,
  );
  await entry(page, "n-other").locator(".badge", { hasText: /^$/ }).waitFor({ state: "attached" });
  await openRoomMenu(page, "n-other");
  const muted = socket.waitForEvent("framereceived", ({ payload }) => String(payload).includes('"notify":"none"'));
  await page.getByRole("menuitemradio", { name: "Do not notify me" }).click();
  await muted;
  await server.say("n-other", grace, "@Hanna again");
  await pauseEnds("1");
  assert.equal((await notes(page)).length + (await notes(second)).length, 1);
  assert.deepEqual(person.wrong, []);
});
