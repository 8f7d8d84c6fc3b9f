// message-commands.js: the commands about the messages of a room and about its topic. Each resolves to the server's
// answer, or is rejected with its refusal. No DOM.
/** @import { RoomSession } from "../room/room-session.js" */
/** @import { Command } from "../wire/types.js" */
import { confirmReaction, reactOptimistically } from "../room/room-state.js";
import { uuid7 } from "../wire/uuid.js";

export class MessageCommands {
  /** @param {RoomSession} session */
  constructor(session) {
    this.session = session;
  }

  /** Puts a reaction or removes it. The change is shown at once, and undone if the server refuses it.
   * @param {number} seq  @param {string} emoji  @param {boolean} on */
  async react(seq, emoji, on) {
    const { session } = this;
    session.changeAll((s) => reactOptimistically(s, seq, emoji, on));
    try {
      const answer = await this.#ask({ op: on ? "react" : "unreact", seq, emoji });
      // Else its event confirms it.
      if ((answer.seq ?? 0) <= session.state.head) session.changeAll((s) => confirmReaction(s, seq, emoji));
    } catch (err) {
      session.changeAll((s) => confirmReaction(s, seq, emoji));
      throw err;
    }
  }

  /** @param {number} seq  @param {string} text */
  edit(seq, text) {
    return this.#ask({ op: "edit", seq, text });
  }

  /** @param {number} seq */
  remove(seq) {
    return this.#ask({ op: "delete", seq });
  }

  /** @param {number} seq  @param {boolean} on */
  pin(seq, on) {
    return this.#ask({ op: on ? "pin" : "unpin", seq });
  }

  /** Bookmarks a message, or removes the bookmark. @param {number} seq  @param {boolean} on */
  setBookmark(seq, on) {
    return this.#ask({ op: on ? "save" : "unsave", seq });
  }

  /** @param {number} seq of the thread's first message  @param {boolean} on */
  subscribeThread(seq, on) {
    return this.#ask({ op: on ? "follow" : "unfollow", seq });
  }

  /** @param {string} text */
  setTopic(text) {
    return this.#ask({ op: "topic", text });
  }

  /** Forwards a message to another room. @param {number} seq  @param {string} to */
  forward(seq, to) {
    return this.#ask({ op: "send", room: to, forward: { room: this.session.deps.room, seq } });
  }

  /** @param {Command} command */
  #ask(command) {
    const { connection, deps } = this.session;
    return connection.request({ room: deps.room, nonce: uuid7(deps.now()), ...command });
  }
}
