// helper.js: the real server as a process, the real browser, and visitors who watch that nothing goes wrong.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after } from "node:test";
import { chromium } from "playwright-core";

/** @import { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core" */

const ROOT = resolve(import.meta.dirname, "../../..");

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

/** @param {string} name */
function temporary(name) {
  const dir = mkdtempSync(join(tmpdir(), `parley-${name}-`));
  process.on("exit", () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** @type {string | undefined} */
let built;

/** Returns the binary to test: $PARLEY_BIN, or one built now. */
function binary() {
  built ??= process.env["PARLEY_BIN"];
  if (built) return resolve(ROOT, built);
  built = join(temporary("bin"), "parley");
  const { status, stderr } = spawnSync("go", ["build", "-o", built, "."], { cwd: ROOT, encoding: "utf8" });
  if (status !== 0) throw new Error(`go build: ${stderr}`);
  return built;
}

/** A server with a data folder of its own. It can be killed and started again at the same address. */
export class Server {
  /** @type {import("node:child_process").ChildProcess | null} */
  #process = null;
  /** @type {Map<string, Promise<string>>} */
  #sessions = new Map();
  data = temporary("data");
  url = "";

  /** @param {string[]} flags */
  constructor(...flags) {
    this.flags = flags;
    servers.push(this);
  }

  /** @returns {Promise<this>} */
  start() {
    const listen = this.url ? new URL(this.url).host : "127.0.0.1:0";
    const args = ["serve", "--listen", listen, "--data", this.data, "--message-rate", "0", ...this.flags];
    const child = spawn(binary(), args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    let log = "";
    child.stderr.on("data", (chunk) => (log += chunk));
    return new Promise((resolve, reject) => {
      child.on("exit", (code) => reject(new Error(`the server ended with ${code}: ${log}`)));
      child.stdout.on("data", (chunk) => {
        const url = /listening on (http:\S+)/.exec(String(chunk))?.[1];
        if (!url) return;
        this.url = url;
        resolve(this);
      });
    });
  }

  /** Ends it without a word, as a power cut does. @returns {Promise<void>} */
  kill() {
    const child = this.#process;
    this.#process = null;
    if (!child || child.exitCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      child.removeAllListeners("exit");
      child.on("exit", () => resolve());
      child.kill("SIGKILL");
    });
  }

  /** @param {string} path  @param {Record<string, unknown>} body  @param {string} [session]
   * @returns {Promise<Record<string, unknown>>} */
  async post(path, body, session) {
    const headers = { "Content-Type": "application/json", ...(session && { Authorization: `Bearer ${session}` }) };
    const response = await fetch(this.url + path, { method: "POST", headers, body: JSON.stringify(body) });
    const answer = /** @type {Record<string, unknown>} */ (await response.json());
    if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** @param {string} path  @param {string} session  @param {object} [body] */
  async put(path, session, body = {}) {
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${session}` };
    const response = await fetch(this.url + path, { method: "PUT", headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  }

  /** Returns the session of a new guest. @param {string} name */
  async guest(name) {
    return String((await this.post("/api/session", { name }))["session"]);
  }

  /** Returns the session of the guest with this name, who is made at the first call. @param {string} name */
  session(name) {
    const known = this.#sessions.get(name) ?? this.guest(name);
    this.#sessions.set(name, known);
    return known;
  }

  /** @param {string} room  @param {string} session  @param {string} text */
  say(room, session, text) {
    return this.post(`/api/rooms/${encodeURIComponent(room)}/messages`, { text }, session);
  }

  /** Fills a room with n messages, in the order of their numbers. @param {string} room  @param {number} n */
  async fill(room, n) {
    const session = await this.guest("Filler");
    const width = 100;
    for (let from = 1; from <= n; from += width) {
      const numbers = Array.from({ length: Math.min(width, n - from + 1) }, (_, i) => from + i);
      await Promise.all(
        numbers.map((k) => this.say(room, session, `Line ${k}. ${"Some more words. ".repeat((k * 7919) % 12)}`)),
      );
    }
  }

  /** Returns the texts stored in a room. @param {string} room  @returns {Promise<string[]>} */
  async texts(room) {
    const response = await fetch(`${this.url}/api/rooms/${encodeURIComponent(room)}/messages?limit=200`);
    const page = /** @type {{ messages: { text: string }[] }} */ (await response.json());
    return page.messages.map((m) => m.text);
  }
}

/** @type {Server[]} */
const servers = [];
/** @type {Promise<Browser> | undefined} */
let browser;

after(async () => {
  await (await browser)?.close();
  await Promise.all(servers.map((s) => s.kill()));
});

/** Opens a browser that keeps its data in a folder, as one at home does.
 * @param {string} dir */
export const browserAtHome = (dir) => chromium.launchPersistentContext(dir, LAUNCH);

/** Returns an empty folder for browserAtHome. */
export const home = () => temporary("home");

/** Somebody with a browser of their own, who has given their name if they have one. Everything that must
 * not happen is gathered in `wrong`: it has to stay empty.
 * @param {Server} server  @param {string | null} name  @param {BrowserContextOptions} [options] */
export async function visitor(server, name, options) {
  browser ??= chromium.launch(LAUNCH);
  const context = await (await browser).newContext(options);
  context.setDefaultTimeout(60_000); // no test depends on how fast the machine is
  await context.grantPermissions(["clipboard-write"]); // which a browser with a window grants by itself
  if (name !== null) {
    await context.request.post(`${server.url}/api/session`, { data: { name } });
    await context.addInitScript((n) => localStorage.setItem("parley:name", JSON.stringify(n)), name);
  }
  const page = await context.newPage();
  return { context, page, wrong: watch(context, page, server) };
}

/** @param {BrowserContext} context  @param {Page} page  @param {Server} server  @returns {string[]} */
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

/** Writes a message and sends it. @param {Page} page  @param {string} text */
export async function write(page, text) {
  await page.getByLabel("Your message").fill(text);
  await page.getByLabel("Your message").press("Enter");
}

/** Returns the message rows that hold a text. @param {Page} page  @param {string | RegExp} text */
export const row = (page, text) => page.locator(".message", { has: page.locator(".body", { hasText: text }) });

/** Waits until the room has been joined, and what can be done with messages is there. @param {Page} page */
export async function joined(page) {
  await page.locator(".people h2, .people-count").filter({ hasText: /\d/ }).first().waitFor({ state: "attached" });
  await page.waitForFunction(() => customElements.get("room-topic"));
}

/** Returns the texts of all messages on the page, in their order. @param {Page} page */
export const shown = (page) => page.locator(".message .body").allTextContents();

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
