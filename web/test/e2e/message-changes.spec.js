// Edits, deletions, long messages, and copying a message's text or link.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, drawn, row, told, write } from "./helper.js";
import { enter, field, meet, message, openMenu, press, said } from "./people.js";

/** @import { Page } from "playwright-core" */

const server = await new Server().start();

test("an edit reaches everybody, with the earlier version, also somebody who was away", async () => {
  const [ada, grace] = await meet(server, "edit", "Ada", "Grace");
  assert.ok(ada && grace);
  await said(ada.page, "helo", 1);
  await message(grace.page, 1).waitFor();
  await grace.leave();

  await field(ada.page).fill("a draft");
  await press(message(ada.page, 1), "e");
  assert.equal(await field(ada.page).inputValue(), "helo");
  await field(ada.page).fill("hello, **all**");
  await field(ada.page).press("Enter");
  await message(ada.page, 1).locator(".edited").waitFor();
  assert.equal(await field(ada.page).inputValue(), "a draft", "the draft is there again");
  await press(message(ada.page, 1), "e");
  await field(ada.page).fill("other words");
  await field(ada.page).press("Escape");
  assert.equal(await field(ada.page).inputValue(), "a draft");
  assert.match((await message(ada.page, 1).locator(".body").textContent()) ?? "", /^hello, all edited$/);

  await grace.comeBack();
  await message(grace.page, 1).locator("strong", { hasText: "all" }).waitFor();
  await message(grace.page, 1).locator(".edited").click();
  const dialog = grace.page.getByRole("dialog", { name: "Earlier versions" });
  await dialog.getByText("helo").waitFor();
  assert.equal(await dialog.locator("li").count(), 2);
  await grace.page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });

  await press(message(grace.page, 1), "e"); // not hers
  assert.equal(await field(grace.page).inputValue(), "");
  await field(ada.page).fill("");
  await field(ada.page).press("ArrowUp"); // from an empty composer: what one said last
  assert.equal(await field(ada.page).inputValue(), "hello, **all**");
  await field(ada.page).press("Escape");
  await field(ada.page).press("Shift+ArrowUp"); // into the log
  assert.ok(await message(ada.page, 1).evaluate((m) => m === document.activeElement));
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});

test("what arrives between press and release moves nothing away from under the pointer", async () => {
  const [ada, grace] = await meet(server, "still", "Ada", "Grace");
  assert.ok(ada && grace);
  const { page } = ada;
  await write(grace.page, Array(60).fill("a line").join("\n"));
  await said(page, "helo", 2);
  await press(message(page, 2), "e");
  await field(page).fill("hello");
  await field(page).press("Enter");
  await message(page, 2).locator(".edited").hover();
  await page.mouse.down();
  for (const text of ["one", "two", "three"]) await write(grace.page, text);
  await page.waitForFunction(() => {
    /** @typedef {{ session?: { room?: { state: { head: number } } } }} Shell */
    const shell = /** @type {Shell} */ (/** @type {unknown} */ (document.querySelector("app-shell")));
    return shell.session?.room?.state.head === 6;
  });
  await drawn(page);
  await page.mouse.up();
  await page.getByRole("dialog", { name: "Earlier versions" }).getByText("helo").waitFor();
  await message(page, 6).waitFor();
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});

test("what arrives is shown while the menu of a link is open, or after the link was dragged", async () => {
  const [ada, grace] = await meet(server, "link-menu", "Ada", "Grace");
  assert.ok(ada && grace);
  const { page } = ada;
  await said(page, "see https://example.org/", 1);
  const link = message(page, 1).getByRole("link", { name: "https://example.org/" });
  await link.hover();
  await page.mouse.down({ button: "right" }); // a menu of the browser keeps the pointerup for itself
  await write(grace.page, "one");
  await message(page, 2).waitFor();
  await page.mouse.up({ button: "right" });
  await page.evaluate(() => addEventListener("pointercancel", (e) => e.stopImmediatePropagation(), { capture: true }));
  await link.dragTo(page.locator("message-composer"));
  await write(grace.page, "two");
  await message(page, 3).waitFor();
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});

