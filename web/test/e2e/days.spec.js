// Days and hours: by the server's clock, as the language writes them, on paper too.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, drawn, joined, visitor, write } from "./helper.js";
import { message, pressMenu } from "./people.js";

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

/** Asks for a day. @param {import("playwright-core").Page} page  @param {string} date */
async function jumpTo(page, date) {
  await pressMenu(page, "Jump to a date");
  const dialog = page.getByRole("dialog", { name: "Jump to a date" });
  assert.ok(await dialog.getByLabel("Date").evaluate((e) => e === document.activeElement));
  await dialog.getByLabel("Date").fill(date);
  await dialog.getByRole("button", { name: "Jump", exact: true }).click();
  return dialog;
}

for (const timezoneId of ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
  test(`a jump to a date goes to its first message, by the days of ${timezoneId}`, async () => {
    const room = `jump-${timezoneId.replace("/", "-").toLowerCase()}`;
    const grace = await server.session("Grace");
    await server.say(room, grace, "deleted soon");
    await server.fill(room, 329);
    await server.remove(room, 1, grace);
    const { page, wrong } = await visitor(server, "Ada", { locale: "en-GB", timezoneId });
    await page.goto(`${server.url}/r/${room}`);
    await joined(page);
    await message(page, 330).waitFor();
    assert.equal(await message(page, 1).count(), 0, "it is far above");
    // The days on both sides of the first message, and a year before: the next one that has a message counts.
    const first = await page.evaluate(async (path) => {
      const { messages } = await (await fetch(path)).json();
      const day = (/** @type {number} */ n) => {
        const d = new Date(messages[0].at);
        d.setDate(d.getDate() + n);
        return `${d.getFullYear()}-${`${d.getMonth() + 1}`.padStart(2, "0")}-${`${d.getDate()}`.padStart(2, "0")}`;
      };
      const midnight = new Date(messages[0].at);
      midnight.setHours(0, 0, 0, 0);
      return { midnight: midnight.toISOString(), that: day(0), before: day(-1), yearBefore: day(-365) };
    }, `/api/rooms/${room}/messages?after=0&limit=1`);
    for (const date of [first.that, first.before, first.yearBefore]) {
      const asked = page.waitForRequest((r) => r.url().includes("since="));
      const dialog = await jumpTo(page, date);
      if (date === first.that) assert.equal(new URL((await asked).url()).searchParams.get("since"), first.midnight);
      await dialog.waitFor({ state: "detached" });
      await page.waitForFunction(() => document.activeElement?.matches(".message[data-seq='1']"));
      assert.ok(await message(page, 1).isVisible());
      await page.keyboard.press("Escape"); // back to the newest
      await message(page, 330).waitFor();
    }
    assert.deepEqual(wrong, []);
  });

test("a jump to a date says when there is nothing, and takes no day to come", async () => {
  const { page, wrong } = await visitor(server, "Ada", { locale: "en-GB" });
  await page.goto(`${server.url}/r/jump-nowhere`);
  await joined(page);
  const today = await page.evaluate(() => new Date().getFullYear());
  const dialog = await jumpTo(page, `${today - 1}-05-04`);
  await dialog.getByText("Nobody has written here since that day.").waitFor();
  const field = dialog.getByLabel("Date");
  assert.equal(await field.getAttribute("aria-invalid"), "true");
  assert.ok(await field.evaluate((e) => e === document.activeElement));
  for (const wrongDate of [`${today + 2}-01-01`, ""]) {
    await field.fill(wrongDate);
    await field.press("Enter");
    await dialog.getByText("Choose a date up to today.").waitFor();
  }
  await page.route("**/messages?since=*", (route) => route.abort());
  await field.fill(`${today - 1}-05-04`);
  await dialog.getByRole("button", { name: "Jump", exact: true }).click();
  await dialog.getByText("The server does not answer.").waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.deepEqual(wrong, []);
});
