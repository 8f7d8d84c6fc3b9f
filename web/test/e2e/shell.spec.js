// The page around the rooms: going from one to the other, their list, the switcher, settings, notifications, languages.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PHONE } from "./axe.js";
import { Server, assertReading, joined, reading, row, visitor, write } from "./helper.js";

/** @import { BrowserContextOptions, Page } from "playwright-core" */

const server = await new Server().start();
const grace = await server.guest("Grace");

/** @param {Page} page */
const rooms = (page) => page.getByRole("navigation", { name: "Rooms" });
/** The row of a room in the list. @param {Page} page  @param {string} room */
const entry = (page, room) => page.locator(`room-list li[data-room="${room}"]`);
/** @param {Page} page  @param {string} room */
const openMenu = async (page, room) => {
  await entry(page, room).hover();
  await entry(page, room).getByRole("button").click();
};

/** Somebody who has been in these rooms, the last of which is open. @param {string} name  @param {string[]} names  @param {BrowserContextOptions} [options] */
async function settled(name, names, options) {
  const person = await visitor(server, name, options);
  for (const [i, room] of names.entries()) {
    await server.say(room, grace, `welcome to ${room}`);
    if (i === 0) await person.page.goto(`${server.url}/r/${room}`);
    else await person.page.evaluate((r) => document.querySelector("app-shell")?.dispatchEvent(new CustomEvent("parley:go", { detail: `/r/${r}` })), room);
    await row(person.page, `welcome to ${room}`).waitFor();
    await joined(person.page);
  }
  return person;
}

