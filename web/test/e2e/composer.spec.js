// The composer: drafts, mentions, slash commands, pasted text.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, assertShown, joined, row, told, write } from "./helper.js";
import { field, meet, message, said } from "./people.js";

/** @import { Locator } from "playwright-core" */

const server = await new Server().start();

/** Of handlers and styles in what is parsed inertly the browser says that it would not run them. @param {string} w */
const notOfParsing = (w) => !/inline (event handler|style) violates/.test(w);

test("the composer breaks lines with Shift+Enter, keeps drafts and refuses a text that is too long", async () => {
  const [ada] = await meet(server, "draft", "Ada");
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
  await ada.page.getByText("1 character over").waitFor();
  await field.press("Enter");
  assert.equal((await field.inputValue()).length, 4001, "kept, not sent");
  await field.fill("   \n ");
  await field.press("Enter");
  assert.equal(await ada.page.locator(".message").count(), 1);
});

test("a mention is completed, marked in the text, and highlighted for the mentioned person", async () => {
  const [ada, grace] = await meet(server, "mention", "Ada", "Grace Hopper");
  assert.ok(ada && grace);
  await ada.page
    .locator(".people li", { hasText: "Grace Hopper" })
    .or(ada.page.locator(".people-count", { hasText: "2" }))
    .first()
    .waitFor();
  await said(grace.page, "hello", 1); // a room is there from its first message on, and so are its members
  await message(ada.page, 1).waitFor();
  await field(ada.page).pressSequentially("hi @gr");
  const option = ada.page.getByRole("option", { name: "Grace Hopper" });
  await option.waitFor();
  assert.equal(await option.getAttribute("aria-selected"), "true");
  assert.equal(await field(ada.page).getAttribute("aria-activedescendant"), await option.getAttribute("id"));
  await field(ada.page).press("Escape");
  assert.equal(await ada.page.getByRole("option").count(), 0);
  await field(ada.page).pressSequentially("a");
  assert.equal(await ada.page.getByRole("option").count(), 0, "not again for this word");
  await field(ada.page).fill("**hi** @gr");
  await field(ada.page).press("Tab");
  assert.equal(await field(ada.page).inputValue(), "**hi** @Grace Hopper ");
  await field(ada.page).pressSequentially("`@Grace Hopper` @nobody");
  await field(ada.page).press("Enter");
  await message(grace.page, 2).and(grace.page.locator(".for-me")).waitFor();
  assert.deepEqual(await message(grace.page, 2).locator(".mention").allTextContents(), ["@Grace Hopper"]);
  assert.equal(await message(ada.page, 2).and(ada.page.locator(".for-me")).count(), 0);
  await write(grace.page, "@here listen");
  await message(ada.page, 3).and(ada.page.locator(".for-me")).waitFor();
  await field(grace.page).pressSequentially("@here");
  const whole = grace.page.getByRole("option").first();
  await whole.waitFor();
  await field(grace.page).press("Enter"); // there is nothing to complete: it sends
  await message(ada.page, 4).waitFor();
  await whole.waitFor({ state: "hidden" });
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});

test("slash commands are suggested, explained and executed", async () => {
  const [ada, grace] = await meet(server, "slash", "Ada", "Grace");
  assert.ok(ada && grace);
  await field(ada.page).pressSequentially("/to");
  await ada.page.getByRole("option", { name: "/topic" }).waitFor();
  await field(ada.page).press("Enter");
  assert.equal(await field(ada.page).inputValue(), "/topic ");
  await write(ada.page, "/help");
  const dialog = ada.page.getByRole("dialog", { name: "Commands" });
  await dialog.getByText("/shrug").waitFor();
  await ada.page.keyboard.press("Escape");
  assert.equal(await ada.page.locator(".message").count(), 0);
  await write(ada.page, "/me waves");
  await message(grace.page, 1).locator(".body.action", { hasText: "Ada waves" }).waitFor();
  await write(ada.page, "//me is a command");
  await message(grace.page, 2).getByText("/me is a command").waitFor();
  await assertShown(ada.page, ["Ada waves", "/me is a command"]);
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});

test("/nick changes the name and /join opens a room", async () => {
  const [ada, grace] = await meet(server, "own-commands", "Ada", "Grace");
  assert.ok(ada && grace);
  await write(ada.page, "/nick Countess");
  await grace.page.locator(".people .name", { hasText: "Countess" }).waitFor();
  await ada.page.getByRole("button", { name: /^You are Countess/ }).waitFor();
  await said(ada.page, "by my new name", 1);
  await message(grace.page, 1).locator(".author", { hasText: "Countess" }).waitFor();
  await write(ada.page, "/nick \u202E");
  await told(ada.page, /name/i);
  await write(ada.page, "/join Straße");
  await ada.page.waitForURL(`${server.url}/r/strasse`);
  await ada.page.getByRole("heading", { name: "strasse" }).waitFor();
  assert.equal(await grace.page.locator(".message").count(), 1, "nothing of it was said");
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});

