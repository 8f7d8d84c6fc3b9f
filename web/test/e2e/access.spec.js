import assert from "node:assert/strict";
import { test } from "node:test";
import { PHONE, assertAccessible } from "./axe.js";
import { Server, joined, resting, row, told, visitor, write } from "./helper.js";
import { enter, field, meet, message, said } from "./people.js";

const server = await new Server().start();
const grace = await server.guest("Grace");
for (const text of [
  "plain",
  "**bold** `code` https://example.org/",
  "```\ncode\n```",
  "- list\n\n> quote",
  "مرحبا",
  "👍",
])
  await server.say("axe", grace, text);

test("axe finds nothing in a lost connection, with pending and failed messages", async () => {
  const own = await new Server("--message-length", "20").start();
  const { page } = await visitor(own, "Ada");
  await page.goto(`${own.url}/r/states`);
  await joined(page);
  await page.evaluate(() => {
    const nonce = "0198c1d2-7a3b-7c4d-8e5f-60718293a4b5";
    localStorage.setItem(
      `parley:outbox:states:${nonce}`,
      JSON.stringify({
        nonce,
        text: "x".repeat(30),
        at: Date.now(),
        owner: "gone",
        attempted: false,
        since: 0,
        failed: null,
      }),
    );
  });
  await page.reload();
  await page.locator(".failed").waitFor();
  await own.kill();
  await page.getByText("Reconnecting…").waitFor();
  await write(page, "kept");
  await page.locator(".pending .state", { hasText: "Kept on this device" }).waitFor();
  await assertAccessible(page, "kept and failed");
});

test("the accessibility tree has the log, its messages with author and time, and the landmarks", async () => {
  const { page, context } = await visitor(server, "Ada");
  await page.goto(`${server.url}/r/axe`);
  await joined(page);
  await page.locator("[data-seq='1']").waitFor();
  const cdp = await context.newCDPSession(page);
  const { nodes } = await cdp.send("Accessibility.getFullAXTree");
  const roles = (/** @type {string} */ role) => nodes.filter((n) => !n.ignored && n.role?.value === role);
  const log = roles("log")[0];
  assert.equal(log?.name?.value, "Messages");
  const articles = roles("article").map((n) => String(n.name?.value));
  assert.match(articles[0] ?? "", /^Grace \d?\d:\d\d.* plain$/);
  assert.match(
    articles[1] ?? "",
    /^Grace .*bold code https:\/\/example\.org\/$/,
    "a message within a group says its author, too",
  );
  assert.ok(nodes.some((n) => n.role?.value === "StaticText" && n.name?.value === "plain"));
  for (const role of ["banner", "main", "complementary", "heading", "textbox"]) assert.ok(roles(role).length > 0, role);
  assert.equal(roles("textbox")[0]?.name?.value, "Your message");
});

test("new messages are announced, history and redrawn rows are not", async () => {
  await server.fill("announce", 250);
  const { page } = await visitor(server, "Ada");
  // Notes each row that comes while the log is live: that is what a screen reader would say.
  await page.addInitScript(() => {
    const said = /** @type {string[]} */ ([]);
    Object.assign(globalThis, { said });
    new MutationObserver((changes) => {
      for (const { target, addedNodes } of changes) {
        const live = target instanceof Element && target.closest("[role=log]");
        if (!live || live.getAttribute("aria-live") !== "polite") continue;
        for (const node of addedNodes)
          if (node instanceof Element && node.matches(".message"))
            said.push(node.querySelector(".body")?.textContent ?? "");
      }
    }).observe(document, { subtree: true, childList: true });
  });
  const said = () => page.evaluate(() => /** @type {{ said: string[] }} */ (/** @type {unknown} */ (globalThis)).said);
  await page.goto(`${server.url}/r/announce`);
  await page.locator("[data-seq='250']").waitFor();
  await page.locator(".log[aria-live=polite]").waitFor();
  await page.locator(".log").evaluate((log) => {
    log.scrollTop = 0;
  });
  await page.waitForFunction(() => Number(document.querySelector("[data-seq]")?.getAttribute("data-seq")) <= 200);
  await page.locator(".log[aria-live=polite]").waitFor();
  assert.deepEqual(await said(), []);
  await page.keyboard.press("Escape");
  await server.say("announce", grace, "news");
  await row(page, "news").waitFor();
  await write(page, "my answer");
  await row(page, "my answer").and(page.locator("[data-seq='252']")).waitFor();
  assert.deepEqual(await said(), ["news", "my answer"], "each once, one's own echo not again");
});