test("one goes from room to room without loading the page, on one connection; draft and place stay", async () => {
  await server.fill("far", 120);
  const person = await visitor(server, "Ada");
  const { page, wrong } = person;
  let sockets = 0;
  page.on("websocket", () => sockets++);
  await page.goto(`${server.url}/r/far`);
  await page.locator("[data-seq='120']").waitFor();
  await joined(page);
  await page.evaluate(() => Object.assign(window, { same: true }));
  await page.getByLabel("Your message").fill("half a th");
  await page.locator(".log").hover();
  await page.mouse.wheel(0, -1500);
  await page.getByRole("button", { name: "Jump to newest" }).waitFor();
  const before = await reading(page); // the wheel comes to rest

  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").waitFor();
  await page.keyboard.type("second-room");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${server.url}/r/second-room`);
  await page.getByText("Nobody has written here yet").waitFor();
  assert.equal(await page.getByLabel("Your message").inputValue(), "");
  await write(page, "hello here");
  await row(page, "hello here").waitFor();
  await page.waitForFunction(() => document.title === "second-room – Parley");

  await page.goBack();
  await page.locator("[data-seq='60'], [data-seq='100']").first().waitFor({ state: "attached" });
  await assertReading(page, before, "back in the room");
  assert.equal(await page.getByLabel("Your message").inputValue(), "half a th");
  await page.goForward();
  await row(page, "hello here").waitFor();
  await entry(page, "far").getByRole("link").click();
  await page.waitForURL(`${server.url}/r/far`);
  await joined(page);
  await page.evaluate(() => { location.hash = "#5"; });
  await page.locator("[data-seq='5'].linked").waitFor();
  assert.equal(await page.evaluate(() => "same" in window), true, "the page was never loaded again");
  assert.equal(sockets, 1);
  assert.deepEqual(wrong, []);
});

for (const [what, options, change] of /** @type {[string, BrowserContextOptions, (page: Page) => Promise<unknown>][]} */ ([
  ["as it was", {}, async () => {}],
  ["in a narrower window", {}, (page) => page.setViewportSize({ width: 1000, height: 600 })],
  ["on a turned phone", PHONE, (page) => page.setViewportSize({ width: 844, height: 390 })],
  ["with larger letters", {}, (page) => page.addStyleTag({ content: ".message .body { font-size: 150%; }" })],
  ["with wider letters, which come late", {}, (page) => page.evaluate(() => {
    addEventListener("popstate", () => setTimeout(() => document.documentElement.style.setProperty("letter-spacing", "2px"), 100));
  })],
])) {
  test(`who comes back to a room reads on where they were: ${what}`, async () => {
    const room = `back-${what.replace(/\W+/g, "-")}`;
    await server.fill(room, 60);
    const { page, wrong } = await visitor(server, "Ada", { ...options, bypassCSP: true }); // the tests' own style
    await page.goto(`${server.url}/r/${room}`);
    await page.locator("[data-seq='60']").waitFor();
    await joined(page);
    const reach = await page.locator("[data-seq='60']").evaluate((r) => r.getBoundingClientRect().bottom);
    await page.locator("room-view .log").evaluate((log) => log.scrollBy(0, -900));
    await page.waitForFunction((at) => (document.querySelector("[data-seq='60']")?.getBoundingClientRect().bottom ?? 0) > at + 800, reach);
    const before = await reading(page);
    await page.evaluate(() => document.querySelector("app-shell")?.dispatchEvent(new CustomEvent("parley:go", { detail: "/r/elsewhere" })));
    await page.getByText("Nobody has written here yet").waitFor();
    await change(page);
    await page.goBack();
    await page.locator(`[data-seq='${before.seq}']`).waitFor({ state: "attached" });
    if (what.includes("late")) await page.waitForFunction(() => document.documentElement.style.letterSpacing !== "");
    await assertReading(page, before, what);
    assert.deepEqual(wrong, []);
  });
}

test("the list tells what is new elsewhere, first what names one, and forgets it when it is read", async () => {
  const { page, wrong } = await settled("Bea", ["l-one", "l-two", "l-here"]);
  assert.equal(await rooms(page).getByRole("link", { name: "l-here" }).getAttribute("aria-current"), "page");
  await server.say("l-one", grace, "some news");
  await rooms(page).getByRole("link", { name: "l-one 1 unread" }).waitFor();
  await page.waitForFunction(() => document.title === "(1) l-here – Parley");
  await server.say("l-two", grace, "for you, @Bea");
  await rooms(page).getByRole("link", { name: "l-two 1 time you are named" }).waitFor();
  assert.equal(await entry(page, "l-two").locator(".badge").textContent(), "@1");
  assert.equal(await page.locator("room-list li").first().getAttribute("data-room"), "l-two");
  await page.waitForFunction(() => document.title === "(2) l-here – Parley");
  await entry(page, "l-two").getByRole("link").click();
  await row(page, "for you").waitFor();
  assert.equal(await page.locator(".new-separator + .message .body").textContent(), "for you, @Bea", "the view goes to what was missed");
  await page.waitForFunction(() => document.title === "(1) l-two – Parley");
  await page.keyboard.press("Shift+Escape"); // everything is read
  await page.waitForFunction(() => document.title === "l-two – Parley");
  await page.reload();
  await joined(page);
  await entry(page, "l-one").waitFor();
  assert.equal(await page.locator("room-list li.unread").count(), 0, "the server knows it");
  assert.deepEqual(wrong, []);
});

test("what is read or chosen on one device holds on the other", async () => {
  const { page: desk, context } = await settled("Cleo", ["d-one", "d-two"]);
  const phone = await context.newPage();
  await phone.goto(`${server.url}/`);
  await entry(phone, "d-one").waitFor();
  await openMenu(desk, "d-one");
  await desk.getByRole("menuitemcheckbox", { name: "Favourite" }).click();
  await phone.locator(".favourites li[data-room=d-one]").waitFor();
  await openMenu(desk, "d-one");
  assert.equal(await desk.getByRole("menuitemcheckbox", { name: "Favourite" }).getAttribute("aria-checked"), "true");
  await desk.getByRole("menuitemcheckbox", { name: "Mute" }).click();
  await phone.locator("li.muted[data-room=d-one]").waitFor();
  const news = phone.locator("li.unread[data-room=d-two]").waitFor();
  await server.say("d-two", grace, "read me");
  await news;
  await phone.locator("li[data-room=d-two]:not(.unread)").waitFor(); // the desk looks at it, and says so
  await context.request.put(`${server.url}/api/me/rooms/d-two/read`, { data: { seq: 1, exact: true } });
  await phone.locator("li.unread[data-room=d-two]").waitFor();
  await openMenu(phone, "d-two");
  await phone.getByRole("menuitem", { name: "Take off my list" }).click();
  await phone.locator("li[data-room=d-two]").waitFor({ state: "detached" });
  await phone.reload();
  await entry(phone, "d-one").waitFor();
  assert.equal(await entry(phone, "d-two").count(), 0);
});

test("the list is one stop of the Tab key, walked with arrows; its menu opens by key and gives the focus back", async () => {
  const { page, wrong } = await settled("Dora", ["k-one", "k-two", "k-three", "k-four", "k-five", "k-six"]);
  const focused = () => page.evaluate(() => document.activeElement?.closest("li")?.getAttribute("data-room") ?? document.activeElement?.className);
  await page.getByPlaceholder("Filter rooms").focus();
  await page.keyboard.press("Tab");
  const first = await focused();
  await page.keyboard.press("ArrowDown");
  assert.notEqual(await focused(), first);
  await page.keyboard.press("Home");
  assert.equal(await focused(), await page.locator("room-list li").first().getAttribute("data-room"));
  const room = await focused();
  await page.keyboard.press("Shift+F10");
  await page.getByRole("menu").waitFor();
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent?.trim()), "Mute");
  await page.keyboard.press("Escape");
  await page.getByRole("menu").waitFor({ state: "detached" });
  assert.equal(await focused(), room);
  await page.keyboard.press("ArrowUp");
  assert.equal(await focused(), "filter", "above the first room is the filter");
  await page.keyboard.type("k-th");
  assert.deepEqual(await page.locator("room-list li").evaluateAll((all) => all.map((li) => li.getAttribute("data-room"))), ["k-three"]);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${server.url}/r/k-three`);
  assert.equal(await page.locator("room-list li").count(), 6, "found: the whole list again");
  await page.keyboard.press("Alt+ArrowDown");
  await page.waitForFunction(() => location.pathname !== "/r/k-three");
  assert.deepEqual(wrong, []);
});

