// types.js: what the server's answers and events hold (docs/protocol.md). It is for the type check alone: the page does
// not load it. No DOM.
/** @import { Person } from "./json.js" */

/** A stored event of a room. `at` is in milliseconds since 1970; events are ordered by `seq` alone.
 * @typedef {object} RoomEvent
 * @property {number} seq
 * @property {number} at
 * @property {string} kind
 * @property {Person} from
 * @property {string} text
 * @property {string} html
 * @property {number} [target]  the message that this changes
 * @property {string} [emoji]
 * @property {number} [thread]  the message whose thread it is in
 * @property {number} [replyTo]  the message that it answers
 * @property {Quote} [quote]  the beginning of that message; missing once it is deleted
 * @property {boolean} [action]
 * @property {{ from: Person, at: number }} [forward]  who wrote it first, in another room
 * @property {Person[]} [mentions]
 * @property {boolean} [here]  it names everybody who is in the room
 * @property {boolean} [deleted]  its text is deleted
 */

/** A message with its edits, reactions, replies and pin applied. A new message's event is its first state.
 * @typedef {RoomEvent & ChangedFields} MessageState */
/** @typedef {object} ChangedFields
 * @property {{ seq: number, at: number }} [edited]
 * @property {readonly Reaction[]} [reactions]
 * @property {Replies} [replies]
 * @property {boolean} [pinned]
 * @property {number} [asOf]  changes up to this seq are applied (room-pages.js)
 */

/** The beginning of a message, as text without formatting. `html`: the text is all of the message instead, with this
 * formatting. @typedef {{ from: Person, text: string, html?: string }} Quote */
/** @typedef {{ emoji: string, people: readonly Person[] }} Reaction in the order in which they came */
/** @typedef {{ count: number, seq: number, at: number, from: Person }} Replies the number of replies in a thread, and
 * the newest reply */

/** A page of messages, oldest first, in their state as of event `seq`, the room's newest at that time. `more`: there
 * are further messages in the direction asked for. Around a message, `more` is about older messages and `moreAfter`
 * about newer ones.
 * @typedef {object} Page
 * @property {string} room
 * @property {number} seq
 * @property {number} [at]  when that event was stored
 * @property {string} epoch
 * @property {string} [topic]
 * @property {boolean} more
 * @property {boolean} [moreAfter]
 * @property {MessageState[]} messages
 * @property {MessageState} [root]  of a thread
 * @property {boolean} [subscribed]  the person is told of replies in the thread
 */

/** @typedef {{ seq: number, at: number, text: string, html: string }} Version */

/** Which page of a room's history to read: around, before or after a seq, since a time (RFC 3339), or the newest.
 * @typedef {{ before?: number, after?: number, around?: number, since?: string, limit?: number }} PageQuery */

/** A command that the server knows. @typedef {{ name: string, args: string, help: string, by: string }} SlashCommand */

/** @typedef {{ message_length: number }} Limits */

/** The fields that answers have. Which of them are set depends on the command.
 * @typedef {object} AnswerBody
 * @property {string} op "ok", or for a join perhaps "behind"
 * @property {Person} [person]
 * @property {string} [epoch]
 * @property {string} [build]  the build of the page that the server serves
 * @property {boolean} [reset]  with "behind": the room has another log than the one whose events we hold
 * @property {Limits} [limits]
 * @property {string} [room]
 * @property {number} [seq]
 * @property {number} [at]
 * @property {number} [count]
 * @property {Person[]} [here]  the people in the room
 * @property {string} [kind]  the kind of the stored event, if a slash command made another kind than a message of it
 * @property {string} [topic]
 * @property {ListEntry[]} [rooms]
 * @property {number} [read]
 * @property {number} [unread]
 * @property {number} [mentions]
 */

/** @typedef {object} Command
 * @property {string} op
 * @property {string} [room]
 * @property {number} [after]
 * @property {string} [at]  when the event `after` was stored
 * @property {string} [epoch]
 * @property {string} [nonce]
 * @property {string} [text]
 * @property {number} [seq]
 * @property {string} [emoji]
 * @property {number} [reply_to]
 * @property {number} [thread]
 * @property {boolean} [echo]
 * @property {{ room: string, seq: number }} [forward]
 * @property {boolean} [exact]
 * @property {string} [notify]
 * @property {boolean} [muted]
 * @property {boolean} [favourite]
 * @property {boolean} [listed]
 */

/** Which messages of a room alert the person. @typedef {"all" | "mentions" | "none"} Notify */

/** A room in a person's list, as the server stores it.
 * @typedef {object} ListEntry
 * @property {string} room
 * @property {string} topic
 * @property {number} seq  of the newest event
 * @property {number} at  of the newest message; 0: no message yet
 * @property {{ from: Person, text: string } | null} last  its author and the beginning of its text
 * @property {number} read  the read mark: the newest seq that the person has read
 * @property {number} unread
 * @property {number} mentions  how many unread messages name the person
 * @property {Notify} notify
 * @property {boolean} muted
 * @property {boolean} favourite
 * @property {readonly ListUpdate[]} [heard]  the newest messages and replies that this page was told (list-changes.js)
 * @property {boolean} [stale]  only the server knows the counts and the last message now
 */

/** A new event in a room of the list: a message, a reply in a thread, a topic, an edit or a deletion.
 * @typedef {object} ListUpdate
 * @property {string} room
 * @property {number} seq
 * @property {number} at
 * @property {string} kind
 * @property {Person} from
 * @property {string} text  its beginning
 * @property {readonly string[]} mentions  the ids of the persons whom it names
 * @property {boolean} here  it names everybody who is in the room
 * @property {number} thread  the seq of the thread's first message; 0: not in a thread
 * @property {number} target  the seq of the edited or deleted message; 0: neither
 */

/** How far a person has read a room, on any of their devices.
 * @typedef {{ room: string, seq: number, unread: number, mentions: number }} ReadMark */

/** @typedef {(
 *   | { type: "update", room: string, update: ListUpdate }
 *   | { type: "entry", room: string, entry: ListEntry }
 *   | { type: "unlisted", room: string }
 *   | { type: "read", room: string, mark: ReadMark }
 * )} ListFrame */

/** The part of a WebSocket that we use.
 * @typedef {object} Socket
 * @property {number} readyState
 * @property {(data: string) => void} send
 * @property {(code?: number) => void} close
 * @property {((e: MessageEvent<unknown>) => void) | null} onmessage
 * @property {((e: Event) => void) | null} onopen
 * @property {((e: CloseEvent) => void) | null} onclose
 */

/** The state of the connection. @typedef {"connecting" | "online" | "waiting" | "ended"} Status */

export {};
