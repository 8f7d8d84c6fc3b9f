// What is written is sent, kept and taken back as the person means it: completions, input methods, drafts, edits.
import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS } from "../../js/room/slash-commands.js";
import { GROUPS } from "../../js/talk/emoji-groups.js";
import { Server, joined, visitor, write } from "./helper.js";
import { enter, field, meet, message, openMenu, said } from "./people.js";

/** @import { Locator, Page } from "playwright-core" */

const server = await new Server().start();

/** Writes a text with the keys and presses Enter. @param {Page} page  @param {string} text */
async function type(page, text) {
  await field(page).pressSequentially(text);
  await field(page).press("Enter");
}

/** The texts of a room, once it has n. @param {string} room  @param {number} n */
async function stored(room, n) {
  for (;;) {
    const texts = await server.texts(room);
    if (texts.length >= n) return texts;
  }
}

test("Enter sends what is written, whatever the list beside it suggests", async () => {
  const [ada] = await meet(server, "as-written", "Ada");
  assert.ok(ada);
  const texts = ["lol :-p", "at :30", "ratio :10", "see :op", "@", "mail @ noon", "half :x"];
  for (const text of texts) {
    await field(ada.page).pressSequentially(text);
    await ada.page.evaluate(() => fetch("/api/emoji")); // what is suggested has come by now
    await field(ada.page).press("Enter");
  }
  assert.deepEqual(await stored("as-written", texts.length), texts);
  await field(ada.page).pressSequentially("nice :sm");
  const first = ada.page.getByRole("option").first();
  await first.waitFor();
  assert.equal(await ada.page.locator("[role=option][aria-selected=true]").count(), 0, "nothing is chosen");
  await field(ada.page).press("ArrowDown");
  assert.equal(await first.getAttribute("aria-selected"), "true");
  await field(ada.page).press("Enter");
  assert.match(await field(ada.page).inputValue(), /^nice \p{Emoji} $/u, "an arrow key has chosen it");
  await field(ada.page).fill("");
  for (const seq of [1, 2]) {
    await field(ada.page).pressSequentially("@he"); // again for each text
    await ada.page.getByRole("option", { name: "@here" }).waitFor();
    await field(ada.page).press("Enter");
    assert.equal(await field(ada.page).inputValue(), "@here ");
    await field(ada.page).press("Enter");
    await message(ada.page, texts.length + seq).waitFor();
  }
  assert.deepEqual(ada.wrong, []);
});

test("what is typed while no field has the focus is written, and shortcuts stay shortcuts", async () => {
  const [ada] = await meet(server, "anywhere", "Ada");
  assert.ok(ada);
  const { page } = ada;
  await said(page, "hello", 1);
  const elsewhere = {
    nothing: () => page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur()),
    "the log": () => page.locator("room-view .log").focus(),
    "a message": () => message(page, 1).focus(),
    "a button": () => page.locator("room-view .people-button").focus(),
    "the room list": () => page.locator("room-list li a").first().focus(),
  };
  for (const [where, go] of Object.entries(elsewhere)) {
    await go();
    await page.keyboard.type("Zoë 50 %");
    assert.equal(await field(page).inputValue(), "Zoë 50 %", where);
    await field(page).fill("");
  }
  await message(page, 1).focus();
  await page.keyboard.press("r"); // a message's own letters
  await page.getByText("Replying to Ada").waitFor();
  assert.equal(await field(page).inputValue(), "");
  await page.keyboard.press("Escape");
  await elsewhere["the log"]();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await page.keyboard.type("x");
  await page.keyboard.press("Escape");
  await openMenu(page, 1, "Reply");
  await page.keyboard.type("x");
  await page.keyboard.press("Escape");
  assert.equal(await field(page).inputValue(), "", "nothing under a dialog or menu");
  await openMenu(page, 1, "Open thread");
  await page.getByRole("menuitem", { name: "Open thread" }).click();
  await page.locator("thread-panel .follow, thread-panel .log").first().focus();
  await page.keyboard.type("a reply");
  assert.equal(await page.getByLabel("Your reply").inputValue(), "a reply", "beside a thread it is a reply");
  assert.deepEqual(ada.wrong, []);
});

