// Search, with answers of the server and with prepared ones.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, indexed } from "./helper.js";
import { settled } from "./room-list.js";

const server = await new Server().start();

test("a search result links to its message", async () => {
  const { page, wrong } = await settled(server, "Irma", ["f-here", "f-far"]);
  await server.fill("f-here", 150);
  const asked = /** @type {string[]} */ ([]);
  await page.route("**/api/search?*", (route) => {
    asked.push(new URL(route.request().url()).search);
    const again = asked.at(-1)?.includes("cursor=");
    const message = {
      seq: again ? 3 : 20,
      kind: "message",
      at: "2026-11-23T09:41:05.123Z",
      from: { id: "g", name: "Grace <b>" },
      text: "Line 20. <i>more</i> words",
    };
    return route.fulfill({
      json: { hits: [{ room: "f-here", message, ranges: [[0, 4]] }], ...(!again && { cursor: "next" }) },
    });
  });
  await page.keyboard.press("Control+Shift+F");
  const field = page.getByRole("searchbox", { name: "Search" });
  const here = page.getByRole("checkbox", { name: "f-far" });
  assert.equal(await here.isChecked(), true, "at first in the room on the screen");
  await field.fill("line from:grace");
  const hit = page.locator(".hits li").first();
  await hit.waitFor();
  assert.match(asked.at(-1) ?? "", /q=line\+from%3Agrace\+in%3Af-far&sort=time/);
  const everywhere = page.waitForResponse(/from%3Agrace&sort=time/);
  await here.uncheck();
  await everywhere;
  assert.equal(await hit.locator(".place").textContent(), "f-here");
  await hit.locator(".avatar[data-face]").waitFor();
  assert.equal(await hit.locator("mark").textContent(), "Line");
  assert.equal(await hit.locator(".snippet").textContent(), "Line 20. <i>more</i> words");
  assert.match(asked.at(-1) ?? "", /q=line\+from%3Agrace&sort=time/);
  const sorted = page.waitForResponse(/sort=relevance/);
  await page.getByRole("radio", { name: "Best match first" }).check();
  await sorted;
  await page.getByRole("button", { name: "Show more" }).click();
  await page.locator(".hits li").nth(1).waitFor();
  assert.match(asked.at(-1) ?? "", /sort=relevance.*cursor=next/);
  await hit.getByRole("link").click();
  await page.locator("[data-seq='20'].linked").waitFor();
  assert.equal(new URL(page.url()).pathname + new URL(page.url()).hash, "/r/f-here#20");
  assert.deepEqual(wrong, []);
});

test("an incomplete search says so, and a failed one shows only its error", async () => {
  const { page, wrong } = await settled(server, "Ilka", ["lack-one"]);
  /** @type {{ status?: number, json: object }[]} */
  const answers = [
    { json: { hits: [], complete: false, complete_until: new Date(Date.now() - 20 * 60_000).toISOString() } },
    { json: { hits: [], complete: false } },
    { json: { hits: [], complete: true } },
    { status: 503, json: { code: "search_unavailable", detail: "The search took too long. Look in one room." } },
  ];
  await page.route("**/api/search?*", (route) =>
    route.fulfill(answers.shift() ?? { json: { hits: [], complete: true } }),
  );
  await page.getByRole("button", { name: "Search", exact: true }).click();
  const says = page.locator("search-panel").getByRole("status");
  for (const want of [
    /^Nothing found\. Messages since .*\d.* cannot be found yet\.$/,
    /^Nothing found\. Some messages cannot be found yet\.$/,
    /^Nothing found\.$/,
    /^The search took too long\. Look in one room\.$/,
  ]) {
    const answered = page.waitForResponse("**/api/search?*");
    await page.getByRole("searchbox", { name: "Search" }).fill(`line ${answers.length}`);
    await answered;
    await says.filter({ hasText: want }).waitFor();
  }
  assert.deepEqual(
    wrong.filter((w) => !w.includes("503")),
    [],
  );
});

test("the server's search finds a message of another room by the first letters of a word", async () => {
  const { page, context, wrong } = await settled(server, "Ilse", ["real-one", "real-two"]);
  await server.say("real-one", await server.session("Grace"), "a wheelbarrow of turnips");
  await indexed(context, server, "wheelbarrow");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await page.getByRole("checkbox", { name: "real-two" }).uncheck();
  const hit = page.locator(".hits li", { hasText: "turnips" });
  await page.getByRole("searchbox", { name: "Search" }).fill("wheelb");
  assert.match((await hit.locator("mark").textContent()) ?? "", /^wheelb/);
  await page.getByText("1 message found").waitFor();
  await page.getByRole("button", { name: "Clear" }).click();
  await page.getByRole("searchbox", { name: "Search" }).and(page.locator(":focus")).waitFor();
  assert.equal(await page.locator(".hits li").count(), 0);
  await page.getByRole("button", { name: "Clear" }).waitFor({ state: "hidden" });
  await page.getByRole("searchbox", { name: "Search" }).fill("wheelb");
  await hit.getByRole("link").click();
  await page.waitForURL(`${server.url}/r/real-one#2`);
  await page.locator("[data-seq='2'].linked").waitFor();
  assert.deepEqual(wrong, []);
});

test("what is not in this room is searched in all, and in another room again", async () => {
  const { page, wrong } = await settled(server, "Ines", ["s-one", "s-two"]);
  await page.route("**/api/search?*", (route) => {
    const q = new URL(route.request().url()).searchParams.get("q") ?? "";
    const room = /in:(\S+)/.exec(q)?.[1] ?? "s-one";
    const from = { id: "g", name: "Grace" };
    const message = { seq: 1, kind: "message", at: "2026-11-23T09:41:05.123Z", from, text: `words of ${room}` };
    return route.fulfill({ json: { hits: room === "s-two" ? [] : [{ room, message, ranges: [[0, 5]] }] } });
  });
  await page.keyboard.press("Control+Shift+F");
  await page.keyboard.type("words");
  const all = page.getByRole("button", { name: "Search all rooms" });
  const hit = page.locator(".hits li");
  await all.click();
  await hit.getByText("words of s-one").waitFor();
  assert.equal(await page.getByRole("checkbox", { name: "s-two" }).isChecked(), false);
  assert.equal(await all.isVisible(), false);
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("type")), "search");
  // The hits of a room go with it.
  await page.getByRole("checkbox", { name: "s-two" }).check();
  await all.waitFor();
  await page.keyboard.press("Escape");
  await page.locator("room-list li[data-room=s-one] a").click();
  await page.waitForURL(`${server.url}/r/s-one`);
  await page.keyboard.press("Control+Shift+F");
  await page.getByRole("checkbox", { name: "s-one", checked: true }).waitFor();
  await hit.getByText("words of s-one").waitFor();
  assert.deepEqual(wrong, []);
});
