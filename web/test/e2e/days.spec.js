// Days and hours: by the server's clock, as the language writes them, on paper too.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, drawn, joined, visitor, write } from "./helper.js";
import { message } from "./people.js";

const server = await new Server().start();

test("“Today” becomes “Yesterday” at midnight, and the time of a reply becomes a date", async () => {
  const grace = await server.session("Grace");
  const root = Number((await server.say("midnight", grace, "before midnight"))["seq"]);
  await server.post("/api/rooms/midnight/messages", { text: "a reply", thread: root }, grace);
  const { page, wrong } = await visitor(server, "Ada", { locale: "en-GB" });
  await page.clock.install();
  await page.goto(`${server.url}/r/midnight`);
  await joined(page);
  const day = page.locator("room-view .day .rule-text");
  const replied = page.locator("room-view .replies");
  await day.getByText("Today").waitFor();
  assert.match((await replied.textContent()) ?? "", /last \d\d:\d\d/);
  const left = await page.evaluate(() => new Date().setHours(24, 0, 0, 0) - Date.now());
  await page.clock.fastForward(left + 1_000);
  await day.getByText("Yesterday").waitFor();
  await replied.getByText(/last \d+ \w+/).waitFor();
  assert.deepEqual(wrong, []);
});

test("messages are dated by the server's clock, also those that wait, though this browser's is wrong", async () => {
  const { page, wrong } = await visitor(server, "Ada", { locale: "en-GB" });
  await page.clock.install({ time: Date.now() - 40 * 24 * 3_600_000 });
  const grace = await server.session("Grace");
  await server.say("clocks", grace, "said now");
  await page.goto(`${server.url}/r/clocks`);
  await joined(page);
  await message(page, 1).waitFor();
  assert.deepEqual(await page.locator("room-view .day .rule-text").allTextContents(), ["Today"]);
  // One that the server does not answer has no other date than the present one.
  await page.route("**/*", (route) => route.abort());
  await page.evaluate(() => {
    const shell = /** @type {any} */ (document.querySelector("app-shell"));
    shell.session.connection.request = () => new Promise(() => undefined);
  });
  await write(page, "on its way");
  await page.locator(".message.pending").waitFor();
  assert.deepEqual(await page.locator("room-view .day .rule-text").allTextContents(), ["Today"], "one day for both");
  assert.deepEqual(wrong.filter((w) => !w.includes("request")), []);
});

for (const [locale, hours] of /** @type {const} */ ([
  ["en-US", /^\d{1,2}:\d\d\s[AP]M$/],
  ["en-GB", /^\d\d:\d\d$/],
  ["de-DE", /^\d\d:\d\d$/],
])) {
  test(`hours are as ${locale} writes them`, async () => {
    await server.say(`hours-${locale}`, await server.session("Grace"), "when?");
    const { page } = await visitor(server, "Ada", { locale });
    await page.goto(`${server.url}/r/hours-${locale}`);
    await message(page, 1).waitFor();
    assert.match((await message(page, 1).locator("time").textContent()) ?? "", hours);
    if (locale === "en-US") assert.doesNotMatch((await message(page, 1).locator("time").textContent()) ?? "", /^0/);
  });
}

test("print gives the room: its name and all messages that are loaded, and nothing that one presses", async () => {
  await server.fill("paper", 60);
  const grace = await server.session("Grace");
  await server.say("paper", grace, Array.from({ length: 40 }, (_, i) => `paragraph ${i}`).join("\n\n"));
  const { page } = await visitor(server, "Ada");
  await page.goto(`${server.url}/r/paper`);
  await joined(page);
  await message(page, 61).waitFor();
  await page.emulateMedia({ media: "print" });
  await drawn(page);
  const shown = await page.evaluate(() => {
    const log = /** @type {HTMLElement} */ (document.querySelector("room-view .log"));
    const last = [...log.querySelectorAll(".message")].at(-1);
    return {
      name: document.querySelector(".room-name")?.checkVisibility(),
      cut: log.scrollHeight > log.clientHeight + 1 || document.documentElement.scrollHeight < log.scrollHeight,
      folded: last && last.querySelector(".body")?.getBoundingClientRect().height,
      pressed: [...document.querySelectorAll("button, textarea")]
        .filter((e) => e.checkVisibility())
        .map((e) => e.className),
    };
  });
  assert.deepEqual([shown.name, shown.cut, shown.pressed], [true, false, []]);
  assert.ok((shown.folded ?? 0) > 800, `the long message has ${shown.folded} px`);
});

test("forced colours show what is chosen: the linked message, one's own reactions, and who is named", async () => {
  const grace = await server.session("Grace");
  const { page, context } = await visitor(server, "Ada");
  await context.request.post(`${server.url}/api/session`, { data: { name: "Ada" } });
  await server.say("forced", grace, "hello @Ada");
  await server.say("forced", grace, "and the other");
  await page.emulateMedia({ forcedColors: "active" });
  await page.goto(`${server.url}/r/forced#2`);
  await joined(page);
  await context.request.put(`${server.url}/api/rooms/forced/messages/2/reactions/${encodeURIComponent("👍")}`);
  await server.put(`/api/rooms/forced/messages/2/reactions/${encodeURIComponent("🎉")}`, grace);
  const style = (/** @type {import("playwright-core").Locator} */ of) =>
    of.evaluate((e) => `${getComputedStyle(e).outlineStyle} ${getComputedStyle(e).outlineWidth}`);
  await message(page, 2).locator(".reaction").nth(1).waitFor();
  await page.locator("#composer-field").focus();
  assert.equal(await style(message(page, 2)), "solid 2px", "the linked message");
  assert.equal(await style(message(page, 2).locator(".reaction[aria-pressed=true]")), "solid 2px");
  assert.doesNotMatch(await style(message(page, 2).locator(".reaction[aria-pressed=false]")), /solid/);
});