test("Ctrl+Z takes back a completion, an emoji of the picker and a paste", async () => {
  const [ada] = await meet(server, "undo", "Ada", "Grace Hopper");
  assert.ok(ada);
  const { page } = ada;
  const text = field(page);
  await said(page, "the first", 1);
  const undone = async (/** @type {string} */ before, /** @type {string} */ what) => {
    assert.notEqual(await text.inputValue(), before, what);
    await text.press("Control+z");
    assert.equal(await text.inputValue(), before, what);
  };
  await text.pressSequentially("hi @gra");
  await page.getByRole("option", { name: "Grace Hopper" }).waitFor();
  await text.press("Enter");
  await undone("hi @gra", "a person");
  await text.fill("");
  await text.pressSequentially("so :smi");
  await page.getByRole("option").first().waitFor();
  await text.press("Tab");
  await undone("so :smi", "an emoji by its short-code");
  await text.fill("");
  await text.pressSequentially("/to");
  await page.getByRole("option").first().waitFor();
  await text.press("Enter");
  await undone("/to", "a command");
  await text.fill("a");
  await page.locator("room-view .pick-emoji").click();
  await page.getByRole("searchbox", { name: "Search emoji" }).fill("tada");
  await page.getByRole("searchbox", { name: "Search emoji" }).press("Enter");
  await page.waitForFunction(() => document.activeElement?.id === "composer-field");
  await undone("a", "an emoji of the picker");
  const paste = (/** @type {string} */ html) =>
    text.evaluate((f, html) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/html", html);
      f.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    }, html);
  await paste("<p>some <b>bold</b> words</p>");
  await undone("a", "a paste");
  await paste(`<b>x</b>${"<p>a <i>line</i></p>".repeat(2000)}`);
  await undone("a", "a long paste");
  assert.deepEqual(ada.wrong, []);
});

test("a word after a slash that is no command is kept with a hint, and is never published", async () => {
  const [ada] = await meet(server, "slash-words", "Ada");
  assert.ok(ada);
  const { page } = ada;
  const hint = page.locator("room-view .hint");
  for (const text of ["/s", "/ME waves", "/usr/bin is full"]) {
    await type(page, text);
    await hint.getByText(`There is no command`).waitFor();
    assert.equal(await field(page).inputValue(), text, "kept");
    await field(page).press("Enter");
    assert.equal(await field(page).inputValue(), text, "a second Enter sends it no more than the first");
    await field(page).press("End");
    await field(page).press("Backspace");
    await hint.waitFor({ state: "hidden" });
    await field(page).fill("");
  }
  await type(page, "/usr/bin is full");
  await hint.getByRole("button", { name: "Send it as text" }).click();
  await message(page, 1).getByText("/usr/bin is full").waitFor();
  assert.deepEqual(await stored("slash-words", 1), ["/usr/bin is full"]);
  await field(page).press("ArrowUp");
  assert.equal(await field(page).inputValue(), "//usr/bin is full");
  await field(page).fill("/usr is full");
  await field(page).press("Enter");
  await hint.getByText("An edit cannot be a command").waitFor();
  await hint.getByRole("button", { name: "Send it as text" }).click();
  await message(page, 1).getByText("/usr is full").waitFor();
  assert.deepEqual(await stored("slash-words", 1), ["/usr is full"]);
  const { commands } = await (await fetch(`${server.url}/api/commands`)).json();
  assert.deepEqual(
    commands.map((/** @type {{ name: string }} */ c) => c.name),
    COMMANDS,
    "the page knows the commands of the server",
  );
  assert.deepEqual(ada.wrong, []);
});

test("what somebody does is edited as /me, and stays what they do", async () => {
  const [ada] = await meet(server, "edit-me", "Ada");
  assert.ok(ada);
  const { page } = ada;
  await write(page, "/me waves");
  await message(page, 1).locator(".body.action").waitFor();
  await field(page).press("ArrowUp");
  assert.equal(await field(page).inputValue(), "/me waves");
  await field(page).fill("hello");
  await field(page).press("Enter");
  await page.getByText("Keep /me at the beginning").waitFor();
  await field(page).fill("/me sings");
  await field(page).press("Enter");
  await message(page, 1).locator(".body.action", { hasText: "Ada sings" }).waitFor();
  assert.deepEqual(await stored("edit-me", 1), ["sings"]);
  assert.deepEqual(ada.wrong, []);
});