test("a wide table and a long line of code scroll sideways by keys, in the room, a thread and the pins", async () => {
  const table = `|${" unbreakable |".repeat(16)}\n|${" - |".repeat(16)}\n|${" cell |".repeat(16)}`;
  const wide = `${table}\n\n\`\`\`\n${"code ".repeat(200)}\n\`\`\``;
  const { seq } = await server.say("wide", grace, wide);
  await server.post("/api/rooms/wide/messages", { text: wide, thread: seq }, grace);
  await server.put(`/api/rooms/wide/pins/${seq}`, grace);
  const { page, wrong } = await visitor(server, "Ada");
  await page.goto(`${server.url}/r/wide`);
  await joined(page);
  const moves = async (/** @type {string} */ where) => {
    for (const what of [".table", "pre"]) {
      const frame = page.locator(`${where} ${what}`).first();
      await frame.focus();
      assert.ok(
        await frame.evaluate((e) => document.activeElement === e && e.scrollWidth > e.clientWidth),
        `${where} ${what} has the focus, and there is more of it`,
      );
      await frame.press("ArrowRight");
      await page.waitForFunction(() => (document.activeElement?.scrollLeft ?? 0) > 0);
    }
  };
  await moves("room-view .message");
  await page.locator(`room-view .message[data-seq='${seq}']`).press("t");
  await page.locator("thread-panel .message .table").first().waitFor();
  await moves("thread-panel .message");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Pinned messages" }).click();
  await page.locator("pins-panel .table").waitFor();
  await moves("pins-panel .pin");
  assert.deepEqual(wrong, []);
});

test("every control is reached by keyboard alone", async () => {
  const { page, wrong } = await visitor(server, "Ada");
  await page.goto(`${server.url}/r/axe`);
  await joined(page);
  await page.locator("[data-seq='6']").waitFor();
  const focused = () =>
    page.evaluate(
      () =>
        document.activeElement?.closest("[data-seq]")?.getAttribute("data-seq") ??
        document.activeElement?.getAttribute("aria-label") ??
        document.activeElement?.id,
    );
  assert.equal(await focused(), "composer-field");
  const last = Number(await page.locator("[data-seq]").last().getAttribute("data-seq"));
  await page.keyboard.press("ArrowUp"); // from an empty composer into the log
  await page.locator(`[data-seq='${last}']:focus`).waitFor();
  await page.keyboard.press("ArrowUp");
  assert.equal(await focused(), String(last - 1));
  await page.keyboard.press("Home");
  assert.equal(await focused(), "1");
  await page.keyboard.press("Tab"); // its author
  assert.equal(await page.evaluate(() => document.activeElement?.className), "author");
  await page.keyboard.press("Tab"); // its time, which is its address
  assert.equal(await page.evaluate(() => document.activeElement?.className), "permalink");
  await page.keyboard.press("Tab"); // its toolbar, in which arrow keys go on
  assert.equal(await focused(), "1");
  for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await told(page, /Link copied|#1/);
  await page.keyboard.press("Escape"); // to the newest message and back to the composer
  await page.locator("#composer-field:focus").waitFor();

  await page.reload();
  await joined(page);
  assert.equal(await page.locator("app-shell a, app-shell button").first().textContent(), "Skip to the message field");
  await page.locator(".skip-link").focus();
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "composer-field");
  await page.getByRole("button", { name: "Share this room" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: /^Share/ }).waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await focused(), "Share this room", "the focus comes back from the dialog");
  assert.deepEqual(wrong, []);
});

test("on a phone the page fits, its menu shows the people, and the keyboard leaves the composer in view", async () => {
  const { page, wrong } = await visitor(server, "Ada", PHONE);
  await page.goto(`${server.url}/r/axe`);
  await joined(page);
  await row(page, "plain").first().waitFor({ state: "attached" });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  await page.getByRole("button", { name: "More about this room" }).tap();
  await page.getByRole("menuitem", { name: /here$/ }).tap();
  await page.locator(".people li", { hasText: "Ada" }).first().waitFor();
  await page.keyboard.press("Escape");
  await page.setViewportSize({ width: 390, height: 420 }); // as with the keyboard on the screen (resizes-content)
  await page.waitForFunction(() => {
    const bottom = document.querySelector(".composer")?.getBoundingClientRect().bottom ?? Infinity;
    return innerHeight === 420 && bottom <= 420; // the composer is in view
  });
  await page.waitForFunction(() => {
    const log = document.querySelector(".log");
    return log && log.scrollHeight - log.scrollTop - log.clientHeight < 2;
  });
  assert.match(
    (await page.locator("meta[name=viewport]").getAttribute("content")) ?? "",
    /interactive-widget=resizes-content/,
  );
  assert.deepEqual(wrong, []);
});

