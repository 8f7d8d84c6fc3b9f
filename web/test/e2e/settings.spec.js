// Settings, contrast and languages.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PHONE } from "./axe.js";
import { Server, joined, row, visitor } from "./helper.js";
import { settled } from "./room-list.js";

const server = await new Server().start();

test("settings apply at once and stay: the key that sends, the text size, quiet hours", async () => {
  const { page, wrong } = await settled(server, "Fritzi", ["settings"]);
  await page.keyboard.press("Control+,");
  await page.getByRole("dialog", { name: "Settings" }).waitFor();
  await page.getByLabel("Send with").selectOption("ctrl-enter");
  await page.getByLabel("Text size").selectOption("large");
  await page.getByLabel("Quiet hours").check();
  await page.getByLabel("from", { exact: true }).fill("21:30");
  await page.getByRole("radio", { name: "Compact" }).check();
  await page.getByRole("button", { name: "Done" }).click();
  assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).fontSize), "18px");
  await page.locator("html[data-density=compact]").waitFor();
  await page.getByLabel("Your message").fill("one");
  await page.getByLabel("Your message").press("Enter");
  await page.getByLabel("Your message").pressSequentially("two");
  await page.getByLabel("Your message").press("Control+Enter");
  await row(page, "one\ntwo").waitFor();
  await page.reload();
  await joined(page);
  assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).fontSize), "18px");
  assert.deepEqual(await page.evaluate(() => JSON.parse(localStorage.getItem("parley:settings") ?? "")), {
    size: "large",
    density: "compact",
    quiet: true,
    quietFrom: "21:30",
    sendBy: "ctrl-enter",
  });
  assert.deepEqual(wrong, []);
});

test("high contrast applies when it is chosen or when the system asks for it", async () => {
  const { page } = await settled(server, "Kira", ["contrast"]);
  const soft = () => page.locator(".day").evaluate((e) => getComputedStyle(e).color);
  const contrast = (/** @type {string} */ is) =>
    page.locator(`html[data-contrast=${is}]`).waitFor({ state: "attached" });
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

test("a browser that asks for German gets the whole page in German, with its plurals and dates", async () => {
  const { page, wrong } = await settled(server, "Lotte", ["deutsch"], { locale: "de-DE" });
  assert.equal(await page.locator("html").getAttribute("lang"), "de");
  assert.equal(await page.locator("#composer-field").getAttribute("placeholder"), "Nachricht an \u2068deutsch\u2069");
  assert.equal(await page.locator(".people h2").textContent(), "1 Person hier");
  assert.equal(await page.locator(".day").textContent(), "Heute");
  const { commands } = await (await fetch(`${server.url}/api/commands`)).json();
  await page.locator("#composer-field").fill("/help");
  await page.locator("#composer-field").press("Enter");
  const help = page.getByRole("dialog", { name: "Befehle" });
  await help.getByText("Sag, was du tust: /me winkt").waitFor();
  const explained = await help.locator("td").allTextContents();
  assert.equal(explained.length, commands.length);
  for (const command of commands) assert.ok(!explained.includes(command.help), `/${command.name} in German`);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: /^Du bist Lotte/ }).click();
  await page.getByLabel("Sprache").selectOption("en");
  await page.getByLabel("Your message").waitFor();
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  assert.deepEqual(wrong, []);
});

for (const [size, options] of Object.entries({ wide: {}, phone: PHONE })) {
  test(`a right-to-left language with texts twice as long fits the page: ${size}`, async () => {
    const { page, wrong } = await visitor(server, "Mona", options);
    await page.goto(`${server.url}/r/pseudo?lang=xx-pseudo`);
    await page.locator(".people-count").filter({ hasText: /\d/ }).waitFor({ state: "attached" });
    assert.equal(await page.locator("html").getAttribute("dir"), "rtl");
    const fits = async (/** @type {string} */ where) =>
      assert.deepEqual(
        await page.evaluate(() => {
          const out = [...document.querySelectorAll("#app button, #app a, #app h1, #app h2, dialog *")].filter((e) => {
            const box = e.getBoundingClientRect();
            return (
              e.checkVisibility() &&
              box.width > 1 &&
              !e.closest(".visually-hidden, .skip-link") &&
              (box.right > innerWidth + 1 || box.left < -1)
            );
          });
          return [document.documentElement.scrollWidth > innerWidth, ...out.map((e) => e.className || e.tagName)];
        }),
        [false],
        where,
      );
    await fits("room");
    if (size === "wide") {
      const [list, talk] = [await page.locator(".rooms").boundingBox(), await page.locator(".middle").boundingBox()];
      assert.ok(list && talk && list.x > talk.x, "the list stands at the right");
    }
    if (size === "phone") await page.locator(".rooms-button").tap();
    await page.locator("room-list .me").click();
    await page.locator("dialog.settings").waitFor();
    if (size === "phone") await page.locator(".rooms").waitFor({ state: "hidden" });
    await fits("settings");
    assert.deepEqual(wrong, []);
  });
}

test("choosing a language keeps the settings open, with the focus on the choice", async () => {
  const { page, wrong } = await settled(server, "Lena", ["languages"]);
  await page.keyboard.press("Control+,");
  await page.getByLabel("Language", { exact: true }).selectOption("de");
  await page.getByRole("dialog", { name: "Einstellungen" }).waitFor();
  const chosen = page.getByLabel("Sprache");
  await chosen.waitFor();
  assert.deepEqual(
    await chosen.evaluate((e) => [e === document.activeElement, /** @type {HTMLSelectElement} */ (e).value]),
    [true, "de"],
  );
  await chosen.selectOption("en");
  await page.getByRole("dialog", { name: "Settings" }).waitFor();
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => !history.state?.layer); // the way back to the room's own entry
  await page.reload();
  await joined(page);
  assert.equal(await page.getByRole("dialog").count(), 0, "a usual reload opens nothing");
  assert.deepEqual(wrong, []);
});