test("the switcher finds rooms, people and what to do, by a few letters and the keyboard alone", async () => {
  const { page, wrong } = await settled("Edda", ["s-garden", "s-office"]);
  await page.keyboard.press("Control+k");
  const field = page.getByRole("combobox", { name: "Go to …" });
  await field.waitFor();
  await page.keyboard.type("gar");
  const option = page.getByRole("option").first();
  assert.match((await option.textContent()) ?? "", /s-garden/);
  assert.equal(await field.getAttribute("aria-activedescendant"), await option.getAttribute("id"));
  await page.keyboard.press("ArrowDown");
  assert.equal(await option.getAttribute("aria-selected"), "false");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${server.url}/r/s-garden`);
  const guest = await visitor(server, "Zora");
  await guest.page.goto(`${server.url}/r/s-garden`);
  await page.locator(".people li", { hasText: "Zora" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("zora");
  await page.keyboard.press("Enter");
  assert.equal(await page.getByLabel("Your message").inputValue(), "@Zora ");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("theme dark");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "composer-field", "the focus comes back");
  assert.deepEqual(wrong, []);
});

test("settings hold at once and stay: what sends, the size of the text, quiet hours", async () => {
  const { page, wrong } = await settled("Fritzi", ["settings"]);
  await page.keyboard.press("Control+,");
  await page.getByRole("dialog", { name: "Settings" }).waitFor();
  await page.getByLabel("Send a message with").selectOption("ctrl-enter");
  await page.getByLabel("Text size").selectOption("large");
  await page.getByLabel("Quiet hours").check();
  await page.getByLabel("from", { exact: true }).fill("21:30");
  await page.getByRole("button", { name: "Close", exact: true }).click();
  assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).fontSize), "18px");
  await page.getByLabel("Your message").fill("one");
  await page.getByLabel("Your message").press("Enter");
  await page.getByLabel("Your message").pressSequentially("two");
  await page.getByLabel("Your message").press("Control+Enter");
  await row(page, "one\ntwo").waitFor();
  await page.reload();
  await joined(page);
  assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).fontSize), "18px");
  assert.deepEqual(await page.evaluate(() => JSON.parse(localStorage.getItem("parley:settings") ?? "")), { ...{ size: "large", sound: true, system: false, quiet: true, quietFrom: "21:30", quietTo: "07:00", sendBy: "ctrl-enter", people: true } });
  assert.deepEqual(wrong, []);
});

test("the sheet of shortcuts opens with ?, but not for who writes", async () => {
  const { page } = await settled("Gitta", ["keys"]);
  await page.getByLabel("Your message").press("?");
  assert.equal(await page.getByLabel("Your message").inputValue(), "?");
  await page.locator(".log").focus();
  await page.keyboard.press("?");
  const sheet = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await sheet.getByText("Mark everything as read").waitFor();
  assert.ok((await sheet.locator("dt").count()) >= 13);
});

test("notifications: once among all tabs, not for what one looks at, gone when it is read elsewhere", async () => {
  const person = await visitor(server, "Hanna");
  const { context, page } = person;
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
        /** @type {unknown[]} */ (/** @type {{ notes?: unknown[] }} */ (/** @type {unknown} */ (window)).notes ??= []).push(this);
      }
      close() {
        this.closed = true;
      }
    }
    Object.assign(window, { Notification: Fake });
    localStorage.setItem("parley:settings", JSON.stringify({ system: true }));
  });
  /** @param {Page} p  @returns {Promise<string[]>} */
  const notes = (p) => p.evaluate(() => (/** @type {{ notes?: { title: string, body: string, closed: boolean }[] }} */ (/** @type {unknown} */ (window)).notes ?? []).map((n) => `${n.title.replace(/[\u2068\u2069]/g, "")}: ${n.body}${n.closed ? " (closed)" : ""}`));
  for (const room of ["n-other", "n-here"]) {
    await server.say(room, grace, "first");
    await page.goto(`${server.url}/r/${room}`);
    await row(page, "first").waitFor();
    await joined(page);
  }
  const second = await context.newPage();
  await second.goto(`${server.url}/r/n-here`);
  await joined(second);
  await server.say("n-here", grace, "looked at");
  await server.say("n-other", grace, "psst, @Hanna");
  await row(page, "looked at").waitFor();
  await page.waitForFunction(() => (document.querySelector("#announcer")?.textContent ?? "") !== "", undefined, { timeout: 3000 }).catch(() => undefined);
  await second.waitForTimeout(1500); // longer than any tab waits before it speaks
  const all = [...(await notes(page)), ...(await notes(second))];
  assert.deepEqual(all, ["Grace named you in n-other: psst, @Hanna"]);
  await context.request.put(`${server.url}/api/me/rooms/n-other/read`, { data: { seq: 2 } });
  const speaker = (await notes(page)).length > 0 ? page : second;
  await speaker.waitForFunction(() => /** @type {{ notes?: { closed: boolean }[] }} */ (/** @type {unknown} */ (window)).notes?.[0]?.closed);
  await entry(page, "n-other").locator(".badge", { hasText: /^$/ }).waitFor({ state: "attached" });
  await openMenu(page, "n-other");
  await page.getByRole("menuitemradio", { name: "Tell me of nothing" }).click();
  await second.waitForTimeout(300);
  await server.say("n-other", grace, "@Hanna again");
  await second.waitForTimeout(1500);
  assert.equal((await notes(page)).length + (await notes(second)).length, 1);
  assert.deepEqual(person.wrong, []);
});

test("a search shows what was found and leads to its place", async () => {
  const { page, wrong } = await settled("Irma", ["f-here", "f-far"]);
  await server.fill("f-here", 150);
  const asked = /** @type {string[]} */ ([]);
  await page.route("**/api/search?*", (route) => {
    asked.push(new URL(route.request().url()).search);
    const again = asked.at(-1)?.includes("cursor=");
    const message = { seq: again ? 3 : 20, kind: "message", at: "2026-11-23T09:41:05.123Z", from: { id: "g", name: "Grace <b>" }, text: "Line 20. <i>more</i> words" };
    return route.fulfill({ json: { hits: [{ room: "f-here", message, ranges: [[0, 4]] }], ...(!again && { cursor: "next" }) } });
  });
  await page.keyboard.press("Control+Shift+F");
  const field = page.getByRole("searchbox", { name: "Search" });
  assert.equal(await field.inputValue(), "in:f-far ");
  await field.fill("line from:grace");
  const hit = page.locator(".hits li").first();
  await hit.waitFor();
  assert.equal(await hit.locator("mark").textContent(), "Line");
  assert.equal(await hit.locator(".snippet").textContent(), "Line 20. <i>more</i> words");
  assert.match(asked.at(-1) ?? "", /q=line\+from%3Agrace&sort=time/);
  const sorted = page.waitForResponse(/sort=relevance/);
  await page.getByRole("radio", { name: "Best first" }).check();
  await sorted;
  await page.getByRole("button", { name: "Show more" }).click();
  await page.locator(".hits li").nth(1).waitFor();
  assert.match(asked.at(-1) ?? "", /sort=relevance.*cursor=next/);
  await hit.getByRole("link").click();
  await page.locator("[data-seq='20'].linked").waitFor();
  assert.equal(new URL(page.url()).pathname + new URL(page.url()).hash, "/r/f-here#20");
  assert.deepEqual(wrong, []);
});

test("a search that does not know everything yet says so, and one that fails says that alone", async () => {
  const { page, wrong } = await settled("Ilka", ["lack-one"]);
  /** @type {{ status?: number, json: object }[]} */
  const answers = [
    { json: { hits: [], complete: false, complete_until: new Date(Date.now() - 20 * 60_000).toISOString() } },
    { json: { hits: [], complete: false } },
    { json: { hits: [], complete: true } },
    { status: 503, json: { code: "search_unavailable", detail: "The search took too long. Look in one room." } },
  ];
  await page.route("**/api/search?*", (route) => route.fulfill(answers.shift() ?? { json: { hits: [], complete: true } }));
  await page.getByRole("button", { name: "Search", exact: true }).click();
  const says = page.locator("search-panel").getByRole("status");
  for (const want of [/^Nothing found\. Messages since .*\d.* cannot be found yet\.$/, /^Nothing found\. Some messages cannot be found yet\.$/, /^Nothing found\.$/, /^The search took too long\. Look in one room\.$/]) {
    const answered = page.waitForResponse("**/api/search?*");
    await page.getByRole("searchbox", { name: "Search" }).fill(`line ${answers.length}`);
    await answered;
    await says.filter({ hasText: want }).waitFor();
  }
  assert.deepEqual(wrong.filter((w) => !w.includes("503")), []);
});

test("the server's own search finds a message in another room, by its beginning while one types", async () => {
  const { page, wrong } = await settled("Ilse", ["real-one", "real-two"]);
  await server.say("real-one", grace, "a wheelbarrow of turnips");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  const hit = page.locator(".hits li", { hasText: "turnips" });
  for (let i = 0; i < 20 && !(await hit.isVisible()); i++) { // the index follows the log
    await page.getByRole("searchbox", { name: "Search" }).fill("");
    await page.getByRole("searchbox", { name: "Search" }).fill("wheelb");
    await hit.waitFor({ timeout: 1000 }).catch(() => undefined);
  }
  assert.match((await hit.locator("mark").textContent()) ?? "", /^wheelb/);
  await page.getByText("1 message found").waitFor();
  await hit.getByRole("link").click();
  await page.waitForURL(`${server.url}/r/real-one#2`);
  await page.locator("[data-seq='2'].linked").waitFor();
  assert.deepEqual(wrong, []);
});

