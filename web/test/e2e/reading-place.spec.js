// What a person reads stays where it is, whatever happens around it; and the way back to the newest message is offered.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, assertReading, drawn, reading, resting, row } from "./helper.js";
import { enter, message } from "./people.js";

/** @import { Locator, Page } from "playwright-core" */

const server = await new Server().start();
const LONG = Array.from({ length: 60 }, (_, i) => `paragraph ${i}`).join("\n\n");
const WIDE = { width: 1280, height: 720 };
const LAPTOP = { width: 1280, height: 520 };
const PHONE = { width: 390, height: 700 };

/** @param {Locator} element */
const top = (element) => element.evaluate((e) => e.getBoundingClientRect().top);

/** What happens in a room after a long message: a message, reactions to it and to the one before, an edit of it.
 * @param {string} room  @param {string} grace  @param {number} seq */
const happenings = (room, grace, seq) => [
  () => server.say(room, grace, "and then?"),
  () => server.put(`/api/rooms/${room}/messages/${seq}/reactions/${encodeURIComponent("👍")}`, grace),
  () => server.put(`/api/rooms/${room}/messages/${seq - 1}/reactions/${encodeURIComponent("🎉")}`, grace),
  () => server.edit(room, seq, `${LONG}\n\nand its end`, grace),
];

/** Presses a button by the mouse, the keyboard or a finger. @param {Locator} button  @param {string} way */
async function press(button, way) {
  if (way === "keys") {
    await button.focus();
    await button.press("Enter");
  } else if (way === "touch") await button.tap();
  else await button.click();
}

for (const [way, viewport] of /** @type {const} */ ([["mouse", WIDE], ["keys", LAPTOP], ["touch", PHONE]])) {
  test(`“Show more” on the newest message keeps it in place after anything that happens: ${way}`, async () => {
    const room = `more-${way}`;
    await server.fill(room, 30);
    const grace = await server.session("Grace");
    const seq = Number((await server.say(room, grace, LONG))["seq"]);
    const { page, wrong } = await enter(server, room, "Ada", { viewport, hasTouch: way === "touch" });
    const long = message(page, seq);
    const more = long.locator(".unfold");
    await more.waitFor();
    if (way === "keys") await long.focus();
    await resting(page, () => top(long));
    const before = await top(long);
    await press(more, way);
    await page.getByRole("button", { name: "Show less" }).waitFor();
    const place = await resting(page, () => top(long));
    assert.ok(Math.abs(place - before) <= 1, `it opens downwards: from ${before} to ${place}`);
    for (const happen of happenings(room, grace, seq)) {
      await happen();
      await drawn(page);
      const now = await resting(page, () => top(long));
      assert.ok(Math.abs(now - place) <= 1, `${happen}: from ${place} to ${now}`);
    }
    await row(page, "and its end").waitFor({ state: "attached" });

    // Folded from wherever its button is, it is seen from its beginning.
    const { y = 0, height = 0 } = (await page.locator("room-view .log").boundingBox()) ?? {};
    for (let i = 0; i < 20; i++) await server.say(room, grace, `later ${i}`);
    for (const block of /** @type {const} */ (["start", "end"])) {
      if (block === "end") await press(more, way);
      await more.evaluate((b, block) => b.scrollIntoView({ block }), block);
      await resting(page, () => top(more));
      await press(more, way);
      await page.getByRole("button", { name: "Show more" }).waitFor();
      const after = await resting(page, () => top(long));
      assert.ok(after > y - 1 && after < y + height, `button at the ${block}: the message is at ${after}`);
    }
    assert.deepEqual(wrong, []);
  });
}

test("in a thread, too, “Show more” and “Show less” keep the message where it is", async () => {
  const grace = await server.session("Grace");
  const root = Number((await server.say("thread-more", grace, "What is it about?"))["seq"]);
  const reply = (/** @type {string} */ text) =>
    server.post("/api/rooms/thread-more/messages", { text, thread: root }, grace);
  for (let i = 0; i < 12; i++) await reply(`reply ${i}`);
  const seq = Number((await reply(LONG))["seq"]);
  const { page, wrong } = await enter(server, "thread-more", "Ada");
  await page.locator("room-view .replies").click();
  const long = page.locator(`thread-panel [data-seq='${seq}']`);
  const more = long.locator(".unfold");
  await more.waitFor();
  const before = await resting(page, () => top(long));
  await more.click();
  await reply("one more");
  await page.locator("thread-panel .message", { hasText: "one more" }).waitFor({ state: "attached" });
  const now = await resting(page, () => top(long));
  assert.ok(Math.abs(now - before) <= 1, `from ${before} to ${now}`);
  await more.evaluate((b) => b.scrollIntoView({ block: "start" }));
  await more.click();
  const { y = 0, height = 0 } = (await page.locator("thread-panel .log").boundingBox()) ?? {};
  const after = await resting(page, () => top(long));
  assert.ok(after > y - 1 && after < y + height, `“Show less” has lost the message: ${after}`);
  assert.deepEqual(wrong, []);
});

