// What people do with messages: two and three of them, one of them away for a while.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PHONE, assertAccessible } from "./axe.js";
import { Server, joined, visitor, write } from "./helper.js";

/** @import { BrowserContextOptions, Locator, Page } from "playwright-core" */

const server = await new Server().start();

/** People in a room. @param {string} room  @param {string[]} names */
async function meet(room, ...names) {
  return Promise.all(names.map((name) => enter(room, name)));
}

/** @param {string} room  @param {string} name  @param {BrowserContextOptions} [options] */
async function enter(room, name, options) {
  const person = await visitor(server, name, options);
  let cut = () => {};
  let away = false;
  await person.page.routeWebSocket(/\/ws$/, (ws) => {
    if (away) return void ws.close({ code: 4999 });
    const upstream = ws.connectToServer();
    cut = () => {
      upstream.close();
      ws.close({ code: 4999 });
    };
  });
  /** The connection is lost and does not come back until the person does. */
  const leave = async () => {
    away = true;
    cut();
    await person.page.getByText("Reconnecting…").waitFor();
  };
  const comeBack = async () => {
    away = false;
    await person.page.getByText("Back online").waitFor({ timeout: 30_000 });
  };
  await person.page.goto(`${server.url}/r/${room}`);
  await joined(person.page);
  return { ...person, leave, comeBack };
}

/** The message with a seq in the room's log. @param {Page} page  @param {number} seq */
const message = (page, seq) => page.locator(`room-view .message[data-seq='${seq}']`);
/** Where one writes. @param {Page} page */
const field = (page) => page.getByLabel("Your message");
/** Says something and waits until it is stored. @param {Page} page  @param {string} text  @param {number} seq */
async function said(page, text, seq) {
  await write(page, text);
  await message(page, seq).waitFor();
}
/** Opens a message's menu, in which an item has to be. @param {Page} page  @param {number} seq  @param {string} name */
async function openMenu(page, seq, name) {
  await press(message(page, seq), "Enter");
  await page.getByRole("menuitem", { name }).waitFor();
}
/** Presses a letter on a message. @param {Locator} on  @param {string} key */
async function press(on, key) {
  await on.focus();
  await on.press(key);
}