test("ArrowUp edits the last message that can be edited, however far back, and shows it", async () => {
  const { page, wrong } = await enter(server, "far-back", "Ada");
  await said(page, "mine", 1);
  await server.fill("far-back", 180);
  await page.reload();
  await joined(page);
  await field(page).press("ArrowUp");
  await message(page, 1).and(page.locator(".linked")).waitFor();
  assert.equal(await field(page).inputValue(), "mine");
  const seen = await message(page, 1).evaluate((row) => {
    const { top, bottom } = row.getBoundingClientRect();
    const log = row.closest(".log")?.getBoundingClientRect();
    return log !== undefined && top >= log.top && bottom <= log.bottom;
  });
  assert.ok(seen, "it is in view");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "composer-field");
  await field(page).press("Escape");
  await page.locator(".linked").waitFor({ state: "detached" });
  assert.deepEqual(wrong, []);
});

test("an edit that leaves nothing asks whether to delete the message", async () => {
  const [ada] = await meet(server, "emptied", "Ada");
  assert.ok(ada);
  const { page } = ada;
  await said(page, "away with it", 1);
  await field(page).press("ArrowUp");
  await field(page).fill("");
  await field(page).press("Enter");
  const dialog = page.getByRole("dialog", { name: "Delete this message?" });
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("Editing your message").waitFor();
  await page.locator("room-view .send").click();
  await dialog.getByRole("button", { name: "Delete" }).click();
  await message(page, 1).getByText("This message was deleted").waitFor();
  await page.getByText("Editing your message").waitFor({ state: "hidden" });
  assert.deepEqual(ada.wrong, []);
});

test("a reply's target and a half-done edit are still there after a reload and a visit elsewhere", async () => {
  const [ada, grace] = await meet(server, "half", "Ada", "Grace");
  assert.ok(ada && grace);
  const { page } = ada;
  await said(grace.page, "what do you think?", 1);
  await message(page, 1).waitFor();
  await said(page, "I think so", 2);
  await openMenu(page, 1, "Reply");
  await page.getByRole("menuitem", { name: "Reply" }).click();
  await field(page).pressSequentially("well, ");
  await page.reload();
  await joined(page);
  await page.getByText("Replying to Grace").waitFor();
  assert.equal(await field(page).inputValue(), "well, ");
  // An edit takes its place for a while.
  await openMenu(page, 2, "Edit");
  await page.getByRole("menuitem", { name: "Edit" }).click();
  await field(page).press("End");
  await field(page).pressSequentially(", but");
  await page.goto(`${server.url}/r/elsewhere`);
  await joined(page);
  assert.equal(await field(page).inputValue(), "");
  await page.goto(`${server.url}/r/half`);
  await joined(page);
  await page.getByText("Editing your message").waitFor();
  assert.equal(await field(page).inputValue(), "I think so, but");
  await field(page).press("Enter");
  await message(page, 2).getByText("I think so, but").waitFor();
  await page.getByText("Replying to Grace").waitFor();
  assert.equal(await field(page).inputValue(), "well, ");
  await field(page).press("Enter");
  await message(page, 4).locator(".quote", { hasText: "what do you think?" }).waitFor();
  assert.deepEqual(ada.wrong, []);
});

test("a second tab neither deletes nor overwrites the draft of the first", async () => {
  const { context, page: first, wrong } = await enter(server, "two-tabs", "Ada");
  const second = await context.newPage();
  await second.goto(`${server.url}/r/two-tabs`);
  await joined(second);
  await field(first).pressSequentially("a long thought");
  await field(second).pressSequentially("quick");
  await field(second).press("Enter");
  await message(first, 1).getByText("quick").waitFor();
  assert.equal(await field(first).inputValue(), "a long thought");
  await first.reload();
  await joined(first);
  assert.equal(await field(first).inputValue(), "a long thought");
  await second.reload();
  await joined(second);
  await field(second).fill(""); // the draft that it took over from the first tab
  await first.reload();
  await joined(first);
  assert.equal(await field(first).inputValue(), "a long thought");
  await first.close();
  const third = await context.newPage();
  await third.goto(`${server.url}/r/two-tabs`);
  await joined(third);
  assert.equal(await field(third).inputValue(), "a long thought", "a new tab goes on with what a closed one left");
  assert.deepEqual(wrong, []);
});

