// last-message.js: finds the last message of a person that they can edit. No DOM.
/** @import { MessageState, Page, PageQuery } from "../wire/types.js" */
/** @import { State } from "../room/types.js" */
import { atNewest, atOldest } from "../room/room-state.js";

const PAGES = 10; // so far back

/** Resolves to the last message that `me` wrote and can edit: of the window or, if there is none in it, of the log.
 * @param {State} state  @param {string} me  @param {(where: PageQuery) => Promise<Page>} read
 * @returns {Promise<MessageState | null>} null: there is none, at least not in the last pages */
export async function lastEditable(state, me, read) {
  const mine = (/** @type {readonly MessageState[]} */ messages) => messages.findLast((m) => isEditable(m, me));
  let before;
  if (atNewest(state)) {
    const found = mine(state.messages) ?? (state.root && isEditable(state.root, me) ? state.root : undefined);
    if (found || atOldest(state)) return found ?? null;
    before = state.messages[0]?.seq;
  }
  for (let i = 0; i < PAGES; i++) {
    const page = await read(before === undefined ? {} : { before });
    const found = mine(page.messages);
    if (found || !page.more || page.messages.length === 0) return found ?? null;
    before = page.messages[0]?.seq;
  }
  return null;
}

/** Reports whether somebody can edit a message: their own, unless it is what somebody else said first.
 * @param {MessageState} m  @param {string} me */
const isEditable = (m, me) => m.from.id === me && !m.deleted && !m.forward;
