// garbage.js: how much memory a message of a live room takes and leaves behind. A browser collects that late, so a
// page grows for long although nothing leaks.
import { Server } from "./helper.js";

/** @import { Browser } from "playwright-core" */

const BATCH = 5;
const BATCHES = 60;
const WARM = 60; // messages before the first that counts
const TEXTS = [
  "A line as people write them.",
  "And an answer with **bold** words, `code` and a link: https://example.org/a/page",
  "Short.",
  "Two lines,\nof which the second has a smile :tada:",
  "Something longer that goes on for a while, as it happens when somebody explains how a thing is done, or why not.",
];

/** Returns how many bytes a message makes the page allocate: in all, and in the heap of scripts.
 * @param {Browser} browser  @param {string} [program] default: the one under test */
export async function garbagePerMessage(browser, program) {
  const server = new Server();
  if (program) server.program = program;
  await server.start();
  await server.fill("live", 60);
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  await context.request.post(`${server.url}/api/session`, { data: { name: "Ada" } });
  await context.addInitScript(() => localStorage.setItem("parley:name", JSON.stringify("Ada")));
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await page.goto(`${server.url}/r/live`);
  await page.locator("[data-seq='60']").waitFor();
  const talkers = await Promise.all(["Grace", "Linus", "Zoë"].map((name) => server.guest(name)));
  let said = 0;
  const talk = async (/** @type {number} */ n) => {
    for (let i = 0; i < n; i++) {
      const talker = talkers[Math.floor(said / 3) % talkers.length] ?? "";
      await server.say("live", talker, TEXTS[said++ % TEXTS.length] ?? "");
      // As much apart as to be drawn each for itself.
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    await page.locator(`[data-seq='${60 + said}']`).waitFor();
  };
  const used = async () => {
    const usage = /** @type {{ usedSize: number, embedderHeapUsedSize?: number }} */ (
      await cdp.send("Runtime.getHeapUsage")
    );
    return { script: usage.usedSize, all: usage.usedSize + (usage.embedderHeapUsedSize ?? NaN) };
  };
  await talk(WARM);
  const all = [];
  const script = [];
  for (let i = 0; i < BATCHES; i++) {
    const before = await used();
    await talk(BATCH);
    const after = await used();
    all.push((after.all - before.all) / BATCH);
    script.push((after.script - before.script) / BATCH);
  }
  await context.close();
  await server.kill();
  return { all: median(all), script: median(script) };
}

/** The median, as what is collected meanwhile makes some batches small. (A collection before each batch would empty
 * caches, too, and so count their filling.) @param {number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
