// first-message.js URL START: two people in browser contexts of their own. One follows a link, gives a name and
// types; the other sees it. Prints the seconds of each stage, and of all since START (milliseconds since 1970).
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { argv, env, stdout } from "node:process";

const { chromium } = createRequire(resolve("package.json"))("playwright-core"); // run in web/
const BROWSERS = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"];
const TEXT = "Hello, is anybody there?";
const room = `${argv[2]}/r/first`;

/** @param {string} stage  @param {number} ms */
const print = (stage, ms) => stdout.write(`${stage.padEnd(34)} ${(ms / 1000).toFixed(2).padStart(7)} s\n`);

let last = 0; // when this process began
/** @param {string} stage */
function done(stage) {
  const now = performance.now();
  print(stage, now - last);
  last = now;
}

/** Follows the link as somebody new. @param {string} name */
async function enter(name) {
  const page = await (await browser.newContext()).newPage();
  await page.goto(room);
  await page.getByLabel("Your name").fill(name);
  await page.getByRole("button", { name: "Enter the room" }).click();
  await page.getByLabel("Your message").waitFor();
  return page;
}

const browser = await chromium.launch({
  executablePath: env["CHROMIUM"] ?? BROWSERS.find((path) => existsSync(path)) ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
try {
  done("start the browser");
  const ada = await enter("Ada");
  done("first person in the room");
  const grace = await enter("Grace");
  done("second person in the room");
  await ada.getByLabel("Your message").fill(TEXT);
  done("typed");
  await ada.getByLabel("Your message").press("Enter");
  await grace.getByRole("log").getByText(TEXT).waitFor();
  done("sent, and seen by the second");
  print("from the clone to the message", Date.now() - Number(argv[3]));
} finally {
  await browser.close();
}
