// server.js: the real server as a process, with a data folder of its own.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../../..");

/** The limits count time that a busy machine spends on something else, so a test that needs one sets it. */
const NO_LIMITS = ["message-rate", "guest-rate", "room-rate", "search-rate", "read-rate", "people-per-address"];
const LOG_END = 4_000; // characters of a server's log that a failed test prints

/** All servers of this process. @type {Server[]} */
export const servers = [];
/** @type {string[]} */
const folders = [];

// Nothing outlives the tests, also when they are interrupted.
process.on("exit", () => {
  for (const server of servers) server.kill();
  for (const dir of folders) rmSync(dir, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

/** Returns a new folder, which is removed when the tests have ended. @param {string} name */
export function temporary(name) {
  const dir = mkdtempSync(join(tmpdir(), `parley-${name}-`));
  folders.push(dir);
  return dir;
}

/** @type {string | undefined} */
let built;

/** Returns the binary to test: $PARLEY_BIN, or one built now. */
function binary() {
  built ??= process.env["PARLEY_BIN"];
  built = built ? resolve(ROOT, built) : build();
  return built;
}

/** @param {string[]} flags */
function build(...flags) {
  const program = join(temporary("bin"), "parley");
  const { status, stderr } = spawnSync("go", ["build", "-o", program, ...flags, "."], { cwd: ROOT, encoding: "utf8" });
  if (status !== 0) throw new Error(`go build: ${stderr}`);
  return program;
}

/** Returns a later version of the program, in which a file of the page says something else.
 * @param {string} file  @param {string} before  @param {string} after */
export function laterVersion(file, before, after) {
  const dir = temporary("later");
  const text = readFileSync(join(ROOT, file), "utf8");
  if (!text.includes(before)) throw new Error(`${file} does not say ${before}`);
  writeFileSync(join(dir, "changed"), text.replace(before, after));
  writeFileSync(join(dir, "overlay"), JSON.stringify({ Replace: { [join(ROOT, file)]: join(dir, "changed") } }));
  return build("-overlay", join(dir, "overlay"));
}

/** Empty PostgreSQL databases, one for each server; none: SQLite. ci/withpostgres makes them. */
const databases = process.env["PARLEY_TEST_DATABASES"]?.split(" ");

/** A server with a data folder of its own. It can be killed and started again at the same address. */
export class Server {
  /** @type {import("node:child_process").ChildProcess | null} */
  #process = null;
  #log = "";
  /** @type {Map<string, Promise<string>>} */
  #sessions = new Map();
  data = temporary("data");
  database = databases?.shift();
  url = "";
  /** The program, if it is not the one to test. */
  program = "";

  /** @param {string[]} flags */
  constructor(...flags) {
    this.flags = flags;
    servers.push(this);
  }

  /** The end of what the server wrote on standard error. */
  get log() {
    return this.#log.slice(-LOG_END);
  }

  /** @returns {Promise<this>} */
  start() {
    const listen = this.url ? new URL(this.url).host : "127.0.0.1:0";
    const limits = NO_LIMITS.flatMap((name) => [`--${name}`, "0"]);
    const args = ["serve", "--listen", listen, "--data", this.data, ...limits, ...this.flags];
    const env = { ...process.env, ...(this.database && { PARLEY_DATABASE: this.database }) };
    const child = spawn(this.program || binary(), args, { stdio: ["ignore", "pipe", "pipe"], env });
    this.#process = child;
    let out = "";
    child.stderr.on("data", (chunk) => (this.#log += chunk));
    return new Promise((resolve, reject) => {
      child.on("exit", (code) => reject(new Error(`the server ended with ${code}: ${this.log}`)));
      child.stdout.on("data", (chunk) => {
        out += chunk;
        const url = /listening on (http:\S+)\s/.exec(out)?.[1];
        if (!url) return;
        this.url = url;
        resolve(this);
      });
    });
  }

  /** Ends it without a word, as a power cut does. */
  kill() {
    return this.#signal("SIGKILL");
  }

  /** Asks it to end, and returns its exit status. */
  stop() {
    return this.#signal("SIGTERM");
  }

  /** @param {NodeJS.Signals} signal  @returns {Promise<number | null>} the exit status */
  #signal(signal) {
    const child = this.#process;
    this.#process = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return Promise.resolve(null);
    return new Promise((resolve) => {
      child.removeAllListeners("exit");
      child.on("exit", (code) => resolve(code));
      child.kill(signal);
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

  /** @param {string} room  @param {number} seq  @param {string} session */
  async remove(room, seq, session) {
    await this.#change("DELETE", room, seq, session);
  }

  /** @param {string} room  @param {number} seq  @param {string} text  @param {string} session */
  async edit(room, seq, text, session) {
    await this.#change("PATCH", room, seq, session, { text });
  }

  /** @param {string} method  @param {string} room  @param {number} seq  @param {string} session
   * @param {object} [body] */
  async #change(method, room, seq, session, body) {
    const url = `${this.url}/api/rooms/${encodeURIComponent(room)}/messages/${seq}`;
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${session}` };
    const response = await fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    if (!response.ok) throw new Error(`${method} ${url}: ${await response.text()}`);
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
