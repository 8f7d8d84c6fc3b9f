// The page under a finger: long presses, targets that are large enough, and nothing that reloads by accident.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PHONE } from "./axe.js";
import { Server, drawn, indexed, resting, visitor } from "./helper.js";
import { enter, field, message, press, pressHeader } from "./people.js";
import { settle } from "./room-list.js";

/** @import { Page } from "playwright-core" */

const server = await new Server().start();

/** Lays a finger on a place of the page. It returns what lifts it.
 * @param {Page} page  @param {{ x: number, y: number }} at */
async function touch(page, { x, y }) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x, y }] });
  return async () => {
    await cdp.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await cdp.detach();
  };
}

/** The middle of an element's text. @param {import("playwright-core").Locator} locator */
async function middle(locator) {
  const box = await locator.boundingBox();
  assert.ok(box);
  return { x: box.x + Math.min(box.width / 2, 40), y: box.y + box.height / 2 };
}

/** Says something by the button, since Return makes a new line on a phone. @param {Page} page  @param {string} text
 * @param {number} seq */
async function say(page, text, seq) {
  await field(page).fill(text);
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await message(page, seq).waitFor();
}

test("a finger that rests on a message opens its menu, which stays when it is lifted", async () => {
  const { page, wrong } = await enter(server, "rest", "Ada", PHONE);
  await say(page, "see https://example.org/ now", 1);
  const lift = await touch(page, await middle(message(page, 1).locator("a[href^=https]")));
  const menu = page.getByRole("menu", { name: "Actions for this message" });
  await menu.waitFor();
  await page.locator(".message.held").waitFor();
  await lift();
  await drawn(page);
  assert.equal(await menu.isVisible(), true);
  assert.equal(page.context().pages().length, 1, "the link below the finger was not followed");
  await page.touchscreen.tap(195, 40); // beside the sheet
  await menu.waitFor({ state: "hidden" });
  await page.locator(".message.held").waitFor({ state: "detached" });
  assert.deepEqual(wrong, []);
});

test("text is selected by the menu, and then by fingers until they tap elsewhere", async () => {
  const { page, wrong } = await enter(server, "select", "Ada", PHONE);
  await say(page, "the words to take along", 1);
  await say(page, "another", 2);
  const words = message(page, 1).locator(".body");
  let lift = await touch(page, await middle(words));
  await page.getByRole("menuitem", { name: "Select text" }).waitFor();
  await lift();
  await page.getByRole("menuitem", { name: "Select text" }).tap();
  await page.waitForFunction(() => String(getSelection()) === "the words to take along");
  lift = await touch(page, await middle(words));
  await page.locator(".message.selecting").waitFor();
  await lift();
  assert.equal(await page.getByRole("menu").count(), 0, "the finger selects");
  await page.evaluate(() => getSelection()?.removeAllRanges());
  await page.locator(".message.selecting").waitFor({ state: "detached" });
  assert.deepEqual(wrong, []);
});

test("a right click leaves the browser its own menu", async () => {
  const { page } = await enter(server, "right", "Ada");
  await say(page, "mine", 1);
  await page.evaluate(() =>
    addEventListener("contextmenu", (e) => Object.assign(window, { prevented: e.defaultPrevented })),
  );
  await message(page, 1).locator(".body").click({ button: "right" });
  await page.waitForFunction(() => "prevented" in window);
  assert.equal(await page.evaluate(() => /** @type {any} */ (window).prevented), false);
  assert.equal(await page.getByRole("menu").count(), 0);
});

/** Returns the controls that a finger finds smaller than 44 px. What a control shows may be smaller if an invisible
 * part of it (::before, ::after) is not. Links within a text are as high as its lines. */
function small() {
  const controls = "a[href], button, input, select, textarea, summary, [role=option], [role=tab]";
  const box = (/** @type {Element} */ e) => {
    const { left, right, top, bottom } = e.getBoundingClientRect();
    let [width, height] = [right - left, bottom - top];
    for (const edge of [getComputedStyle(e, "::before"), getComputedStyle(e, "::after")]) {
      if (edge.content === "none" || edge.position !== "absolute") continue;
      const out = (/** @type {string} */ side) => Math.max(0, -parseFloat(side) || 0);
      width = Math.max(width, right - left + out(edge.left) + out(edge.right));
      height = Math.max(height, bottom - top + out(edge.top) + out(edge.bottom));
    }
    return [width, height];
  };
  return [...document.querySelectorAll(controls)]
    .filter((e) => {
      const style = getComputedStyle(e);
      const { width, height, bottom, top } = e.getBoundingClientRect();
      const seen = e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && width > 1 && height > 1;
      return (
        seen &&
        bottom > 0 &&
        top < innerHeight &&
        style.pointerEvents !== "none" &&
        !e.closest("[inert], .body, .snippet, .skip-link:not(:focus), .visually-hidden, .permalink, p") &&
        !e.matches(":disabled, [tabindex='-1']:not([role])")
      );
    })
    .map((e) => ({ e, size: box(e.matches("input") ? (e.closest("label") ?? e) : e) }))
    .filter(({ size: [w = 0, h = 0] }) => Math.round(w) < 44 || Math.round(h) < 44)
    .map(({ e, size }) => `${e.outerHTML.slice(0, 120)}: ${size.map(Math.round).join(" × ")}`);
}