test("what was saved is a tap away, and its place another", async () => {
  const { page, context, wrong } = await settled("Jutta", ["keep", "keep-else"]);
  await context.request.put(`${server.url}/api/me/saved/keep/1`);
  await page.getByRole("button", { name: "Saved" }).click();
  const hit = page.locator(".saved .hits li", { hasText: "welcome to keep" });
  await hit.getByRole("link").click();
  await page.waitForURL(`${server.url}/r/keep#1`);
  await page.locator("[data-seq='1'].linked").waitFor();
  await page.getByRole("button", { name: "Threads" }).click();
  await page.getByText("No threads yet").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("side-panel.people").waitFor(); // who is here again
  assert.deepEqual(wrong, []);
});

test("a thousand rooms: the list is there quickly, and news moves one row", async () => {
  const { page, wrong } = await visitor(server, "Karla");
  let say = (/** @type {object} */ _) => {};
  await page.routeWebSocket(/\/ws$/, (ws) => {
    const upstream = ws.connectToServer();
    say = (message) => ws.send(JSON.stringify(message));
    ws.onMessage((m) => {
      const command = JSON.parse(String(m));
      if (command.op !== "watch") return upstream.send(m);
      const many = Array.from({ length: 1000 }, (_, i) => ({ room: `room-${i}`, topic: "", seq: 1, at: new Date(Date.UTC(2026, 1, 1) - i * 1000).toISOString(), read: 1, unread: 0, mentions: 0, notify: "all", muted: false, favourite: false }));
      ws.send(JSON.stringify({ op: "ok", id: command.id, rooms: many }));
    });
  });
  await page.goto(`${server.url}/`);
  await page.waitForFunction(() => document.querySelectorAll("room-list li").length === 1000);
  const row500 = await entry(page, "room-500").elementHandle();
  const changes = await page.evaluateHandle(() => {
    const seen = { added: 0, long: 0 };
    new MutationObserver((list) => (seen.added += list.reduce((n, c) => n + c.addedNodes.length, 0))).observe(/** @type {Node} */ (document.querySelector(".rooms-scroll ul:not(:empty)")), { childList: true });
    new PerformanceObserver((list) => list.getEntries().forEach((e) => (seen.long = Math.max(seen.long, e.duration)))).observe({ entryTypes: ["longtask"] });
    return seen;
  });
  say({ op: "news", room: "room-500", seq: 2, at: new Date().toISOString(), kind: "message", from: { id: "g", name: "Grace" }, text: "x" });
  await page.locator("room-list li:first-child[data-room='room-500']").waitFor();
  assert.ok(await row500?.evaluate((li) => li === document.querySelector("room-list li")), "the same row, elsewhere");
  const { added, long } = await changes.jsonValue();
  assert.ok(added <= 2, `${added} rows put in`);
  assert.ok(long < 200, `the page stood still for ${long} ms`);
  assert.deepEqual(wrong, []);
});

