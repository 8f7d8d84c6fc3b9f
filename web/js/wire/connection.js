// connection.js: one WebSocket that reconnects by itself. It says hello, matches answers to commands by their id, and
// passes every other frame on. Socket, timers and random numbers are parameters, so that tests control them. No DOM.
/** @import { ServerMessage } from "./protocol.js" */
/** @import { AnswerBody, Command, Socket, Status } from "./types.js" */
import { Refusal, decode, retryWithin } from "./protocol.js";

const FIRST_MS = 500; // the first attempt is made within this time, unless the server says another
const BACKOFF_MS = 500; // the wait after it has failed; doubles each time
const BACKOFF_MAX_MS = 20_000;
const PING_MS = 25_000; // the server closes a connection after 90 s of silence, so two pings may be lost
const LULL_MS = 6_000; // but the first ping comes within this time after a frame: the server may have frozen
const ANSWER_MS = 10_000; // without an answer for so long the connection counts as lost
const AWAKE_ANSWER_MS = 3_000; // the same after the device slept, when the connection is probably dead
const MOVE_MS = 3_000; // a server that cannot store for so long is left, if another one is ready
const SLOW_MS = 4_000; // the same for one that leaves a command unanswered; a balancer has noticed it by then
const STAY_MS = 30_000; // but no other one for so long

const SIGNED_OUT = 4001; // the close code for an ended session; the page does not reconnect after it

/** @typedef {object} Options
 * @property {() => Socket} dial
 * @property {(f: () => void, ms: number) => number} setTimeout
 * @property {(id: number) => void} clearTimeout
 * @property {() => number} random between 0 and 1
 * @property {() => string} [session] to say hello with; missing or "": the browser has a cookie
 * @property {(hello: AnswerBody) => void} onHello the server has answered hello; commands may be sent
 * @property {(message: ServerMessage) => void} onMessage gets every frame except answers
 * @property {(status: Status) => void} onStatus
 * @property {() => void} onEnded  the session was ended: the page does not connect again
 * @property {() => Promise<void>} onBadSession makes a new session; then the connection tries again
 * @property {() => void} onBadName the person's name is not allowed any more, or the browser has lost its session
 * @property {() => Promise<boolean>} isReady  whether a server at this address is ready for new clients
 */

export class Connection {
  /** @type {Status} */
  status = "connecting";
  /** @type {Socket | null} */
  #socket = null;
  #lastID = 0;
  #failures = 0; // dials in a row that failed before hello was answered
  /** @type {Map<number, { resolve: (b: AnswerBody) => void, reject: (r: Refusal) => void }>} */
  #waiting = new Map();
  /** @type {number | undefined} */
  #pingTimer;
  /** @type {number | undefined} */
  #deadline;
  /** @type {number | undefined} */
  #retryTimer;
  #unavailable = false; // the last answer says that the server cannot store
  #mayMove = true;

  /** @param {Options} options */
  constructor(options) {
    this.options = options;
  }

