// helper.js: the real browser, and visitors who watch that nothing goes wrong. When a test ends, its browsers are
// closed. If it failed, what its visitors and the servers know of the cause is printed.
//
// No test may depend on how fast the machine is: each step waits for what the next one needs. What the page shows only
// for a moment is waited for by told(), which also finds what has gone again.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, afterEach } from "node:test";
import { chromium } from "playwright-core";
import { Server, servers, temporary } from "./server.js";

/** @import { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core" */

export { Server };

/** Chromium's shell without a window does for the tests what Chromium does, in half the time. */
const BROWSERS = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"];

export const LAUNCH = {
  executablePath: process.env["CHROMIUM"] ?? BROWSERS.find((path) => existsSync(path)) ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--host-resolver-rules=MAP parley.local 127.0.0.1",
  ],
};

/** Tests route requests, which does not reach those of a service worker. Those that are about it allow it. */
const UNWATCHED = /** @type {const} */ ({ serviceWorkers: "block" });

const TIMEOUT_MS = 60_000; // of each step of a test
const REPORT_MS = 5_000; // how long a page of a failed test may take to say how it looks

/** @type {Promise<Browser> | undefined} */
let browser;
/** The browsers of the present test, and what must not have happened there.
 * @type {{ context: BrowserContext, wrong: readonly string[] }[]} */
let open = [];

afterEach(async (t) => {
  const closing = open;
  open = [];
  if (/** @type {{ passed?: boolean }} */ (t).passed === false) await report(t.name, closing);
  await Promise.allSettled(closing.map(({ context }) => context.close()));
});

after(() => Promise.allSettled([browser?.then((b) => b.close()), ...servers.map((s) => s.kill())]));

/** Prints how a failed test has left its pages and servers.
 * @param {string} name  @param {typeof open} visitors */
async function report(name, visitors) {
  console.error(`failed: ${name}`);
  for (const [i, { context, wrong }] of visitors.entries()) {
    console.error(`visitor ${i + 1}: must not have happened: ${JSON.stringify(wrong, null, 2)}`);
    for (const page of context.pages()) console.error(`${page.url()}: ${await look(page)}`);
  }
  for (const { url, log } of servers) console.error(`the log of ${url}:\n${log}`);
}

/** Returns where the focus is, what has been shown in passing, and all text of a page. @param {Page} page */
async function look(page) {
  const looks = () => {
    const { activeElement: focused, body, title } = document;
    const { told } = /** @type {{ told?: string[] }} */ (/** @type {unknown} */ (globalThis));
    return JSON.stringify({ title, focused: focused?.outerHTML.slice(0, 200), told, text: body.innerText }, null, 2);
  };
  try {
    return await (await page.waitForFunction(looks, undefined, { timeout: REPORT_MS })).jsonValue();
  } catch (err) {
    return String(err);
  }
}

/** Opens a browser that keeps its data in a folder, as one at home does.
 * @param {string} dir */
export async function browserAtHome(dir) {
  const context = await chromium.launchPersistentContext(dir, { ...LAUNCH, ...UNWATCHED });
  await prepare(context);
  open.push({ context, wrong: [] });
  return context;
}

/** Returns an empty folder, for a browser at home or a server. */
export const home = () => temporary("home");

/** Somebody with a browser of their own, who has given their name if they have one. Everything that must
 * not happen is gathered in `wrong`: it has to stay empty.
 * @param {{ url: string }} server  @param {string | null} name  @param {BrowserContextOptions} [options] */
export async function visitor(server, name, options) {
  browser ??= chromium.launch(LAUNCH);
  const context = await (await browser).newContext({ ...UNWATCHED, ...options });
  await prepare(context);
  await context.grantPermissions(["clipboard-write"]); // which a browser with a window grants by itself
  if (name !== null) {
    await context.request.post(`${server.url}/api/session`, { data: { name } });
    await context.addInitScript((n) => localStorage.setItem("parley:name", JSON.stringify(n)), name);
  }
  const page = await context.newPage();
  const wrong = watch(context, page, server);
  open.push({ context, wrong });
  return { context, page, wrong };
}

/** Gives a browser time, and lets its pages note what they show only for a moment. @param {BrowserContext} context */
async function prepare(context) {
  context.setDefaultTimeout(TIMEOUT_MS);
  await context.addInitScript(() => {
    const told = /** @type {string[]} */ ([]);
    Object.assign(globalThis, { told });
    new MutationObserver((changes) => {
      const places = changes.map(({ target }) =>
        (target instanceof Element ? target : target.parentElement)?.closest(
          "parley-toast, .connection, .typing, .state-text",
        ),
      );
      for (const place of new Set(places)) if (place?.textContent) told.push(place.textContent);
    }).observe(document, { subtree: true, childList: true, characterData: true });
  });
}

/** Waits until the page has shown a text in a toast, in the connection's pill, as somebody's typing or as the state of
 * a message. It may have gone again. Each is found once. @param {Page} page  @param {string | RegExp} text */
export async function told(page, text) {
  const { source, flags } = text instanceof RegExp ? text : new RegExp(text.replace(/\W/g, "\\$&"));
  await page.waitForFunction(
    ({ source, flags }) => {
      const { told } = /** @type {{ told: string[] }} */ (/** @type {unknown} */ (globalThis));
      const at = told.findIndex((words) => new RegExp(source, flags).test(words));
      return at >= 0 && told.splice(at, 1);
    },
    { source, flags },
  );
}

