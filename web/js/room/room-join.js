// room-join.js: joins a room while it is on the screen, again after each break of the connection. No DOM.
/** @import { JoinOptions } from "./types.js" */
import { Refusal } from "../wire/protocol.js";

const RETRY_MS = 2_000;

export class RoomJoin {
  joined = false; // over the present connection
  newest = 0; // the room's newest seq by the last join; its event may not have come yet
  #here = false; // on the screen
  #joining = false;

  /** @param {JoinOptions} options */
  constructor(options) {
    this.options = options;
  }

  /** The room comes on the screen. */
  enter() {
    this.#here = true;
    this.join();
  }

  /** The room has left the screen. */
  leave() {
    this.#here = false;
    if (!this.joined) return;
    this.joined = false;
    const { connection, room } = this.options;
    // Without a connection the person is not in the room anyway.
    connection.request({ op: "leave", room }).catch(() => undefined);
  }

  disconnected() {
    this.joined = false;
  }

  /** Joins the room if it is on the screen and the connection and the first page are there. */
  async join() {
    const { connection, onJoined, room, setTimeout, state } = this.options;
    const { epoch, head, headAt } = state();
    if (!epoch || !this.#here || this.joined || this.#joining || connection.status !== "online") return;
    this.#joining = true;
    try {
      const answer = await connection.request({
        op: "join",
        room,
        after: head,
        epoch,
        ...(headAt > 0 && { at: new Date(headAt).toISOString() }),
      });
      this.joined = true;
      this.newest = answer.seq ?? 0;
      await onJoined(answer, Boolean(answer.reset) || (answer.epoch !== undefined && answer.epoch !== epoch));
    } catch (err) {
      if (err instanceof Refusal && err.code === "lost") return; // the next hello joins
      setTimeout(() => this.join(), (err instanceof Refusal && err.retryAfterMs) || RETRY_MS);
    } finally {
      this.#joining = false;
      if (!this.#here) this.leave(); // the room left the screen before the answer came
    }
  }
}
