// garbage.js: how much memory a message of a live room takes and leaves behind. A browser collects that late, so a
// page grows for long although nothing leaks.
import { chromium } from "playwright-core";
import { LAUNCH, Server } from "./helper.js";

const BATCH = 8;
const BATCHES = 9;
const HELD = 60; // messages in the room
const WARM = 60; // messages before the first that counts
const PAUSE_MS = 60; // after a message, for what the page does later, such as the read mark and the room list
/** Scripts get so much room that a young object is not collected before it is counted. */
const FLAGS = "--js-flags=--min-semi-space-size=64 --max-semi-space-size=128";
const TEXTS = [
  "A line as people write them.",
  "And an answer with **bold** words, `code` and a link: https://example.org/a/page",
  "Short.",
  "Two lines,\nof which the second has a smile :tada:",
  "Something longer that goes on for a while, as it happens when somebody explains how a thing is done, or why not.",
];

/** Resolves once the page shows a message. It runs in the page, and is cheaper there than a locator, which asks again
 * in each frame and so makes garbage of its own. */
const DRAWN = `globalThis.drawn = (seq) => new Promise((done) => {
  const log = document.querySelector(".log");
  const look = () => log.querySelector('[data-seq="' + seq + '"]') && (observer.disconnect(), done());
  const observer = new MutationObserver(look);
  observer.observe(log, { childList: true, subtree: true });
  look();
}), 0`;

/** Returns how many bytes a message makes the page allocate: in the heap of scripts, and in that of the browser's own
 * objects (elements, styles, layout). Each is the median of batches after a forced collection, less what batches of
 * the same length take in which nobody writes.
 * @param {string} [program] default: the one under test */
export async function garbagePerMessage(program) {
  const server = new Server();
  if (program) server.program = program;
  await server.start();
  await server.fill("live", HELD);
  const browser = await chromium.launch({ ...LAUNCH, args: [...LAUNCH.args, FLAGS] });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  await context.request.post(`${server.url}/api/session`, { data: { name: "Ada" } });
  await context.addInitScript(() => localStorage.setItem("parley:name", JSON.stringify("Ada")));
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  const run = (/** @type {string} */ expression) =>
    cdp.send("Runtime.evaluate", { expression, awaitPromise: true });
  await page.goto(`${server.url}/r/live`);
  await page.locator(`[data-seq='${HELD}']`).waitFor();
  await run(DRAWN);
  const talkers = await Promise.all(["Grace", "Linus", "Zoë"].map((name) => server.guest(name)));
  let said = 0;
  const talk = async (/** @type {number} */ n, writes = true) => {
    for (let i = 0; i < n; i++) {
      const talker = talkers[Math.floor(said / 3) % talkers.length] ?? "";
      if (writes) await server.say("live", talker, TEXTS[said++ % TEXTS.length] ?? "");
      await run(`drawn(${HELD + said})`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  const used = async () => {
    const usage = /** @type {{ usedSize: number, embedderHeapUsedSize?: number }} */ (
      await cdp.send("Runtime.getHeapUsage")
    );
    return { script: usage.usedSize, browser: usage.embedderHeapUsedSize ?? NaN };
  };
  const perMessage = async (/** @type {boolean} */ writes) => {
    const [script, own] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
    for (let i = 0; i < BATCHES; i++) {
      await cdp.send("HeapProfiler.collectGarbage"); // so that nothing is collected during the batch
      const before = await used();
      await talk(BATCH, writes);
      const after = await used();
      script.push((after.script - before.script) / BATCH);
      own.push((after.browser - before.browser) / BATCH);
    }
    return { script: median(script), browser: median(own) };
  };
  await talk(WARM);
  const silence = await perMessage(false);
  const live = await perMessage(true);
  await browser.close();
  await server.kill();
  return { script: live.script - silence.script, browser: live.browser - silence.browser };
}

/** The median, as what else the page does makes some batches large. @param {number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