/** @param {BrowserContext} context  @param {Page} page  @param {{ url: string }} server  @returns {string[]} */
export function watch(context, page, server) {
  /** @type {string[]} */
  const wrong = [];
  context.on("request", (r) => {
    const { protocol, origin } = new URL(r.url());
    if (protocol !== "data:" && origin !== server.url) wrong.push(`request to ${r.url()}`);
  });
  page.on("dialog", (d) => {
    wrong.push(`dialog: ${d.message()}`);
    d.dismiss().catch(() => undefined);
  });
  page.on("pageerror", (e) => wrong.push(`exception: ${e.stack}`));
  page.on("console", (m) => {
    // What the network refuses is said by the browser itself, and wanted in some tests.
    if (m.type() === "error" && !/Failed to load resource|WebSocket connection/.test(m.text()))
      wrong.push(`console: ${m.text()}`);
  });
  return wrong;
}

/** Forgets what the page has shown in passing. @param {Page} page */
export const forget = (page) =>
  page.evaluate(() => {
    /** @type {{ told: string[] }} */ (/** @type {unknown} */ (globalThis)).told.length = 0;
  });

/** Writes a message and sends it. @param {Page} page  @param {string} text */
export async function write(page, text) {
  await page.getByLabel("Your message").fill(text);
  await pressSend(page);
}

/** Presses the key that sends what is written. On a phone Enter alone begins a new line. @param {Page} page */
export async function pressSend(page) {
  const field = page.getByLabel("Your message");
  await field.press((await field.getAttribute("enterkeyhint")) === "send" ? "Enter" : "Control+Enter");
}

/** Returns the message rows that hold a text. @param {Page} page  @param {string | RegExp} text */
export const row = (page, text) => page.locator(".message", { has: page.locator(".body", { hasText: text }) });

/** Waits until the room has been joined, and what can be done with messages is there. @param {Page} page */
export async function joined(page) {
  await page.locator(".people h2, .people-count").filter({ hasText: /\d/ }).first().waitFor({ state: "attached" });
  await page.waitForFunction(() => customElements.get("room-topic"));
}

/** Waits until the page has drawn what it knows, in the next frame. @param {Page} page */
export const drawn = (page) =>
  page.evaluate(() => new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then))));

/** Waits until the page shows these messages and no other, in this order.
 * @param {Page} page  @param {readonly string[]} texts  @param {string} [within] a selector; default: the whole page */
export async function assertShown(page, texts, within = "") {
  const bodies = `${within} .message .body`.trim();
  const same = ({ bodies = "", texts = /** @type {readonly string[]} */ ([]) }) => {
    const there = [...document.querySelectorAll(bodies)].map((b) => b.textContent);
    return there.length === texts.length && there.every((text, i) => text === texts[i]);
  };
  await page.waitForFunction(same, { bodies, texts }).catch(() => undefined); // what differs is said by the next line
  assert.deepEqual(await page.locator(bodies).allTextContents(), texts);
}

/** Waits until a person finds a word by the search, whose index follows the log.
 * @param {BrowserContext} context  @param {Server} server  @param {string} word */
export async function indexed({ request }, server, word) {
  const until = Date.now() + TIMEOUT_MS;
  for (;;) {
    const answer = await (await request.get(`${server.url}/api/search?q=${word}`)).json();
    if (answer.hits?.length > 0) return;
    assert.ok(Date.now() < until, `the index has no ${word}: ${JSON.stringify(answer)}`);
  }
}

/** Returns what look sees once it has been the same for ten frames.
 * @template T  @param {import("playwright-core").Page} page  @param {() => Promise<T>} look */
export async function resting(page, look) {
  let seen = await look();
  for (let same = 0; same < 10;) {
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => drawn(null))));
    const now = await look();
    same = now === seen ? same + 1 : 0;
    seen = now;
  }
  return seen;
}

/** @typedef {{ seq: number, offset: number }} Place a message, and how far below the top of the log it begins */

/** Returns what a person reads: the first message that begins in view. @param {Page} page  @returns {Promise<Place>} */
export const reading = async (page) =>
  JSON.parse(
    await resting(page, () =>
      page.locator("room-view .log").evaluate((log) => {
        const { top } = log.getBoundingClientRect();
        const first = [...log.querySelectorAll("[data-seq]")].find((r) => r.getBoundingClientRect().top >= top);
        return JSON.stringify({
          seq: Number(first?.getAttribute("data-seq")),
          offset: (first?.getBoundingClientRect().top ?? 0) - top,
        });
      }),
    ),
  );

/** Waits until the message is where it was, give or take three pixels.
 * @param {Page} page  @param {Place} place  @param {string} why */
export async function assertReading(page, { seq, offset }, why) {
  const now = await resting(page, () =>
    page.locator("room-view .log").evaluate((log, n) => {
      const row = log.querySelector(`[data-seq="${n}"]`);
      return row ? row.getBoundingClientRect().top - log.getBoundingClientRect().top : NaN;
    }, seq),
  );
  assert.ok(Math.abs(now - offset) <= 3, `${why}: message ${seq} was ${offset} px below the top, and is at ${now}`);
}
