import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, joined, resting, row, told, visitor, write } from "./helper.js";

/** @import { Page } from "playwright-core" */

const N = 10_000;
const MOST_ROWS = 700; // the window, a page, and what stands between messages
const server = await new Server().start();
await server.fill("long", N);

/** @param {Page} page */
const seqs = (page) =>
  page.locator("[data-seq]").evaluateAll((rows) => rows.map((r) => Number(r.getAttribute("data-seq"))));

/** @param {Page} page */
async function assertWhole(page) {
  const list = await seqs(page);
  assert.ok(list.length < MOST_ROWS, `${list.length} rows`);
  for (let i = 1; i < list.length; i++) assert.equal(list[i], (list[i - 1] ?? 0) + 1, "no gap and no repeat");
}

test("scrolling up through 10,000 messages never makes the view jump, and the DOM stays small", async () => {
  const { page, wrong } = await visitor(server, "Ada");
  await page.goto(`${server.url}/r/long`);
  await page.locator(`[data-seq='${N}']`).waitFor();
  await page.locator(".log").hover();
  // A jump is a row that is somewhere else than the scrolling has brought it.
  await page.evaluate(() => {
    const log = /** @type {HTMLElement} */ (document.querySelector(".log"));
    const w = /** @type {Window & { jumps?: number[] }} */ (window);
    const jumps = (w.jumps = /** @type {number[]} */ ([]));
    const look = () => {
      const top = log.getBoundingClientRect().top;
      const row = [...log.querySelectorAll("[data-seq]")].find((r) => r.getBoundingClientRect().top >= top);
      return row && { row, y: row.getBoundingClientRect().top };
    };
    let before = look();
    new MutationObserver(() => {
      // Rows came or went: in the frame that is painted, the row that was looked at has not moved.
      const was = before;
      requestAnimationFrame(() => {
        if (was?.row.isConnected && !moving) jumps.push(Math.abs(was.row.getBoundingClientRect().top - was.y));
        before = look();
      });
    }).observe(log, { childList: true });
    let moving = false;
    log.addEventListener("wheel", () => (moving = true));
    log.addEventListener("scroll", () =>
      requestAnimationFrame(() => {
        moving = false;
        before = look();
      }),
    );
  });
  let oldest = N;
  for (let i = 0; i < 12; i++) {
    const reached = (await seqs(page))[0] ?? 0;
    await page.locator(".log").evaluate((log) => {
      log.scrollTop = 200;
    }); // near the start of the window: the next page is asked for
    await page.waitForFunction(
      (was) => Number(document.querySelector("[data-seq]")?.getAttribute("data-seq")) < was,
      reached,
    );
    await assertWhole(page);
    oldest = (await seqs(page))[0] ?? 0;
  }
  assert.ok(oldest < N - 1100, `reached ${oldest}`);
  const jumps = await page.evaluate(() => /** @type {Window & { jumps?: number[] }} */ (window).jumps ?? []);
  assert.ok(jumps.length > 0 && jumps.every((j) => j < 1.5), `jumps of ${jumps} px`);

  await page.keyboard.press("Escape"); // and back to the end at once
  await page.locator(`[data-seq='${N}']`).waitFor();
  await assertWhole(page);
  assert.deepEqual(wrong, []);
});

test("a deep link far back opens there, marked and focused; from there one reads on in both directions", async () => {
  const { page, wrong } = await visitor(server, "Ada");
  await page.goto(`${server.url}/r/long#4242`);
  const target = page.locator("[data-seq='4242']");
  await target.and(page.locator(".linked")).waitFor();
  assert.ok(await target.evaluate((m) => m === document.activeElement), "it has the focus");
  const box = await target.boundingBox();
  assert.ok(box && box.y > 56 && box.y < 600, "it is in view");
  await page.locator(".log").evaluate((log) => {
    log.scrollTop = log.scrollHeight;
  });
  await page.locator("[data-seq='4292']").waitFor();
  const top = await page.locator(".log").evaluate((log) => {
    log.scrollTop = 0;
    return log.querySelector("[data-seq]")?.getAttribute("data-seq");
  });
  await page.locator("[data-seq='4150']").waitFor();
  await assertWhole(page);
  const kept = await page.locator(`[data-seq='${top}']`).boundingBox();
  assert.ok(kept && kept.y > 56 && kept.y < 600, "what was at the top stays in view when older messages come");

  await page.evaluate(() => {
    location.hash = "#17";
  }); // another link on the same page
  await page.locator("[data-seq='17'].linked").waitFor();
  await page.getByText("This is where the room begins.").waitFor({ state: "attached" });
  await page.evaluate(() => {
    location.hash = "#999999";
  });
  await told(page, "There is no message 999999 here.");
  const [toast, field] = [
    await page.locator("parley-toast").boundingBox(),
    await page.locator("room-view form.composer").boundingBox(),
  ];
  assert.ok(toast && field && toast.y + toast.height <= field.y, "it does not lie on the message field");

  await write(page, "from far back");
  await row(page, "from far back")
    .and(page.locator(`[data-seq='${N + 1}']`))
    .waitFor();
  assert.equal(new URL(page.url()).hash, "");
  await assertWhole(page);
  assert.deepEqual(wrong, []);
});

test("a page that slept through more than 1,000 messages keeps its place and shows no hole", async () => {
  await server.fill("slept", 30);
  const { page, wrong } = await visitor(server, "Ada");
  let asleep = false;
  await page.routeWebSocket(/\/ws$/, (ws) => {
    if (asleep) ws.close({ code: 4999 });
    else {
      const upstream = ws.connectToServer();
      upstream.onMessage((m) => {
        if (asleep) upstream.close();
        else ws.send(m);
      });
      close = () => {
        asleep = true;
        upstream.close();
        ws.close({ code: 4999 });
      };
    }
  });
  let close = () => {};
  await page.goto(`${server.url}/r/slept`);
  await page.locator("[data-seq='30']").waitFor();
  await joined(page);
  close();
  await page.getByText("Reconnecting…").waitFor();
  await server.fill("slept", 1200);
  asleep = false;
  await told(page, "Back online");
  await page.getByRole("button", { name: "100+ new messages" }).waitFor();
  await page.waitForFunction(() => document.title === "(100) slept – Parley");
  assert.equal(await page.locator(".new-separator + .message").getAttribute("data-seq"), "31");
  await assertWhole(page);
  await page.getByRole("button", { name: "100+ new messages" }).click();
  await page.locator("[data-seq='1230']").waitFor();
  await page.waitForFunction(() => document.title === "slept – Parley");
  await assertWhole(page);
  assert.deepEqual(wrong, []);
});

test("a flood while one watches: everything arrives, in order, and the DOM stays small", async () => {
  const { page, wrong } = await visitor(server, "Ada");
  await page.goto(`${server.url}/r/flood`);
  await joined(page);
  await server.fill("flood", 2000);
  await page.locator("[data-seq='2000']").waitFor();
  await assertWhole(page);
  const below = () => page.locator(".log").evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight);
  assert.ok((await resting(page, below)) < 2, "still at the end");
  assert.deepEqual(wrong, []);
});