test("high contrast is there when it is chosen, and when the system asks for it", async () => {
  const { page } = await settled("Kira", ["contrast"]);
  const soft = () => page.locator(".day").evaluate((e) => getComputedStyle(e).color);
  const contrast = (/** @type {string} */ is) => page.locator(`html[data-contrast=${is}]`).waitFor({ state: "attached" });
  const usual = await soft();
  await page.emulateMedia({ contrast: "more" });
  await contrast("more");
  const asked = await soft();
  assert.notEqual(asked, usual);
  await page.emulateMedia({ contrast: null });
  await contrast("usual");
  assert.equal(await soft(), usual);
  await page.keyboard.press("Control+,");
  await page.getByRole("radio", { name: "High contrast" }).check();
  await contrast("more");
  assert.equal(await soft(), asked);
});

test("German, where the browser asks for it, whole and with its own plurals and times", async () => {
  const { page, wrong } = await settled("Lotte", ["deutsch"], { locale: "de-DE" });
  assert.equal(await page.locator("html").getAttribute("lang"), "de");
  assert.equal(await page.locator("#composer-field").getAttribute("placeholder"), "Nachricht an \u2068deutsch\u2069");
  assert.equal(await page.locator(".people h2").textContent(), "1 Person hier");
  assert.equal(await page.locator(".day").textContent(), "Heute");
  await page.getByRole("button", { name: /^Du bist Lotte/ }).click();
  await page.getByLabel("Sprache").selectOption("en");
  await page.getByLabel("Your message").waitFor();
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  assert.deepEqual(wrong, []);
});

