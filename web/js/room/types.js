// types.js: what the state of a room or thread, its outbox and its rows hold. It is for the type check alone: the page
// does not load it. No DOM.
/** @import { Store } from "../ui/storage.js" */
/** @import { Api } from "../wire/api.js" */
/** @import { Connection } from "../wire/connection.js" */
/** @import { Person } from "../wire/json.js" */
/** @import { AnswerBody, MessageState, Page, PageQuery, Quote, RoomEvent } from "../wire/types.js" */
/** @import { BrowserMemory } from "./browser-memory.js" */
/** @import { Channel } from "./tabs.js" */

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

/** Where the view scrolls after it has drawn. `quiet`: the focus stays where it is, and so does a message in view.
 * @typedef {{ to: "newest" } | { to: "new-separator" } | { to: "message", seq: number, quiet?: boolean } |
 *   { to: "place" } & Place} Target */

/** Where a person is in a room's log: a message, and how far below the top of the log it begins, in px.
 * @typedef {{ seq: number, offset: number }} Place */

/** The optional fields of a message: the answered message, the thread, and whether a reply is shown in the room, too.
 * @typedef {{ replyTo?: number, quote?: Quote, thread?: number, echo?: boolean }} MessageOptions */

/** A message in the outbox. `attempted`: it was sent at least once and has no answer; the server may or may not have
 * stored it. `since`: the newest event when it was first sent. `failed`: why the server refused it for good.
 * @typedef {MessageOptions & StoredFields} OutboxMessage */
/** @typedef {object} StoredFields
 * @property {string} nonce  a UUIDv7: sorts by time and identifies the message
 * @property {string} text
 * @property {number} at  when it was written, in milliseconds
 * @property {string} owner  the tab that sends it
 * @property {boolean} attempted
 * @property {number} since
 * @property {{ code: string, message: string } | null} failed
 */

/** A row. Its `key` never changes while it is shown; a stored message keeps the key that it had in the outbox.
 * @typedef {(
 *   | { kind: "beginning", key: string }
 *   | { kind: "older", key: string }
 *   | { kind: "newer", key: string }
 *   | { kind: "replies", key: string, count: number, people: readonly Person[] }
 *   | { kind: "day", key: string, at: number }
 *   | { kind: "new-separator", key: string }
 *   | MessageRow
 * )} Row */

/** @typedef {object} MessageRow
 * @property {"message"} kind
 * @property {string} key
 * @property {boolean} first  it begins a group, and shows name and picture
 * @property {boolean} mine
 * @property {MessageState} message  for an unsent message one with seq 0
 * @property {OutboxMessage | null} pending  the message of the outbox, while it is there
 */

/** What a room's session uses.
 * @typedef {object} SessionDeps
 * @property {string} room  its canonical name
 * @property {Person} me
 * @property {Api} api
 * @property {BrowserMemory} memory
 * @property {Pick<Connection, "request" | "status">} connection  shared with all rooms of the page
 * @property {Channel} channel  to the other tabs
 * @property {() => Promise<Page | null>} copy  the newest messages, as far as this browser holds them
 * @property {(f: () => void, ms: number) => number} setTimeout
 * @property {() => number} now
 * @property {() => void} onChange
 * @property {() => void} onReset  the room has another log now
 */

/** @typedef {object} SendingOptions
 * @property {string} room
 * @property {Pick<Connection, "request">} connection
 * @property {Store} store
 * @property {Channel} channel  to the other tabs
 * @property {(f: () => void, ms: number) => number} setTimeout
 * @property {() => number} now
 * @property {() => number} newest  returns the seq of the newest event known
 * @property {(message: OutboxMessage, seq: number) => void} onStored
 * @property {() => void} onChange
 */

/** @typedef {object} HistoryOptions
 * @property {(where: PageQuery) => Promise<Page>} read
 * @property {() => State} state
 * @property {(change: (s: State) => State) => void} change
 * @property {(epoch: string) => number} lastRead
 * @property {(f: () => void, ms: number) => unknown} setTimeout
 * @property {() => void} onRetryable a direction that failed may be read again
 */

/** @typedef {object} JoinOptions
 * @property {string} room
 * @property {Pick<Connection, "request" | "status">} connection
 * @property {(f: () => void, ms: number) => unknown} setTimeout
 * @property {() => State} state
 * @property {(answer: AnswerBody, other: boolean) => Promise<void>} onJoined  other: the room has another log now
 */

export {};
