// measure.js: how fast the page is and whether it grows: npm run measure. It prints figures and judges none, since they
// are the machine's as much as the page's. MINUTES says how long the talk goes on (default 0.5), RATE how many messages
// a second. COMPARE names another build of the program, whose garbage per message is measured in the same run.
import { chromium } from "playwright-core";
import { garbagePerMessage } from "./garbage.js";
import { LAUNCH, Server, joined } from "./helper.js";
import { counting } from "./requests.js";

const MESSAGES = 10_000;
const KEYS = 200;
const MINUTES = Number(process.env["MINUTES"] ?? 0.5);
const RATE = Number(process.env["RATE"] ?? 20);

/** @param {number[]} values  @param {number} p */
const percentile = (values, p) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * p))] ?? NaN;
/** @param {string} what  @param {string} figure */
const tell = (what, figure) => process.stdout.write(`${what.padEnd(76)}${figure}\n`);

const server = await new Server().start();
await server.fill("large", MESSAGES);
const browser = await chromium.launch({ ...LAUNCH, args: [...LAUNCH.args, "--enable-precise-memory-info"] });
const context = await browser.newContext();
await context.request.post(`${server.url}/api/session`, { data: { name: "Ada" } });
await context.addInitScript(() => localStorage.setItem("parley:name", JSON.stringify("Ada")));
const page = await context.newPage();
const cdp = await context.newCDPSession(page);
await cdp.send("Performance.enable");

// From the beginning of the navigation to the frame in which a message is there.
await page.addInitScript(() => {
  new MutationObserver((_, observer) => {
    if (!document.querySelector(".message .body")?.textContent) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => performance.mark("first message")));
  }).observe(document, { subtree: true, childList: true });
});
const requests = await counting(page);
for (const visit of ["first visit", "again"]) {
  requests.clear();
  await page.goto(`${server.url}/r/large`);
  await page.waitForFunction(() => performance.getEntriesByName("first message").length > 0);
  const ms = await page.evaluate(() => performance.getEntriesByName("first message")[0]?.startTime ?? NaN);
  tell(`first message on the screen, ${visit}`, `${ms.toFixed(0)} ms`);
  await joined(page);
  await page.waitForLoadState("networkidle");
  const bytes = [...requests.values()].reduce((sum, r) => sum + r.bytes, 0);
  tell(`requests and bytes until the room is ready, ${visit}`, `${requests.size}, ${bytes} bytes`);
}

// From the key to the end of the frame that shows what it did.
await page.evaluate(() => {
  const painted = /** @type {number[]} */ ([]);
  Object.assign(window, { painted });
  addEventListener("keydown", () => {
    const began = performance.now();
    const channel = new MessageChannel();
    channel.port1.onmessage = () => painted.push(performance.now() - began);
    requestAnimationFrame(() => channel.port2.postMessage(0));
  }, { capture: true });
});
/** How long the page has worked so far, in ms. */
async function worked() {
  const { metrics } = await cdp.send("Performance.getMetrics");
  const of = (/** @type {string} */ name) => (metrics.find((m) => m.name === name)?.value ?? NaN) * 1000;
  return { script: of("ScriptDuration"), layout: of("LayoutDuration") + of("RecalcStyleDuration") };
}
/** @param {string} where */
async function type(where) {
  const before = await worked();
  await page.getByLabel("Your message").fill("");
  const text = "the quick brown fox jumps over a lazy dog ".repeat(KEYS / 42 + 1).slice(0, KEYS);
  await page.getByLabel("Your message").pressSequentially(text, { delay: 30 });
  const times = await page.evaluate(() =>
    /** @type {{ painted: number[] }} */ (/** @type {unknown} */ (window)).painted.splice(0),
  );
  const after = await worked();
  const script = ((after.script - before.script) / times.length).toFixed(2);
  const layout = ((after.layout - before.layout) / times.length).toFixed(2);
  tell(`the page's own work per key, ${where}: script, layout`, `${script} ms, ${layout} ms`);
  const p50 = percentile(times, 0.5).toFixed(1);
  const p95 = percentile(times, 0.95).toFixed(1);
  tell(`typing to paint, ${where}: p50, p95`, `${p50} ms, ${p95} ms (${times.length} keys)`);
}
await type(`${MESSAGES} messages in the room`);
for (let i = 0; i < 8; i++) {
  await page.locator(".log").first().evaluate((log) => { log.scrollTop = 0; });
  await page.waitForTimeout(300);
}
await page.waitForTimeout(2000); // until the last page is in
await type("after scrolling far back");

async function heap() {
  await cdp.send("HeapProfiler.collectGarbage");
  const { usedSize } = await cdp.send("Runtime.getHeapUsage");
  const { nodes } = await cdp.send("Memory.getDOMCounters");
  return { mb: usedSize / 2 ** 20, nodes };
}
await page.keyboard.press("Escape");
const talker = await server.guest("Grace");
let said = 0;
const began = Date.now();
const end = began + MINUTES * 60_000;
const before = await heap();
tell("heap and DOM nodes before", `${before.mb.toFixed(1)} MB, ${before.nodes}`);
for (let next = began + (MINUTES * 60_000) / 4; Date.now() < end;) {
  const seq = Number((await server.say("large", talker, `talk ${said}, **bold** and :tada:`))["seq"]);
  if (++said % 5 === 0) {
    await server.put(`/api/rooms/large/messages/${seq}/reactions/${encodeURIComponent("👍")}`, talker);
  }
  if (Date.now() >= next) {
    next += (MINUTES * 60_000) / 4;
    const now = await heap();
    const minutes = ((Date.now() - began) / 60_000).toFixed(1);
    tell(`heap and DOM nodes after ${minutes} min, ${said} messages`, `${now.mb.toFixed(1)} MB, ${now.nodes}`);
  }
  await new Promise((resolve) => setTimeout(resolve, began + (said * 1000) / RATE - Date.now()));
}
const after = await heap();
tell(`heap and DOM nodes after ${MINUTES} min, ${said} messages`, `${after.mb.toFixed(1)} MB, ${after.nodes}`);
tell("rows on the page", String(await page.locator(".message").count()));
await browser.close();
await server.kill();

const compare = process.env["COMPARE"];
const kb = (/** @type {number} */ bytes) => `${(bytes / 1024).toFixed(0)} KB`;
for (const program of compare ? ["", compare] : [""]) {
  const made = await garbagePerMessage(program);
  const which = program ? ` by ${program}` : "";
  tell(
    `memory that a message of a live room takes${which}: scripts, the browser's own`,
    `${kb(made.script)}, ${kb(made.browser)}`,
  );
}
