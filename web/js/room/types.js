// types.js: what the state of a room or thread holds. It is for the type check alone: the page does not load it.
// No DOM.
/** @import { Person } from "../wire/json.js" */
/** @import { MessageState, RoomEvent } from "../wire/types.js" */
/** @import { OutboxMessage } from "./outbox.js" */

/** @typedef {object} State
 * @property {string} room
 * @property {number} thread  the seq of the thread's first message; 0: the room itself
 * @property {Person} me
 * @property {string} epoch  "" before the first answer
 * @property {number} head  the seq of the newest live event received
 * @property {number} headAt  when that event was stored; 0: unknown
 * @property {readonly MessageState[]} messages  the window
 * @property {boolean} older  there are messages before the window
 * @property {boolean} newer  there are messages after it
 * @property {MessageState | null} root  the first message of a thread
 * @property {readonly RoomEvent[]} recent  the newest live events
 * @property {number} floor  pages as of an earlier seq cannot be brought up to date
 * @property {string} topic
 * @property {number} topicAt  the seq as of which the topic is known
 * @property {number} pinsAt  the seq of the last event that may have changed the pins
 * @property {boolean} following  the view is at the end of the log
 * @property {boolean} reading  the person looks at the page
 * @property {number} lastRead
 * @property {number} unreadCount  messages of others after lastRead
 * @property {boolean} mayHaveMore  there may be more unread messages than the server counts
 * @property {boolean} heldUnread  the person has marked messages as unread; nothing counts as read for now
 * @property {number | null} newSeparator  the new separator stands after this seq
 * @property {ReadonlyMap<string, Person> | null} people  who is in the room; null: too many to list
 * @property {number} count
 * @property {ReadonlyMap<string, { person: Person, until: number }>} typing
 * @property {ReadonlyMap<number, OutboxMessage>} sentMessages  by seq: the message that was in the outbox
 * @property {ReadonlyMap<number, ReadonlyMap<string, boolean>>} optimistic  by seq and emoji: reactions put (true) or
 * removed (false) here and not confirmed yet
 * @property {number} pagesLoaded  pages of history put in so far; their messages are not announced
 */

/** Where the view scrolls after it has drawn.
 * @typedef {{ to: "newest" } | { to: "new-separator" } | { to: "message", seq: number }} Target */

export {};