  /** Connects now, also while it waits to retry. With a connection it does nothing. */
  connect() {
    if (this.#socket || this.status === "ended") return;
    this.options.clearTimeout(this.#retryTimer ?? 0);
    this.#setStatus("connecting");
    const socket = this.options.dial();
    this.#socket = socket;
    socket.onopen = () => this.#sayHello(socket);
    socket.onmessage = (e) => this.#receive(socket, e.data);
    socket.onclose = (e) => this.#lost(socket, e);
    this.#expect(ANSWER_MS);
  }

  /** Sends a command and resolves to its answer. It rejects with the server's refusal, or with the code `lost` if
   * the connection ends before an answer comes.
   * @param {Command} command  @returns {Promise<AnswerBody>} */
  request(command) {
    const socket = this.#socket;
    if (!socket || socket.readyState !== 1) return Promise.reject(new Refusal("lost", "Not connected."));
    const id = ++this.#lastID;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      socket.send(JSON.stringify({ ...command, id }));
      this.#moveOn(() => this.#waiting.has(id), SLOW_MS);
      if (this.#deadline === undefined) this.#expect(ANSWER_MS);
    });
  }

  /** The device woke up or the network came back. Connects at once, or pings to check that the connection still
   * works. */
  wake() {
    if (!this.#socket) {
      this.#failures = 0;
      this.connect();
    } else if (this.status === "online") {
      this.#ping(AWAKE_ANSWER_MS);
    }
  }

  /** @param {Socket} socket */
  async #sayHello(socket) {
    try {
      const session = this.options.session?.();
      const body = await this.request({ op: "hello", ...(session && { session }) });
      if (socket !== this.#socket) return;
      this.#failures = 0;
      this.#setStatus("online");
      this.#schedulePing();
      this.options.onHello(body);
    } catch (err) {
      if (err instanceof Refusal && err.code === "bad_session")
        await this.options.onBadSession().catch(() => undefined);
      if (err instanceof Refusal && err.code === "bad_name") this.options.onBadName();
      if (socket === this.#socket) this.#drop();
    }
  }

  /** @param {Socket} socket  @param {unknown} data */
  #receive(socket, data) {
    if (socket !== this.#socket || typeof data !== "string") return;
    this.options.clearTimeout(this.#deadline ?? 0);
    this.#deadline = undefined;
    const message = decode(data);
    if (message?.type === "answer") this.#answer(message);
    else if (message) this.#hear(message);
    if (this.#waiting.size > 0 && this.#deadline === undefined) this.#expect(ANSWER_MS);
  }

  /** Where something was said a moment ago, silence is looked into soon. Idle connections, which are most, cost the
   * server no more for it. The pings of all who heard the same frame are spread.
   * @param {Exclude<ServerMessage, { type: "answer" }>} message */
  #hear(message) {
    if (this.status === "online") this.#schedulePing((LULL_MS * (2 + this.options.random())) / 3);
    this.options.onMessage(message);
  }

  /** @param {ServerMessage & { type: "answer" }} message */
  #answer(message) {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    this.#unavailable = !message.ok && message.error.code === "unavailable";
    if (this.#unavailable) this.#moveOn(() => this.#unavailable, MOVE_MS);
    if (message.ok) waiting?.resolve(message.body);
    else waiting?.reject(message.error);
  }

  /** Leaves a server that is still stuck after ms, if a balancer has another one that is ready.
   * @param {() => boolean} isStuck  @param {number} ms */
  #moveOn(isStuck, ms) {
    const socket = this.#socket;
    const stays = () => !isStuck() || socket !== this.#socket;
    this.options.setTimeout(async () => {
      if (stays() || !this.#mayMove) return;
      this.#mayMove = false;
      this.options.setTimeout(() => (this.#mayMove = true), STAY_MS);
      if ((await this.options.isReady()) && !stays()) this.#drop();
    }, ms);
  }

  /** Gives up the connection if no frame comes within ms. @param {number} ms */
  #expect(ms) {
    this.options.clearTimeout(this.#deadline ?? 0);
    this.#deadline = this.options.setTimeout(() => this.#drop(), ms);
  }

  /** @param {number} [ms] until the next ping */
  #schedulePing(ms = PING_MS) {
    this.options.clearTimeout(this.#pingTimer ?? 0);
    this.#pingTimer = this.options.setTimeout(() => {
      this.#ping(ANSWER_MS);
      this.#schedulePing();
    }, ms);
  }

  /** @param {number} answerMs */
  #ping(answerMs) {
    this.request({ op: "ping" }).catch(() => undefined); // if the connection is lost, #lost handles it
    this.#expect(answerMs);
  }

  /** Gives up the socket without waiting for its closing handshake, which never ends on a dead network. */
  #drop() {
    const socket = this.#socket;
    if (!socket) return;
    this.#lost(socket);
    socket.close();
  }

  /** @param {Socket} socket  @param {{ code: number, reason: string }} [close] with which the server closed it */
  #lost(socket, close) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    this.options.clearTimeout(this.#deadline ?? 0);
    this.options.clearTimeout(this.#pingTimer ?? 0);
    this.#deadline = undefined;
    const unanswered = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of unanswered) reject(new Refusal("lost", "The connection was lost."));
    this.#setStatus(close?.code === SIGNED_OUT ? "ended" : "waiting");
    if (close?.code === SIGNED_OUT) return this.options.onEnded();
    const within = retryWithin(close?.reason ?? "") ?? FIRST_MS;
    this.#retryTimer = this.options.setTimeout(() => this.connect(), this.#wait(within));
  }

  /** Returns the milliseconds to wait. The first attempt is made within a time, as another server may take over at
   * once. Later ones wait for a random part, from half to all, of a time that doubles with each failure. So a thousand
   * pages do not reconnect at the same moment. @param {number} within */
  #wait(within) {
    const failures = this.#failures++;
    if (failures === 0) return Math.min(BACKOFF_MAX_MS, within) * this.options.random();
    const full = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** (failures - 1));
    return full / 2 + (full / 2) * this.options.random();
  }

  /** @param {Status} status */
  #setStatus(status) {
    if (status === this.status && status !== "connecting") return;
    this.status = status;
    this.options.onStatus(status);
  }
}
