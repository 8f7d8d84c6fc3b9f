// Every view of the page in every theme, as axe-core judges its accessibility.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PHONE, assertAccessible } from "./axe.js";
import { Server, indexed, joined, pressSend, visitor } from "./helper.js";
import { pressHeader, pressMenu } from "./people.js";

/** @import { BrowserContextOptions } from "playwright-core" */

const server = await new Server().start();
const grace = await server.guest("Grace");

/** Fills a room with one message of each kind, edited, deleted, pinned and so on.
 * @param {string} room  @param {string} name of the person who is mentioned */
async function furnish(room, name) {
  const at = (/** @type {number} */ seq) => `/api/rooms/${room}/messages/${seq}`;
  for (const text of [
    "plain",
    "**bold** `code` https://example.org/ ||spoiler||",
    "```go\nfunc main() {}\n```",
    "- [x] done\n\n> quote\n\n| a | b |\n| - | - |\n| 1 | 2 |",
    "مرحبا",
    "👍",
    `@${name} look`,
    "/me waves",
    "line\n".repeat(30),
  ])
    await server.say(room, grace, text);
  const say = (/** @type {object} */ body) => server.post(`/api/rooms/${room}/messages`, { ...body }, grace);
  await say({ text: "an answer", reply_to: 1 });
  await say({ text: "in the thread", thread: 1 });
  await say({ text: "and in the room", thread: 1, echo: true });
  await say({ forward: { room, seq: 1 } });
  await server.put(`${at(1)}/reactions/${encodeURIComponent("👍")}`, grace);
  await server.put(`/api/rooms/${room}/pins/2`, grace);
  await server.put(`/api/rooms/${room}/topic`, grace, { text: "What it is about" });
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${grace}` };
  await fetch(server.url + at(1), { method: "PATCH", headers, body: JSON.stringify({ text: "plain, edited" }) });
  await fetch(server.url + at(5), { method: "DELETE", headers });
}

/** @type {[string, "system" | "contrast", BrowserContextOptions][]} */
const LOOKS = [
  ["light", "system", {}],
  ["dark", "system", { colorScheme: "dark" }],
  ["contrast", "contrast", {}],
  ["light, phone", "system", PHONE],
  ["dark, phone", "system", { colorScheme: "dark", ...PHONE }],
  ["dark contrast, phone", "contrast", { colorScheme: "dark", ...PHONE }],
];

for (const [i, [look, theme, options]] of LOOKS.entries()) {
  test(`axe finds nothing in any view: ${look}`, async () => {
    const room = `axe-${i}`;
    const phone = options.isMobile ?? false;
    // A theme changes nothing but colours, so the other rules are checked in one theme for each size.
    const rules = look.startsWith("light") ? "all" : "colours";
    const { page, context, wrong } = await visitor(server, null, options);
    await context.addInitScript((t) => localStorage.setItem("parley:theme", JSON.stringify(t)), theme);
    const message = (/** @type {number} */ seq) => page.locator(`room-view .message[data-seq='${seq}']`);
    const field = page.getByLabel("Your message");
    const press = (/** @type {number} */ seq, /** @type {string} */ key) =>
      message(seq)
        .focus()
        .then(() => message(seq).press(key));
    /** Opens something, judges it, and closes it by the Escape key.
     * @param {string} what  @param {() => Promise<void>} open  @param {string} there  @param {number} [escapes] */
    const judge = async (what, open, there, escapes = 1) => {
      await open();
      await page.locator(there).first().waitFor();
      await assertAccessible(page, what, rules);
      for (let n = 0; n < escapes; n++) await page.keyboard.press("Escape");
      if (escapes > 0) await page.waitForFunction(() => !history.state?.layer); // back at the room’s own entry
    };
    await page.goto(server.url);
    await page.getByRole("heading", { name: "Parley" }).waitFor();
    await assertAccessible(page, "front page", rules);
    await furnish(room, "Ada");
    await page.goto(`${server.url}/r/${room}`);
    await page.getByRole("heading", { name: `Welcome to ${room}` }).waitFor();
    await assertAccessible(page, "who are you", rules);
    await page.getByLabel("Your name").fill("Ada");
    await page.getByRole("button", { name: "Enter the room" }).click();
    await joined(page);
    await message(9).waitFor();
    await field.fill("mine");
    await pressSend(page);
    await message(19).waitFor();
    for (const other of ["favourite", "muted", "news"]) {
      await context.request.post(`${server.url}/api/rooms/${other}-${i}/messages`, { data: { text: "mine" } });
      await server.say(`${other}-${i}`, grace, other === "news" ? "@Ada, news" : "news");
    }
    await context.request.put(`${server.url}/api/me/rooms/favourite-${i}`, { data: { favourite: true } });
    await context.request.put(`${server.url}/api/me/rooms/muted-${i}`, { data: { muted: true } });
    await context.request.put(`${server.url}/api/me/saved/${room}/1`);
    await context.request.put(`${server.url}/api/me/threads/${room}/1`);
    await page.reload();
    await joined(page);
    await message(19).focus();
    await assertAccessible(page, "room, one's own message with its toolbar", rules);
    await judge("message menu", () => press(1, "Enter"), ".float:popover-open .menu");
    await judge("emoji picker", () => press(19, "+"), ".emoji-picker [role=gridcell], .emoji-picker .grid button");
    await judge("replying", () => press(1, "r"), ".composer .about:not([hidden])");
    await judge("editing", () => press(19, "e"), ".composer .about:not([hidden])");
    await judge("delete dialog", () => press(19, "Delete"), "dialog[open]");
    await judge("versions", () => message(1).locator(".edited").click(), "dialog.versions[open]");
    await judge("topic dialog", () => pressHeader(page, "Change the topic"), "dialog[open]");
    await judge("date dialog", () => pressMenu(page, "Jump to a date"), "dialog[open]");
    await judge(
      "completion",
      async () => {
        await field.fill("");
        await field.pressSequentially("/");
      },
      ".suggestions [role=option]",
    );
    await field.fill("/s");
    await judge("a command that there is not", () => pressSend(page), ".hint:not([hidden])", 0);
    await field.fill("/help");
    await judge("help", () => pressSend(page), "dialog.help[open]");
    await judge("thread", () => press(1, "t"), "thread-panel .message[data-seq='12']");
    await page.locator("thread-panel").waitFor({ state: "detached" });
    await judge("pins", () => pressHeader(page, "Pinned messages"), "pins-panel li");
    await judge(
      "share dialog",
      () => pressHeader(page, "Share this room"),
      "dialog.share[open]",
    );
    await judge(
      "people",
      () => pressHeader(page, /here$/),
      phone ? "side-panel.people" : ".room-view, room-view",
      phone ? 1 : 0,
    );
    const rooms = async () => {
      if (phone) await page.getByRole("button", { name: /^Rooms/ }).click();
      await page.locator("room-list li.named").waitFor();
    };
    await judge(
      "a room's menu",
      async () => {
        await rooms();
        await page.locator("room-list li.named .more").focus();
        await page.keyboard.press("Enter");
      },
      ".float:popover-open .menu",
      phone ? 2 : 1,
    );
    for (const panel of ["Saved", "Threads"]) {
      await judge(
        panel,
        async () => {
          await rooms();
          await page.getByRole("button", { name: panel, exact: true }).click();
        },
        ".hits li",
      );
    }
    await judge("switcher", () => page.keyboard.press("Control+k"), "dialog.switcher [role=option]");
    await judge(
      "search",
      async () => {
        await indexed(context, server, "plain");
        await page.keyboard.press("Control+Shift+F");
        await page.getByRole("searchbox", { name: "Search" }).fill("plain");
        await page.getByText("Search tips").click();
      },
      ".hits li",
    );
    await judge(
      "settings",
      async () => {
        await page.keyboard.press("Control+,");
        await page.getByLabel("Quiet hours").check();
      },
      "dialog.settings[open]",
      0,
    );
    await judge(
      "shortcuts",
      () => page.getByRole("button", { name: "Keyboard shortcuts" }).click(),
      "dialog.shortcuts[open]",
    );
    await page.goto(`${server.url}/r/empty-${i}`);
    await page.getByText("Nobody has written here yet").waitFor();
    await joined(page);
    await assertAccessible(page, "empty room", rules);
    await page.goto(`${server.url}/r/%21%3F`);
    await page.getByRole("heading", { name: "No room can have this name" }).waitFor();
    await assertAccessible(page, "refusal", rules);
    await page.goto(server.url);
    await page.locator("room-list li.named").waitFor();
    await assertAccessible(page, "front page with rooms", rules);
    assert.deepEqual(wrong, []);
  });
}