/** Writes with an input method into a field and presses the Enter that confirms the word. Returns what is left there.
 * @param {Page} page  @param {Locator} into */
async function compose(page, into) {
  await into.focus();
  const before = page.url();
  const cdp = await page.context().newCDPSession(page);
  const enterKey = { key: "Enter", code: "Enter", windowsVirtualKeyCode: 229, nativeVirtualKeyCode: 229 };
  await cdp.send("Input.imeSetComposition", { text: "かんじ", selectionStart: 3, selectionEnd: 3 });
  await cdp.send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...enterKey });
  await cdp.send("Input.insertText", { text: "漢字" });
  await cdp.send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...enterKey }); // as Safari does, afterwards
  await cdp.send("Input.dispatchKeyEvent", { type: "keyUp", ...enterKey });
  await cdp.detach();
  assert.equal(page.url(), before);
  return into.inputValue();
}

test("Enter that confirms a word of an input method does nothing else, in any field", async () => {
  const [ada] = await meet(server, "漢字", "Ada");
  assert.ok(ada);
  const { page } = ada;
  await said(page, "hello", 1);
  assert.equal(await compose(page, field(page)), "漢字", "the composer");
  await field(page).press("Enter"); // this one sends
  await message(page, 2).getByText("漢字").waitFor();
  await field(page).pressSequentially("@he"); // the Enter that follows does not take the suggestion
  await page.getByRole("option", { name: "@here" }).waitFor();
  assert.equal(await compose(page, field(page)), "@he漢字");
  await field(page).fill("");

  await page.locator("room-view .pick-emoji").click();
  assert.equal(await compose(page, page.getByRole("searchbox", { name: "Search emoji" })), "漢字", "the picker");
  await page.keyboard.press("Escape");
  assert.equal(await field(page).inputValue(), "");

  await page.keyboard.press("Control+k");
  assert.equal(await compose(page, page.locator("dialog.switcher input")), "漢字", "the switcher");
  await page.keyboard.press("Escape");

  const filter = page.locator("room-list input[type=search]");
  if (await filter.isVisible()) {
    assert.equal(await compose(page, filter), "漢字", "the room list");
    await filter.fill("");
  }

  await page.keyboard.press("Control+Shift+f");
  const search = page.locator("search-panel input[type=search], .search-form input[type=search]").first();
  await search.fill("");
  assert.equal(await compose(page, search), "漢字", "the search");
  await page.keyboard.press("Escape");

  for (const [dialog, open] of /** @type {[string, () => Promise<void>][]} */ ([
    ["What is this room about?", () => page.locator("room-topic button").click()],
    [
      "Forward to a room",
      async () => {
        await openMenu(page, 1, "Forward…");
        await page.getByRole("menuitem", { name: "Forward…" }).click();
      },
    ],
    [
      "Settings",
      async () => {
        await page.keyboard.press("Control+,");
        await page.getByRole("dialog", { name: "Settings" }).getByRole("button", { name: "Change" }).click();
      },
    ],
  ])) {
    await open();
    const there = page.getByRole("dialog", { name: dialog });
    const input = there.locator("input:not([type=checkbox], [type=radio], [type=time])").first();
    await input.fill("");
    assert.equal(await compose(page, input), "漢字", dialog);
    assert.ok(await there.isVisible(), `${dialog} is still open`);
    await page.keyboard.press("Escape");
  }
  assert.deepEqual(ada.wrong, []);
});

test("the ways in are left by no Enter of an input method either", async () => {
  const { page, wrong } = await visitor(server, null);
  for (const path of ["/", "/r/way-in"]) {
    await page.goto(server.url + path);
    const name = page.locator("input[name=name]");
    assert.equal(await compose(page, name), "漢字", path);
    assert.equal(await page.locator("app-shell").count(), 0, "nobody has entered");
  }
  assert.deepEqual(wrong, []);
});

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