test("the way to one's settings is on the first screen, however many rooms there are", async () => {
  const { page, context } = await visitor(server, "Ada", PHONE);
  for (let i = 0; i < 20; i++) await context.request.put(`${server.url}/api/me/rooms/foot-${i}`, { data: {} });
  await page.goto(server.url);
  await page.locator("room-list li").nth(19).waitFor();
  const me = await page.getByRole("button", { name: /settings/ }).boundingBox();
  assert.ok(me && me.y > 700 && me.y + me.height <= PHONE.viewport.height + 1, JSON.stringify(me));
});

test("every control of the phone is at least 44 px wide and high", async () => {
  const { page, context } = await settle(server, await visitor(server, "Ada", PHONE), ["targets-a", "targets-b"]);
  await say(page, "mine, of this thread", 2);
  await server.post(
    "/api/rooms/targets-b/messages",
    { text: "a reply", thread: 2 },
    await server.session("Grace"),
  );
  await server.put("/api/rooms/targets-b/pins/2", await server.session("Grace"));
  await context.request.put(`${server.url}/api/me/saved/targets-b/1`);
  await indexed(context, server, "thread");
  const large = async (/** @type {string} */ where) => {
    await resting(page, async () => JSON.stringify(await page.locator(".float, dialog[open], .rooms").count()));
    assert.deepEqual(await page.evaluate(small), [], where);
  };
  const closed = async () => {
    await page.goBack();
    await page.waitForFunction(() => !history.state?.layer);
  };
  await large("room");
  await message(page, 2).focus();
  await message(page, 2).getByRole("toolbar").waitFor({ state: "attached" });
  await large("toolbar");
  await press(message(page, 2), "Enter");
  await page.getByRole("menu").waitFor();
  await large("menu of a message");
  await closed();
  await press(message(page, 2), "+");
  await page.locator(".emoji-picker .grid button").first().waitFor();
  await large("emoji");
  await closed();
  await press(message(page, 2), "Delete");
  await page.locator("dialog[open]").waitFor();
  await large("delete");
  await closed();
  for (const what of ["Change the topic", "Share this room", "Pinned messages", /here$/]) {
    await pressHeader(page, what);
    await page.locator("dialog[open], side-panel:not([hidden])").waitFor();
    await large(String(what));
    await closed();
  }
  await page.getByRole("button", { name: "More about this room" }).tap();
  await page.getByRole("menu").waitFor();
  await large("menu of the room");
  await closed();
  await page.locator(".rooms-button").tap();
  await page.locator("room-list li").first().waitFor();
  await large("rooms");
  for (const what of ["Threads", "Saved"]) {
    await page.locator("room-list").getByRole("button", { name: what, exact: true }).tap();
    await page.locator(".hits li").first().waitFor();
    await large(what);
    await page.getByRole("button", { name: "Close panel" }).tap();
    await page.locator(".rooms-button").tap();
  }
  await page.locator("room-list .me").tap();
  await page.locator("dialog.settings").waitFor();
  await large("settings");
  await page.getByRole("button", { name: "Keyboard shortcuts" }).tap();
  await page.locator("dialog.shortcuts").waitFor();
  await large("shortcuts");
  await closed();
  await press(message(page, 2), "t");
  await page.locator("thread-panel .message").first().waitFor();
  await large("thread");
  await page.getByRole("button", { name: "Close panel" }).tap();
  await page.locator(".search-button").tap();
  await page.locator("search-panel").waitFor();
  await page.keyboard.type("mine");
  await page.locator(".hits li").first().waitFor();
  await large("search");
});

test("drawing down neither reloads the page nor moves what lies behind", async () => {
  const { page } = await enter(server, "pull", "Ada", PHONE);
  const behaviour = (/** @type {string} */ selector) =>
    page.locator(selector).evaluate((e) => getComputedStyle(e).overscrollBehaviorY);
  assert.equal(await behaviour("html"), "none");
  for (const scroller of ["room-view .log", ".rooms-scroll", ".panel-body"])
    assert.equal(await behaviour(scroller), "contain", scroller);
});