test("a deletion is confirmed first and leaves a tombstone, also for people who come later", async () => {
  const [ada, grace] = await meet(server, "delete", "Ada", "Grace");
  assert.ok(ada && grace);
  await said(ada.page, "regret", 1);
  await said(grace.page, "what?", 2);
  await grace.leave();
  await press(message(ada.page, 1), "Delete");
  const dialog = ada.page.getByRole("dialog", { name: "Delete this message?" });
  await dialog.getByText("regret").waitFor();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  assert.equal(await message(ada.page, 1).locator(".body").textContent(), "regret");
  assert.ok(await message(ada.page, 1).evaluate((m) => m === document.activeElement), "the focus comes back");
  await press(message(ada.page, 1), "Delete");
  await dialog.getByRole("button", { name: "Delete" }).click();
  await message(ada.page, 1).getByText("This message was deleted.").waitFor();
  await grace.comeBack();
  await message(grace.page, 1).getByText("This message was deleted.").waitFor();
  await message(grace.page, 2).focus();
  assert.equal(await message(grace.page, 2).locator("[data-do=menu]").count(), 1);
  const linus = await enter(server, "delete", "Linus");
  await message(linus.page, 1).getByText("This message was deleted.").waitFor();
  assert.deepEqual([...ada.wrong, ...grace.wrong, ...linus.wrong], []);
});

/** The ways to delete a message. @type {Record<string, (page: Page, seq: number) => Promise<unknown>>} */
const DELETE = {
  "its key": (page, seq) => press(message(page, seq), "Delete"),
  "the menu, by keys": async (page, seq) => {
    await openMenu(page, seq, "Delete");
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
  },
  "the menu, by the mouse": async (page, seq) => {
    await message(page, seq).hover();
    await message(page, seq).getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
  },
};
for (const [way, remove] of Object.entries(DELETE)) {
  test(`after a message was deleted by ${way}, the focus is on what is left of it`, async () => {
    const room = `focus-${way.replace(/\W+/g, "-")}`;
    const [ada] = await meet(server, room, "Ada");
    assert.ok(ada);
    const { page } = ada;
    await said(page, "stays", 1);
    await said(page, "goes", 2);
    await remove(page, 2);
    const dialog = page.getByRole("dialog", { name: "Delete this message?" });
    await dialog.getByRole("button", { name: "Delete" }).click();
    await message(page, 2).getByText("This message was deleted.").waitFor();
    await dialog.waitFor({ state: "hidden" });
    assert.ok(await message(page, 2).evaluate((m) => m === document.activeElement));
    assert.equal(await message(page, 2).getByRole("button", { name: "Reply" }).count(), 0, "nobody can answer it");
    await page.keyboard.press("ArrowUp");
    assert.ok(await message(page, 1).evaluate((m) => m === document.activeElement), "the arrow keys go on there");
    assert.deepEqual(ada.wrong, []);
  });
}

test("the toolbar of a message covers nothing that can be pressed, in either direction", async () => {
  const grace = await server.session("Grace");
  const say = async (/** @type {string} */ text, /** @type {object} */ more = {}) =>
    Number((await server.post("/api/rooms/toolbar/messages", { text, ...more }, grace))["seq"]);
  const link = (/** @type {number} */ n) => `${"word ".repeat(n)}https://example.org/${"path".repeat(4)}`;
  for (let n = 4; n <= 22; n += 3) await say(link(n));
  const full = await say("many reactions");
  for (const emoji of ["👍", "🎉", "❤️", "😀", "🚀", "👀", "✅", "🔥", "💯", "🙏", "🤔", "👏", "🍰", "☕"])
    await server.put(`/api/rooms/toolbar/messages/${full}/reactions/${encodeURIComponent(emoji)}`, grace);
  await say("after it");
  const root = await say("a thread begins");
  await say("in it", { thread: root });
  await say(`an answer ${link(9)}`, { reply_to: full });
  await say("```\ncode that one copies\n```");
  await say("the end");
  for (const query of ["", "?lang=xx-pseudo"]) {
    const { page, wrong } = await enter(server, `toolbar${query}`, "Ada", { viewport: { width: 900, height: 800 } });
    await message(page, full).waitFor();
    for (const m of await page.locator("room-view .message").all()) {
      await m.scrollIntoViewIfNeeded();
      const width = (await m.boundingBox())?.width ?? 0;
      await m.hover({ position: { x: query ? width - 8 : 8, y: 8 } }); // where the row begins
      await m.locator(".message-actions").waitFor();
      const covered = await page.evaluate(() => {
        const bar = document.querySelector(".message-actions");
        const { left, right, top, bottom } = /** @type {Element} */ (bar).getBoundingClientRect();
        return [...document.querySelectorAll(".log :is(a, button, input, [data-do])")]
          .filter((e) => !e.closest("[role=toolbar]") && e.checkVisibility({ opacityProperty: true }))
          .filter((e) =>
            [...e.getClientRects()].some((r) => r.right > left && r.left < right && r.bottom > top && r.top < bottom),
          )
          .map((e) => e.textContent);
      });
      assert.deepEqual(covered, [], `${query}: at “${await m.locator(".body").textContent()}”`);
    }
    assert.deepEqual(wrong, []);
  }
});