test("right-to-left text has its own direction and leaves the layout around it as it is", async () => {
  const { page } = await visitor(server, "دانا", PHONE);
  await page.goto(`${server.url}/r/${encodeURIComponent("שלום")}`);
  await joined(page);
  await write(page, "مرحبا بكم! abc");
  await page.locator("[data-seq='1']").waitFor();
  const direction = await page.locator("[data-seq='1'] .body").evaluate((b) => getComputedStyle(b).direction);
  assert.equal(direction, "rtl");
  const meta = await page
    .locator("[data-seq='1'] .meta")
    .evaluate((m) => [...m.children].map((c) => c.getBoundingClientRect().left));
  assert.ok((meta[0] ?? 0) < (meta[1] ?? 0), "the name stands before the time");
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
});

test("nothing moves when reduced motion is asked for", async () => {
  const { page } = await visitor(server, "Ada", { reducedMotion: "reduce" });
  await page.goto(`${server.url}/r/axe`);
  await joined(page);
  const moving = await page.evaluate(() => {
    const lasting = (/** @type {string} */ times) => times.split(",").some((t) => parseFloat(t) > 0);
    return [...document.querySelectorAll("*")].filter((e) => {
      const style = getComputedStyle(e);
      return lasting(style.transitionDuration) || (style.animationName !== "none" && lasting(style.animationDuration));
    }).length;
  });
  assert.equal(moving, 0);
});

test("toolbar, menu and single-letter shortcuts work by keyboard alone", async () => {
  const [ada] = await meet(server, "keys", "Ada");
  assert.ok(ada);
  const { page } = ada;
  await said(page, "mine", 1);
  await said(page, "mine too", 2);
  const focused = () =>
    page.evaluate(
      () =>
        document.activeElement?.getAttribute("data-seq") ??
        document.activeElement?.getAttribute("aria-label") ??
        document.activeElement?.getAttribute("data-do") ??
        document.activeElement?.id,
    );
  await page.keyboard.press("Shift+ArrowUp");
  assert.equal(await focused(), "2");
  await page.keyboard.press("ArrowUp");
  assert.equal(await focused(), "1");
  await page.keyboard.press("Tab"); // its author
  await page.keyboard.press("Tab"); // its time
  await page.keyboard.press("Tab"); // its toolbar
  assert.equal(await focused(), "Add a reaction");
  await page.keyboard.press("ArrowRight");
  assert.equal(await focused(), "Reply");
  await page.keyboard.press("End");
  assert.equal(await focused(), "More actions");
  await page.keyboard.press("Enter");
  await page.getByRole("menu", { name: "Actions for this message" }).waitFor();
  await assertAccessible(page, "menu");
  await page.keyboard.press("ArrowUp");
  assert.equal(await focused(), "remove");
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.activeElement?.closest(".message")?.getAttribute("data-seq") === "1");
  await page.locator(".message[data-seq='1']").focus();
  await page.keyboard.press("ContextMenu");
  await page.getByRole("menu", { name: "Actions for this message" }).waitFor();
  await page.keyboard.press("e");
  await page.waitForFunction(() => document.activeElement?.id === "composer-field");
  assert.equal(await field(page).inputValue(), "mine");
  await page.keyboard.press("Escape");
  assert.deepEqual(ada.wrong, []);
});

test("on a phone a tap shows the toolbar and a long press the menu, both for thumbs, and no row moves", async () => {
  const ada = await enter(server, "phone", "Ada", PHONE);
  const { page } = ada;
  await said(page, "tap me", 1);
  await said(page, "and me", 2);
  const before = await message(page, 2).boundingBox();
  await message(page, 1).locator(".body").tap();
  const toolbar = message(page, 1).getByRole("toolbar");
  await toolbar.waitFor();
  assert.deepEqual(await message(page, 2).boundingBox(), before, "no row has moved");
  for (const box of await Promise.all((await toolbar.locator("button:visible").all()).map((b) => b.boundingBox())))
    assert.ok(box && box.width >= 40 && box.height >= 40, JSON.stringify(box));
  await message(page, 2)
    .locator(".body")
    .dispatchEvent("contextmenu", { bubbles: true, cancelable: true, clientX: 50, clientY: 400 });
  const menu = page.getByRole("menu", { name: "Actions for this message" });
  await menu.waitFor();
  const box = await resting(page, async () => JSON.stringify(await page.locator(".float .menu").boundingBox())).then(
    (json) => JSON.parse(json),
  );
  assert.ok(box && box.x === 0 && Math.round(box.y + box.height) === 844, "a sheet at the bottom");
  for (const item of await menu.locator("button").all()) assert.ok(((await item.boundingBox())?.height ?? 0) >= 44);
  await assertAccessible(page, "menu on a phone");
  await page.getByRole("menuitem", { name: "Edit" }).tap();
  assert.equal(await field(page).inputValue(), "and me");
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  assert.deepEqual(ada.wrong, []);
});