test("formatted text is pasted as Markdown, and no script in it runs", async () => {
  const [ada] = await meet(server, "paste", "Ada");
  assert.ok(ada);
  const paste = (/** @type {string} */ html, /** @type {string} */ text) =>
    field(ada.page).evaluate(
      (f, [html = "", text = ""]) => {
        const data = new DataTransfer();
        data.setData("text/html", html);
        data.setData("text/plain", text);
        f.focus();
        return f.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
      },
      [html, text],
    );
  await paste(
    `<meta charset=utf-8><p>a <b>bold</b> <a href="https://example.org/x">word</a>` +
      `<img src=x onerror="window.ran=1"><script>window.ran=2</script></p><ul><li>one<li>two</ul>`,
    "plain",
  );
  assert.equal(await field(ada.page).inputValue(), "a **bold** [word](https://example.org/x)\n\n- one\n- two");
  await field(ada.page).press("Control+z");
  assert.equal(await field(ada.page).inputValue(), "", "one step takes it back");
  assert.equal(
    await paste("<span style='color:red'>no formatting</span>", "no formatting"),
    true,
    "the browser pastes that",
  );
  await paste(`<b>x</b>${"<p>long <i>text</i></p>".repeat(5000)}`, "");
  assert.ok((await field(ada.page).inputValue()).startsWith("**x**\n\nlong *text*"));
  await ada.page.getByText(/characters over/).waitFor();
  assert.equal(
    await ada.page.evaluate(() => /** @type {{ ran?: number }} */ (/** @type {unknown} */ (globalThis)).ran),
    undefined,
  );
  await field(ada.page).fill("");
  assert.deepEqual(ada.wrong.filter(notOfParsing), []);
});

test("what is copied from the page's own messages keeps its formatting when it is pasted", async () => {
  const [ada] = await meet(server, "copied", "Ada");
  assert.ok(ada);
  const { page } = ada;
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const text = "some **bold**, *slanted*, ~~struck~~ and `code`";
  await said(page, text, 1);
  const body = message(page, 1).locator(".body");
  const copied = async (/** @type {Locator} */ what, before = "") => {
    await what.evaluate((b) => getSelection()?.selectAllChildren(b));
    await page.keyboard.press("Control+c");
    await field(page).fill(before);
    await field(page).press("Control+End");
    await field(page).press("Control+v");
  };
  const pasted = (/** @type {string} */ want) =>
    page.waitForFunction((want) => document.querySelector("textarea")?.value === want, want);
  await copied(body);
  await pasted(text);
  await copied(body.locator("strong")); // one word of it
  await pasted("**bold**");
  await copied(body, "```\n"); // nothing is escaped in an open fence
  await pasted("```\nsome bold, slanted, struck and code");
  assert.deepEqual(ada.wrong.filter(notOfParsing), []);
});

test("literal characters that were pasted beside formatting are shown as they were", async () => {
  const [ada] = await meet(server, "literal", "Ada");
  assert.ok(ada);
  const { page } = ada;
  const texts = [
    "#1 C:\\dir > 3",
    "2*3*4, __init__, ^_^ >_< *_* 5 * 6, snake_case, _x_, *y*",
    "~~z~~ ||w|| `v` [u](t)",
    "C:\\dir\\new \\\\server\\share",
    "# no heading",
    "> no quote",
    "- no item",
    "+ no item",
    "* no item",
    "---",
    "D:\\_work_ \\\\srv\\*b*",
    "&lt;b> &amp; <i>",
  ];
  for (const [i, text] of texts.entries()) {
    await field(page).evaluate((f, text) => {
      const p = document.createElement("p");
      p.textContent = text;
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/html", `${p.outerHTML}<p><b>bold</b></p>`);
      f.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    }, text);
    await field(page).press("Enter");
    const body = message(page, i + 1).locator(".body");
    await body.locator("strong", { hasText: "bold" }).waitFor();
    assert.equal(await body.locator("p").first().textContent(), text);
    assert.equal(await body.locator("h1, blockquote, li, em, del, code, a, .spoiler").count(), 0, text);
  }
  assert.deepEqual(ada.wrong, []);
});