test("on a phone Return makes a new line and the button sends, unless one chooses otherwise", async () => {
  const { page, wrong } = await enter(server, "phone", "Ada", PHONE);
  await field(page).tap();
  await page.keyboard.type("one");
  await page.keyboard.press("Enter");
  await page.keyboard.type("two");
  assert.equal(await field(page).inputValue(), "one\ntwo");
  assert.equal(await field(page).getAttribute("enterkeyhint"), "enter");
  await page.locator("room-view .send").tap();
  await message(page, 1).getByText("one").waitFor();
  assert.deepEqual(await server.texts("phone"), ["one\ntwo"]);
  assert.equal(await page.evaluate(() => document.activeElement?.id), "composer-field", "one can write on");
  await page.evaluate(() => localStorage.setItem("parley:settings", JSON.stringify({ sendBy: "enter" })));
  await page.reload();
  await joined(page);
  await field(page).tap();
  assert.equal(await field(page).getAttribute("enterkeyhint"), "send");
  await page.keyboard.type("three");
  await page.keyboard.press("Enter");
  await message(page, 2).getByText("three").waitFor();
  assert.deepEqual(wrong, []);
});

test("formatting buttons work by mouse and keys, can be undone, and stay hidden if one hides them", async () => {
  const [ada] = await meet(server, "formats", "Ada");
  assert.ok(ada);
  const { page } = ada;
  const bar = page.locator("room-view").getByRole("toolbar", { name: "Formatting" });
  await field(page).fill("a word");
  await field(page).press("Shift+Control+ArrowLeft");
  await bar.getByRole("button", { name: "Bold" }).click();
  assert.equal(await field(page).inputValue(), "a **word**");
  await page.keyboard.press("Control+z");
  assert.equal(await field(page).inputValue(), "a word");
  await field(page).press("End");
  await field(page).press("Shift+Control+ArrowLeft");
  await page.keyboard.press("Control+i");
  assert.equal(await field(page).inputValue(), "a *word*");
  await page.keyboard.press("Shift+Tab"); // one stop of the Tab key
  await page.keyboard.press("End");
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("aria-label")), "Code");
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter"); // struck
  assert.equal(await field(page).inputValue(), "a *~~word~~*");
  const edge = await page.locator("room-view form.composer").evaluate((c) => getComputedStyle(c).outlineStyle);
  assert.equal(edge, "none", "no ring while one writes");
  await page.locator("room-view .formats-button").click();
  await bar.waitFor({ state: "hidden" });
  await page.reload();
  await joined(page);
  assert.equal(await bar.isVisible(), false);
  await page.locator("room-view .formats-button").click();
  await bar.getByRole("button", { name: "Quote" }).waitFor();
  assert.deepEqual(ada.wrong, []);
});

test("nothing shifts when somebody begins to type", async () => {
  const [ada, grace] = await meet(server, "shift", "Ada", "Grace");
  assert.ok(ada && grace);
  await said(ada.page, "hello", 1);
  const places = () =>
    ada.page.evaluate(() =>
      ["room-view .log", "room-view .composer", "room-view .message"].map((s) =>
        JSON.stringify(document.querySelector(s)?.getBoundingClientRect()),
      ),
    );
  const before = await places();
  await field(grace.page).pressSequentially("I think");
  await ada.page.getByText("Grace").and(ada.page.getByText("is typing")).waitFor();
  assert.deepEqual(await places(), before);
});

test("the picker stands at its button, and its groups are reached by mouse and keys", async () => {
  const [ada] = await meet(server, "groups", "Ada");
  assert.ok(ada);
  const { page } = ada;
  const { emoji } = await (await fetch(`${server.url}/api/emoji`)).json();
  const at = GROUPS.map(({ first }) => emoji.findIndex((/** @type {string[]} */ e) => e[0] === first));
  assert.deepEqual(
    at,
    [...at].sort((a, b) => a - b),
    "the server has the first emoji of each group, in this order",
  );
  assert.equal(at[0], 0);
  await page.locator("room-view .pick-emoji").click();
  const picker = page.getByRole("dialog", { name: "Emoji" });
  await picker.getByRole("button", { name: "Recent" }).waitFor();
  const box = await picker.boundingBox();
  const composer = await page.locator("room-view form.composer").boundingBox();
  assert.ok(box && composer);
  assert.ok(Math.abs(box.x + box.width - composer.x - composer.width) < 2, "its end is the composer's end");
  assert.ok(box.y + box.height <= composer.y, "it covers nothing of the composer");
  for (const name of ["Food and drink", "Symbols", "Smileys and people"]) {
    await picker.getByRole("button", { name, exact: true }).click();
    const seen = await picker.locator(".section", { hasText: name }).evaluate((h) => {
      const grid = h.closest(".grid")?.getBoundingClientRect();
      const { top } = h.getBoundingClientRect();
      return grid !== undefined && top >= grid.top - 1 && top < grid.bottom;
    });
    assert.ok(seen, `${name} is in view`);
    assert.equal(await picker.locator(".groups [aria-pressed=true]").getAttribute("aria-label"), name);
  }
  await page.keyboard.press("End");
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("aria-label")), "Flags");
  await picker.getByRole("searchbox").fill("tada");
  await picker.locator(".groups").waitFor({ state: "hidden" });
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector("textarea")?.value === "🎉");
  assert.equal(await page.locator("room-view .pick-emoji").getAttribute("aria-expanded"), "false");
  assert.deepEqual(ada.wrong, []);
});