test("what loads late, above the view or in the message that fills it, moves nothing", async () => {
  await server.fill("late", 40);
  const grace = await server.session("Grace");
  const seq = Number((await server.say("late", grace, LONG.replaceAll("paragraph", "**paragraph**")))["seq"]);
  for (let i = 0; i < 30; i++) await server.say("late", grace, `after it ${i}`);
  const { page } = await enter(server, "late", "Ada", { viewport: WIDE });
  /** As an image does whose size is not known before. @param {Locator} into */
  const grow = (into) =>
    into.evaluate((element) => {
      const picture = document.createElement("div");
      picture.style.blockSize = "150px";
      element.prepend(picture);
    });
  const log = page.locator("room-view .log");
  await log.evaluate((l) => (l.scrollTop = l.scrollHeight / 2));
  const place = await reading(page);
  await grow(message(page, place.seq - 2).locator(".body"));
  await drawn(page);
  await assertReading(page, place, "something above has grown");

  const long = message(page, seq);
  await long.locator(".unfold").click();
  const part = long.locator("p", { hasText: /^paragraph 30$/ });
  await part.evaluate((p) => p.scrollIntoView({ block: "center" }));
  const before = await resting(page, () => top(part));
  await grow(long.locator(".body"));
  await drawn(page);
  const now = await resting(page, () => top(part));
  assert.ok(Math.abs(now - before) <= 1, `within the message that is read: from ${before} to ${now}`);

  await page.keyboard.press("Escape");
  await resting(page, () => top(message(page, seq)));
  await grow(page.locator("room-view .message").last().locator(".body"));
  await drawn(page);
  const rest = () => log.evaluate((l) => Math.round(l.scrollHeight - l.scrollTop - l.clientHeight));
  assert.equal(await resting(page, rest), 0, "who is at the end stays there");
});

/** Scrolls up a little, as often as it is called. @type {Record<string, (page: Page) => Promise<unknown>>} */
const UP = {
  wheel: async (page) => {
    await page.locator("room-view .log").hover();
    await page.mouse.wheel(0, -100);
  },
  keys: async (page) => {
    await page.locator("room-view .log").focus();
    await page.keyboard.press("PageUp");
  },
  touch: async (page) => {
    const cdp = await page.context().newCDPSession(page);
    const at = (/** @type {number} */ y) => [{ x: 190, y }];
    await cdp.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: at(250) });
    for (const y of [270, 300, 330, 360, 390])
      await cdp.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: at(y) });
    await cdp.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await cdp.detach();
  },
};
for (const [way, scroll] of Object.entries(UP)) {
  test(`“Jump to newest” comes while one scrolls up by ${way}, and goes at the end`, async () => {
    const room = `jump-${way}`;
    await server.fill(room, 60);
    const touch = way === "touch";
    const { page, wrong } = await enter(server, room, "Ada", { viewport: touch ? PHONE : WIDE, hasTouch: touch });
    await message(page, 60).waitFor();
    const jump = page.getByRole("button", { name: "Jump to newest" });
    assert.equal(await jump.isVisible(), false);
    for (let i = 0; i < 10 && !(await jump.isVisible()); i++) {
      await scroll(page);
      await resting(page, () => top(message(page, 60)));
    }
    assert.ok(await jump.isVisible(), "it never came");
    await jump.click();
    await jump.waitFor({ state: "hidden" });
    assert.equal(await page.evaluate(() => document.activeElement?.role), "log", "the keys stay where one reads");
    const rest = () =>
      page.locator("room-view .log").evaluate((l) => Math.round(l.scrollHeight - l.scrollTop - l.clientHeight));
    assert.equal(await resting(page, rest), 0);
    assert.deepEqual(wrong, []);
  });
}