test("one edits what one said: everybody sees it, with what it said before, also who was away", async () => {
  const [ada, grace] = await meet("edit", "Ada", "Grace");
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
  await message(grace.page, 1).locator("strong", { hasText: "all" }).waitFor({ timeout: 30_000 });
  await message(grace.page, 1).locator(".edited").click();
  const dialog = grace.page.getByRole("dialog", { name: "What it said before" });
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

test("one deletes what one said, after being asked: a tombstone stays, for who was away and who comes later, too", async () => {
  const [ada, grace] = await meet("delete", "Ada", "Grace");
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
  await message(grace.page, 1).getByText("This message was deleted.").waitFor({ timeout: 30_000 });
  await message(grace.page, 2).focus();
  assert.equal(await message(grace.page, 2).locator("[data-do=menu]").count(), 1);
  const linus = await enter("delete", "Linus");
  await message(linus.page, 1).getByText("This message was deleted.").waitFor();
  assert.deepEqual([...ada.wrong, ...grace.wrong, ...linus.wrong], []);
});

test("reactions are put and taken back, by pointer and keyboard, and say whose they are", async () => {
  const [ada, grace] = await meet("react", "Ada", "Grace");
  assert.ok(ada && grace);
  await said(ada.page, "ship it?", 1);
  const pill = (/** @type {Page} */ page) => message(page, 1).locator(".reaction", { hasText: "👍" });
  await message(grace.page, 1).focus();
  await grace.page.keyboard.press("Enter");
  await grace.page.getByRole("menuitem", { name: "React with 👍" }).click();
  await pill(ada.page).waitFor();
  assert.deepEqual(await pill(ada.page).evaluate((b) => [b.getAttribute("aria-pressed"), b.textContent, b.getAttribute("aria-label")?.replace(/[\u2068\u2069]/g, "")]), ["false", "👍1", "👍 1: Grace"]);
  await pill(ada.page).click();
  await grace.page.waitForFunction(() => document.querySelector(".reaction .n")?.textContent === "2");
  assert.equal(await pill(ada.page).getAttribute("aria-pressed"), "true");
  assert.match((await pill(grace.page).getAttribute("title")) ?? "", /you and .*Ada/);
  await message(grace.page, 1).focus(); // … by Tab: time, toolbar, reactions
  await pill(grace.page).focus();
  await grace.page.keyboard.press("Space");
  await ada.page.waitForFunction(() => document.querySelector(".reaction .n")?.textContent === "1");
  assert.ok(await pill(grace.page).evaluate((b) => b === document.activeElement), "the pill keeps the focus");
  await ada.leave();
  await pill(ada.page).click();
  await ada.page.getByRole("status").getByText(/not connected|connection/i).waitFor();
  assert.equal(await pill(ada.page).getAttribute("aria-pressed"), "true", "what was not done is not shown as done");
  await ada.comeBack();
  await pill(ada.page).click();
  await pill(grace.page).waitFor({ state: "detached" });
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});

test("an answer quotes what it answers and leads there; the quote goes with its message", async () => {
  const [ada, grace] = await meet("answer", "Ada", "Grace");
  assert.ok(ada && grace);
  await said(ada.page, "who takes the **notes**?", 1);
  for (let i = 2; i <= 30; i++) await server.say("answer", await sessionOf("Filler"), `line ${i}`);
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
  await message(grace.page, 31).getByText("An answer to a message that was deleted").waitFor();
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});

/** @type {Map<string, string>} */
const sessions = new Map();
/** @param {string} name */
async function sessionOf(name) {
  const known = sessions.get(name) ?? (await server.guest(name));
  sessions.set(name, known);
  return known;
}

test("a thread is beside the room, counts under its root, and can speak to the room, too", async () => {
  const [ada, grace, linus] = await meet("thread", "Ada", "Grace", "Linus");
  assert.ok(ada && grace && linus);
  await said(ada.page, "shall we?", 1);
  await press(message(grace.page, 1), "t");
  const thread = grace.page.locator("thread-panel");
  await thread.getByText("shall we?").waitFor();
  await grace.page.keyboard.type("a word in private");
  await grace.page.keyboard.press("Enter");
  await thread.locator(".message[data-seq='2']").waitFor();
  await message(ada.page, 1).getByRole("button", { name: /^1 reply, last/ }).click();
  const hers = ada.page.locator("thread-panel");
  await hers.getByText("a word in private").waitFor();
  await hers.getByLabel("Also to the room").check();
  await ada.page.getByLabel("Your reply").fill("and for all");
  await ada.page.getByLabel("Your reply").press("Enter");
  await thread.getByText("and for all").waitFor();
  await message(linus.page, 3).getByText("and for all").waitFor();
  await message(linus.page, 3).getByRole("button", { name: "From a thread" }).waitFor();
  assert.equal(await linus.page.locator("room-view .message").count(), 2, "the rest stays in the thread");
  assert.equal(await hers.getByLabel("Also to the room").isChecked(), false, "it was for one message");
  await message(linus.page, 1).getByRole("button", { name: /^2 replies, last/ }).waitFor();

  await press(thread.locator(".message[data-seq='2']"), "Delete");
  await grace.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await message(linus.page, 1).getByRole("button", { name: /^1 reply, last/ }).waitFor();
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
  await thread.locator(".message[data-seq='6']").waitFor({ timeout: 30_000 });
  const texts = await thread.locator(".message .body").allTextContents();
  assert.deepEqual(texts, ["shall we?", "This message was deleted.", "and for all", "while you were away", "kept in the thread"]);
  await grace.page.keyboard.press("Escape");
  await thread.waitFor({ state: "detached" });
  assert.deepEqual([...ada.wrong, ...grace.wrong, ...linus.wrong], []);
});

test("one follows a thread, or not", async () => {
  const [ada] = await meet("follow", "Ada");
  assert.ok(ada);
  await said(ada.page, "root", 1);
  await press(message(ada.page, 1), "t");
  const button = ada.page.locator("thread-panel .follow");
  await button.waitFor();
  const before = await button.getAttribute("aria-pressed");
  await button.click();
  await ada.page.waitForFunction((was) => document.querySelector("thread-panel .follow")?.getAttribute("aria-pressed") !== was, before);
  await ada.page.getByRole("button", { name: "Close panel" }).click();
  await press(message(ada.page, 1), "t");
  await button.waitFor();
  assert.notEqual(await button.getAttribute("aria-pressed"), before, "the server knows it");
  assert.deepEqual(ada.wrong, []);
});

test("what is pinned is found in the panel, live, and leads there", async () => {
  const [ada, grace] = await meet("pins", "Ada", "Grace");
  assert.ok(ada && grace);
  await said(ada.page, "the address is <b>here</b>", 1);
  await grace.page.getByRole("button", { name: "Pinned messages" }).click();
  const panel = grace.page.locator("pins-panel");
  await panel.getByText("Nothing is pinned here.").waitFor();
  await press(message(ada.page, 1), "p");
  await panel.getByText("the address is <b>here</b>").waitFor();
  await message(grace.page, 1).getByText("Pinned").waitFor();
  await panel.getByRole("button", { name: "Go to it" }).click();
  await message(grace.page, 1).and(grace.page.locator(".linked")).waitFor();
  await panel.getByRole("button", { name: "Unpin" }).click();
  await panel.getByText("Nothing is pinned here.").waitFor();
  await message(ada.page, 1).locator(".pinned-mark").waitFor({ state: "detached" });
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});

test("a message is forwarded to another room, which says from whom it is and not from where", async () => {
  const [ada] = await meet("elsewhere", "Ada");
  assert.ok(ada);
  await ada.page.goto(`${server.url}/r/forward`);
  await joined(ada.page);
  const grace = await enter("elsewhere", "Grace");
  await said(ada.page, "worth repeating", 1);
  await message(ada.page, 1).focus();
  await ada.page.keyboard.press("Enter");
  await ada.page.getByRole("menuitem", { name: "Forward…" }).click();
  const dialog = ada.page.getByRole("dialog", { name: "Forward to a room" });
  await dialog.waitFor();
  await assertAccessible(ada.page, "forward");
  await dialog.getByRole("button", { name: "elsewhere" }).click();
  await ada.page.getByText(/Forwarded to .*elsewhere/).waitFor();
  await message(grace.page, 1).getByText("worth repeating").waitFor();
  await message(grace.page, 1).getByText(/^Forwarded: Ada, /).waitFor();
  await press(message(ada.page, 1), "Enter");
  await ada.page.getByRole("menuitem", { name: "Forward…" }).click();
  await dialog.getByLabel("Room").fill("no room");
  await dialog.getByRole("button", { name: "Forward", exact: true }).click();
  await ada.page.getByRole("status").getByText(/name/).waitFor();
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});

test("the topic stands in the header for everybody, by command and by dialog", async () => {
  const [ada, grace] = await meet("topics", "Ada", "Grace");
  assert.ok(ada && grace);
  await write(ada.page, "/topic Ships & <i>sails</i>");
  const linus = await enter("topics", "Linus"); // who comes later
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

test("people are named: completed while one writes, marked in the text, lit up for whom it is", async () => {
  const [ada, grace] = await meet("mention", "Ada", "Grace Hopper");
  assert.ok(ada && grace);
  await ada.page.locator(".people li", { hasText: "Grace Hopper" }).or(ada.page.locator(".people-count", { hasText: "2" })).first().waitFor();
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
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});

test("what can be typed after a slash is suggested, explained and done", async () => {
  const [ada, grace] = await meet("slash", "Ada", "Grace");
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
  await message(ada.page, 2).waitFor();
  assert.deepEqual(await ada.page.locator(".message .body").allTextContents(), ["Ada waves", "/me is a command"]);
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});

test("another name and another room are a slash away", async () => {
  const [ada, grace] = await meet("own-commands", "Ada", "Grace");
  assert.ok(ada && grace);
  await write(ada.page, "/nick Countess");
  await grace.page.locator(".people .name", { hasText: "Countess" }).waitFor();
  await ada.page.getByRole("button", { name: /^You are Countess/ }).waitFor();
  await said(ada.page, "by my new name", 1);
  await message(grace.page, 1).locator(".author", { hasText: "Countess" }).waitFor();
  await write(ada.page, "/nick \u202E");
  await ada.page.locator("parley-toast.shown").waitFor();
  await write(ada.page, "/join Straße");
  await ada.page.waitForURL(`${server.url}/r/strasse`);
  await ada.page.getByRole("heading", { name: "strasse" }).waitFor();
  assert.equal(await grace.page.locator(".message").count(), 1, "nothing of it was said");
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});

test("what one saves lies in the panel, leads to its place, and is let go where it was saved", async () => {
  const [ada] = await meet("saved", "Ada");
  assert.ok(ada);
  const { page } = ada;
  await said(page, "worth keeping", 1);
  for (let i = 2; i <= 40; i++) await server.say("saved", await sessionOf("Filler"), `line ${i}`);
  await message(page, 40).waitFor();
  await press(message(page, 1), "s");
  await page.getByText("Saved for yourself").waitFor();
  await page.keyboard.press("Escape"); // to the newest
  await page.getByRole("button", { name: "Saved", exact: true }).click();
  const hit = page.locator(".saved .hits li");
  await hit.getByText("worth keeping").waitFor();
  await hit.getByRole("link").click();
  await message(page, 1).and(page.locator(".linked")).waitFor();
  await page.reload(); // the server knows it
  await joined(page);
  for (const [now, then, told] of [["Remove from saved", "Save for yourself", "Removed from saved"], ["Save for yourself", "Remove from saved", "Saved for yourself"]]) {
    await openMenu(page, 1, now ?? "");
    await page.getByRole("menuitem", { name: now }).click();
    await page.getByText(told ?? "").waitFor();
    await openMenu(page, 1, then ?? "");
    await page.keyboard.press("Escape");
  }
  await press(message(page, 1), "s");
  await page.getByText("Removed from saved").waitFor();
  await page.getByRole("button", { name: "Saved", exact: true }).click();
  await page.getByText("Nothing saved yet").waitFor();
  assert.deepEqual(ada.wrong, []);
});

test("the text of a message is copied as it was written", async () => {
  const [ada] = await meet("copied", "Ada");
  assert.ok(ada);
  const { page, context } = ada;
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await said(page, "as **written** :tada:", 1);
  await openMenu(page, 1, "Copy text");
  await page.getByRole("menuitem", { name: "Copy text" }).click();
  await page.getByText("Text copied").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "as **written** :tada:");
  assert.deepEqual(ada.wrong, []);
});

test("the threads that one follows are listed, and open from there; so does the address of a reply", async () => {
  const [ada] = await meet("threads", "Ada");
  assert.ok(ada);
  const { page } = ada;
  const grace = await sessionOf("Grace");
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

test("formatted text is pasted as Markdown, and nothing of it runs", async () => {
  const [ada] = await meet("paste", "Ada");
  assert.ok(ada);
  const paste = (/** @type {string} */ html, /** @type {string} */ text) => field(ada.page).evaluate((f, [html = "", text = ""]) => {
    const data = new DataTransfer();
    data.setData("text/html", html);
    data.setData("text/plain", text);
    f.focus();
    return f.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  }, [html, text]);
  await paste(`<meta charset=utf-8><p>a <b>bold</b> <a href="https://example.org/x">word</a><img src=x onerror="window.ran=1"><script>window.ran=2</script></p><ul><li>one<li>two</ul>`, "plain");
  assert.equal(await field(ada.page).inputValue(), "a **bold** [word](https://example.org/x)\n\n- one\n- two");
  await field(ada.page).press("Control+z");
  assert.equal(await field(ada.page).inputValue(), "", "one step takes it back");
  assert.equal(await paste("<span style='color:red'>no formatting</span>", "no formatting"), true, "the browser pastes that");
  await paste(`<b>x</b>${"<p>long <i>text</i></p>".repeat(5000)}`, "");
  assert.ok((await field(ada.page).inputValue()).startsWith("**x**\n\nlong *text*"));
  await ada.page.getByText(/too many/).waitFor();
  assert.equal(await ada.page.evaluate(() => /** @type {{ ran?: number }} */ (/** @type {unknown} */ (globalThis)).ran), undefined);
  await field(ada.page).fill("");
  // Of handlers and styles in what is parsed inertly the browser says that it would not run them.
  assert.deepEqual(ada.wrong.filter((w) => !/inline (event handler|style) violates/.test(w)), []);
});

test("a long message is folded, and unfolded by keyboard", async () => {
  const [ada] = await meet("long", "Ada");
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

test("a message is marked as unread from there on, on every device, until one comes back", async () => {
  const [ada] = await meet("unread-from", "Ada");
  assert.ok(ada);
  const phone = await visitor(server, null);
  await phone.context.addCookies(await ada.context.cookies());
  await phone.context.addInitScript(() => localStorage.setItem("parley:name", JSON.stringify("Ada")));
  await phone.page.goto(server.url);
  const entry = phone.page.locator("room-list li[data-room='unread-from']");
  const grace = await sessionOf("Grace");
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

test("emoji are picked by search, by keyboard, in a skin tone, and completed while one writes", async () => {
  const [ada] = await meet("emoji", "Ada");
  assert.ok(ada);
  const { page } = ada;
  await said(page, "react to me", 1);
  assert.equal(await page.evaluate(() => performance.getEntriesByType("resource").some((r) => r.name.endsWith("emoji-picker.js"))), false, "not loaded before it is wanted");
  await press(message(page, 1), "+");
  const picker = page.getByRole("dialog", { name: "Emoji", exact: true });
  await picker.getByRole("searchbox", { name: "Search emoji" }).waitFor();
  await picker.locator(".grid button").nth(30).waitFor();
  await assertAccessible(page, "picker");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.evaluate(() => [...document.querySelectorAll(".emoji-picker .grid button")].indexOf(/** @type {Element} */ (document.activeElement))), 1);
  await page.keyboard.press("ArrowUp");
  await page.keyboard.type("thumbsup");
  await picker.locator(".status", { hasText: /found/ }).waitFor();
  await picker.getByRole("radio", { name: "Skin tone 3 of 5" }).check();
  await picker.locator("button[data-emoji='👍🏽']").waitFor();
  await picker.getByRole("searchbox").press("Enter");
  await message(page, 1).locator(".reaction", { hasText: "👍🏽" }).waitFor();
  assert.ok(await message(page, 1).evaluate((m) => m === document.activeElement), "the focus comes back");
  await press(message(page, 1), "Enter");
  assert.equal(await page.getByRole("menuitem").first().textContent(), "👍🏽", "it is remembered");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Put in an emoji" }).click();
  await picker.getByRole("searchbox").fill("tada");
  await picker.locator("button[data-emoji='🎉']").click();
  await page.waitForFunction(() => /** @type {HTMLTextAreaElement} */ (document.querySelector("#composer-field")).value === "🎉");
  await field(page).pressSequentially(" :wav");
  await page.getByRole("option", { name: /:wave:/ }).waitFor();
  await field(page).press("Enter");
  assert.match(await field(page).inputValue(), /^🎉 👋/u);
  await field(page).fill("");
  assert.deepEqual(ada.wrong, []);
});

const HOSTILE = [
  `<img src=x onerror="window.ran=1">`, `"><script>window.ran=2</script>`, "[x](javascript:window.ran=3) **<b>**", "W".repeat(250), "\u2066open \u202Btext", "{{constructor}} ${window.ran=4}",
];

for (const [size, options] of Object.entries({ wide: {}, phone: PHONE })) {
  test(`hostile text is text in topics, quotes, threads, pins, versions, forwards and suggestions: ${size}`, async () => {
    const room = `hostile-${size}`;
    const ada = await enter(room, "Ada", options);
    const { page } = ada;
    const evil = await server.guest(`<img src=x onerror=ran=5>`);
    const call = (/** @type {string} */ method, /** @type {string} */ path, /** @type {object} */ body) => fetch(`${server.url}/api/rooms/${room}${path}`, { method, headers: { "Content-Type": "application/json", Authorization: `Bearer ${evil}` }, body: JSON.stringify(body) }).then((r) => r.json()).then((a) => Number(/** @type {{ seq: number }} */ (a).seq));
    const harmless = async (/** @type {string} */ where) => {
      const found = await page.evaluate(() => ({
        ran: /** @type {{ ran?: number }} */ (/** @type {unknown} */ (globalThis)).ran,
        foreign: document.querySelectorAll("img, script:not([src]), iframe, [onerror], [onload]").length,
        wide: document.documentElement.scrollWidth - innerWidth,
      }));
      assert.deepEqual(found, { ran: undefined, foreign: 0, wide: 0 }, where);
    };
    for (const text of HOSTILE) {
      await call("PUT", "/topic", { text });
      const root = await call("POST", "/messages", { text: `${text} @Ada` });
      await call("POST", "/messages", { text, reply_to: root });
      await call("POST", "/messages", { text: `/me ${text}`, thread: root, echo: true });
      await call("POST", "/messages", { text, thread: root });
      await call("POST", "/messages", { forward: { room, seq: root } });
      const emoji = await fetch(`${server.url}/api/rooms/${room}/messages/${root}/reactions/${encodeURIComponent(text)}`, { method: "PUT", headers: { Authorization: `Bearer ${evil}` } });
      assert.equal(emoji.ok, false, "no emoji");
      await call("PUT", `/pins/${root}`, {});
      const head = await call("PATCH", `/messages/${root}`, { text: `${text} again` });
      await message(page, root).locator(".edited").waitFor();
      await harmless(`room: ${text.slice(0, 30)}`);
      await message(page, root).locator(".edited").click();
      await page.getByRole("dialog", { name: "What it said before" }).locator("li").nth(1).waitFor();
      await harmless("versions");
      await page.keyboard.press("Escape");
      await press(message(page, root), "r");
      await harmless("replying");
      await page.keyboard.press("Escape");
      await press(message(page, root), "t");
      await page.locator("thread-panel .message").nth(2).waitFor();
      await harmless("thread");
      await page.getByRole("button", { name: "Close panel" }).click();
      assert.ok(head > root);
    }
    await page.getByRole("button", { name: "Pinned messages" }).click();
    await page.locator("pins-panel li").nth(HOSTILE.length - 1).waitFor();
    await harmless("pins");
    await page.getByRole("button", { name: "Close panel" }).click();
    await field(page).pressSequentially("@");
    await page.getByRole("option").first().waitFor();
    await harmless("suggestions");
    assert.deepEqual(ada.wrong, []);
  });
}

test("all of it by keyboard alone: toolbar, menu, letters", async () => {
  const [ada] = await meet("keys", "Ada");
  assert.ok(ada);
  const { page } = ada;
  await said(page, "mine", 1);
  await said(page, "mine too", 2);
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.getAttribute("data-do") ?? document.activeElement?.getAttribute("data-seq") ?? document.activeElement?.id);
  await page.keyboard.press("Shift+ArrowUp");
  assert.equal(await focused(), "2");
  await page.keyboard.press("ArrowUp");
  assert.equal(await focused(), "1");
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

test("on a phone a tap shows the toolbar and a long press the menu, with room for a thumb; nothing moves", async () => {
  const ada = await enter("phone", "Ada", PHONE);
  const { page } = ada;
  await said(page, "tap me", 1);
  await said(page, "and me", 2);
  const before = await message(page, 2).boundingBox();
  await message(page, 1).locator(".body").tap();
  const toolbar = message(page, 1).getByRole("toolbar");
  await toolbar.waitFor();
  assert.deepEqual(await message(page, 2).boundingBox(), before, "no row has moved");
  for (const box of await Promise.all((await toolbar.locator("button:visible").all()).map((b) => b.boundingBox()))) assert.ok(box && box.width >= 40 && box.height >= 40, JSON.stringify(box));
  await message(page, 2).locator(".body").dispatchEvent("contextmenu", { bubbles: true, cancelable: true, clientX: 50, clientY: 400 });
  const menu = page.getByRole("menu", { name: "Actions for this message" });
  await menu.waitFor();
  const box = await menu.boundingBox();
  assert.ok(box && box.x === 0 && Math.round(box.y + box.height) === 844, "a sheet at the bottom");
  for (const item of await menu.locator("button").all()) assert.ok(((await item.boundingBox())?.height ?? 0) >= 44);
  await assertAccessible(page, "menu on a phone");
  await page.getByRole("menuitem", { name: "Edit" }).tap();
  assert.equal(await field(page).inputValue(), "and me");
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  assert.deepEqual(ada.wrong, []);
});