test("on a phone the picker is a sheet from below, with targets that a finger hits", async () => {
  const { page, wrong } = await enter(server, "sheet", "Ada", PHONE);
  await page.locator("room-view .pick-emoji").tap();
  const picker = page.getByRole("dialog", { name: "Emoji" });
  const first = picker.locator(".grid button").first();
  await first.waitFor();
  await page.waitForFunction(() => {
    const { bottom, width } = document.querySelector(".emoji-picker")?.getBoundingClientRect() ?? new DOMRect();
    return Math.abs(bottom - innerHeight) < 2 && width > 380; // it has come from below
  });
  const target = await first.boundingBox();
  assert.ok(target && target.height >= 44 && target.width >= 40, JSON.stringify(target));
  await first.tap();
  await page.waitForFunction(() => document.querySelector("textarea")?.value !== "");
  for (const button of ["pick-emoji", "send"]) {
    const { width = 0, height = 0 } = (await page.locator(`room-view .composer .${button}`).boundingBox()) ?? {};
    assert.ok(width >= 44 && height >= 44, button);
  }
  assert.deepEqual(wrong, []);
});

test("the keyboard of a phone does not cover the composer, also where the browser only moves its view", async () => {
  const { page, wrong } = await enter(server, "keyboard", "Ada", PHONE);
  const how = await page.locator("meta[name=viewport]").getAttribute("content");
  assert.match(how ?? "", /interactive-widget=resizes-content/);
  await page.addInitScript(() => {
    const safari = Object.assign(new EventTarget(), { height: 844, offsetTop: 0, scale: 1 });
    Object.defineProperty(window, "visualViewport", { value: safari });
  });
  await page.reload();
  await joined(page);
  const bottom = () => page.locator("room-view form.composer").evaluate((c) => c.getBoundingClientRect().bottom);
  const before = await bottom();
  const keyboard = (/** @type {number} */ height) =>
    page.evaluate((height) => {
      Object.assign(/** @type {object} */ (window.visualViewport), { height });
      window.visualViewport?.dispatchEvent(new Event("resize"));
    }, height);
  await keyboard(844 - 320);
  assert.ok((await bottom()) <= 844 - 320, "it stands above the keyboard");
  await keyboard(844);
  assert.equal(await bottom(), before);
  assert.deepEqual(wrong, []);
});

test("Enter of an input method sends neither a reply nor an edit", async () => {
  const [ada] = await meet(server, "ime-thread", "Ada");
  assert.ok(ada);
  const { page } = ada;
  await said(page, "hello", 1);
  await openMenu(page, 1, "Open thread");
  await page.getByRole("menuitem", { name: "Open thread" }).click();
  const reply = page.getByLabel("Your reply");
  assert.equal(await compose(page, reply), "漢字");
  await reply.press("Enter");
  await page.locator("thread-panel .message", { hasText: "漢字" }).waitFor();
  await openMenu(page, 1, "Edit");
  await page.getByRole("menuitem", { name: "Edit" }).click();
  assert.equal(await compose(page, field(page)), "hello漢字", "an edit");
  await page.getByText("Editing your message").waitFor();
  assert.deepEqual(await server.texts("ime-thread"), ["hello"]);
  assert.deepEqual(ada.wrong, []);
});