for (const [size, options] of Object.entries({ wide: {}, phone: PHONE })) {
  test(`a language twice as long and from right to left fits: ${size}`, async () => {
    const { page, wrong } = await visitor(server, "Mona", options);
    await page.goto(`${server.url}/r/pseudo?lang=xx-pseudo`);
    await page.locator(".people-count").filter({ hasText: /\d/ }).waitFor({ state: "attached" });
    assert.equal(await page.locator("html").getAttribute("dir"), "rtl");
    const fits = async (/** @type {string} */ where) => assert.deepEqual(await page.evaluate(() => {
      const out = [...document.querySelectorAll("#app button, #app a, #app h1, #app h2, dialog *")].filter((e) => {
        const box = e.getBoundingClientRect();
        return e.checkVisibility() && box.width > 1 && !e.closest(".visually-hidden, .skip-link") && (box.right > innerWidth + 1 || box.left < -1);
      });
      return [document.documentElement.scrollWidth > innerWidth, ...out.map((e) => e.className || e.tagName)];
    }), [false], where);
    await fits("room");
    if (size === "wide") {
      const [list, talk] = [await page.locator(".rooms").boundingBox(), await page.locator(".middle").boundingBox()];
      assert.ok(list && talk && list.x > talk.x, "the list stands at the right");
    }
    await page.locator(".you-button, .me").locator("visible=true").first().click();
    await page.locator("dialog.settings").waitFor();
    await fits("settings");
    assert.deepEqual(wrong, []);
  });
}