test("the focus stays in a message that changes", async () => {
  const [ada] = await meet(server, "focus", "Ada");
  assert.ok(ada);
  const { page, context } = ada;
  const grace = await server.session("Grace");
  const changed = `${server.url}/api/rooms/focus/messages/2`;
  const headers = { Authorization: `Bearer ${grace}` };
  await said(page, "where?", 1);
  await server.post("/api/rooms/focus/messages", { text: "at https://example.org/", reply_to: 1 }, grace);
  await message(page, 2).focus();
  await message(page, 2).locator(".quote").focus();
  await context.request.put(`${changed}/reactions/${encodeURIComponent("👍")}`, { headers });
  await message(page, 2).locator(".reaction").waitFor();
  await message(page, 2).locator(".quote:focus").waitFor();
  await message(page, 2).locator(".body a").focus();
  await context.request.patch(changed, { headers, data: { text: "at https://example.org/here" } });
  await message(page, 2).locator(".edited").waitFor();
  await message(page, 2).and(page.locator(":focus")).waitFor();
  assert.deepEqual(ada.wrong, []);
});

test("the text of a message is copied as it was written", async () => {
  const [ada] = await meet(server, "copied", "Ada");
  assert.ok(ada);
  const { page, context } = ada;
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await said(page, "as **written** :tada:", 1);
  await openMenu(page, 1, "Copy text");
  await page.getByRole("menuitem", { name: "Copy text" }).click();
  await told(page, "Text copied");
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "as **written** :tada:");
  assert.deepEqual(ada.wrong, []);
});

test("a long message is folded, and unfolded by keyboard", async () => {
  const [ada] = await meet(server, "long", "Ada");
  assert.ok(ada);
  await said(ada.page, Array.from({ length: 60 }, (_, i) => `line ${i}`).join("\n"), 1);
  const height = async () => (await message(ada.page, 1).boundingBox())?.height ?? 0;
  const folded = await height();
  assert.ok(folded < 560, `${folded}px`);
  await message(ada.page, 1).focus();
  await ada.page.getByRole("button", { name: "Show more" }).focus();
  await ada.page.keyboard.press("Enter");
  assert.ok((await height()) > 1200);
  await said(ada.page, "more", 2);
  assert.ok((await height()) > 1200, "it stays open");
  await ada.page.getByRole("button", { name: "Show less" }).click();
  assert.equal(await height(), folded);
  assert.deepEqual(ada.wrong, []);
});

test("the link to a message is copied, also without the clipboard API", async () => {
  const [ada] = await meet(server, "copy", "Ada");
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
  await ada.page.getByRole("button", { name: "Copy link" }).click();
  await told(ada.page, "Link copied");
  assert.equal(await ada.page.locator("body").getAttribute("data-copied"), `${server.url}/r/copy#1`);
  await ada.page.getByRole("button", { name: "Share this room" }).click();
  await ada.page.getByRole("button", { name: "Copy link", exact: true }).click();
  await told(ada.page, /^Link copied$/);
  assert.equal(await ada.page.locator("body").getAttribute("data-copied"), `${server.url}/r/copy`);
  assert.deepEqual(ada.wrong, []);
});
