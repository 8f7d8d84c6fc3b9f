// page-session.js: one person on this page: one connection, the room list, and the open rooms. It passes the frames of
// the connection to the rooms, and the read marks to the server. No DOM.
/** @import { BrowserMemory } from "../room/browser-memory.js" */
/** @import { Channel } from "../room/tabs.js" */
/** @import { Place } from "../room/types.js" */
/** @import { Api } from "../wire/api.js" */
/** @import { Person } from "../wire/json.js" */
/** @import { ServerMessage } from "../wire/protocol.js" */
/** @import { AnswerBody, Command, ListEntry, ListUpdate, ReadMark, Socket, Status } from "../wire/types.js" */
/** @import { OfflineCopy } from "./offline-copy.js" */
/** @import { Rooms } from "./room-list-state.js" */
import { RoomSession } from "../room/room-session.js";
import { Connection } from "../wire/connection.js";
import { EntryRefresh } from "./entry-refresh.js";
import { ReadMarks } from "./read-marks.js";
import * as list from "./room-list-state.js";

const MAX_OPEN_ROOMS = 12; // rooms whose messages stay in memory, so that going back to them is immediate
const LEAVE_MS = 5_000; // a person who comes back within this time has not left the room

/** @typedef {object} Deps
 * @property {Person} me
 * @property {Api} api
 * @property {BrowserMemory} memory
 * @property {() => Socket} dial
 * @property {OfflineCopy} copy
 * @property {(room: string) => Channel} channel  to the other tabs
 * @property {(f: () => void, ms: number) => number} setTimeout
 * @property {(id: number) => void} clearTimeout
 * @property {() => number} now
 * @property {() => number} random
 * @property {(build: string | undefined) => void} onBuild  a server has said which build of the page it has
 * @property {(room: string) => void} onRoom  an open room has changed
 * @property {() => void} onEnded  the session was ended
 * @property {() => void} onList  the list or the state of the connection has changed
 * @property {(update: ListUpdate) => void} onListUpdate
 * @property {(mark: ReadMark) => void} onRead  the person has read on another device
 * @property {() => void} onBadName the person has to choose another name, or the browser has lost its session
 */

export class PageSession {
  /** @type {Rooms} */
  rooms;
  /** Whether the list of the server has come. Until then the rooms visited in this browser are shown. */
  hasList = false;
  /** The room on the screen, if any. @type {RoomSession | null} */
  room = null;
  /** @type {Map<string, RoomSession>} by name; the one used last is at the end */
  #open = new Map();
  /** @type {Map<string, number>} rooms that are about to be left, with their timers */
  #leaving = new Map();
  /** @type {AnswerBody | null} */
  #hello = null;

  /** @param {Deps} deps */
  constructor(deps) {
    this.deps = deps;
    this.me = deps.me;
    this.rooms = list.fromEntries(deps.memory.visits().map(({ room, at }) => list.emptyEntry(room, at)));
    const { dial, setTimeout, clearTimeout, random } = deps;
    this.connection = new Connection({
      dial,
      setTimeout,
      clearTimeout,
      random,
      session: () => deps.api.session,
      onHello: (body) => this.#onHello(body),
      onMessage: (m) => this.#receive(m),
      onStatus: (status) => this.#connectionChanged(status),
      onEnded: deps.onEnded,
      onBadSession: async () => {
        await deps.api.callMe(deps.memory.name || this.me.name);
      },
      onBadName: deps.onBadName,
      isReady: () => deps.api.isReady(),
    });
    this.refresh = new EntryRefresh({
      read: (room) => deps.api.listEntry(room),
      setTimeout,
      random,
      entry: (room) => this.rooms.get(room),
      onEntry: (entry) => this.#show(list.withEntry(this.rooms, entry)),
    });
    this.marks = new ReadMarks({
      setTimeout,
      clearTimeout,
      send: (room, seq, exact) => this.#request({ op: "read", room, seq, ...(exact && { exact }) }),
      onAnswer: (mark) => {
        this.#show(list.applyReadMark(this.rooms, mark));
        this.#open.get(mark.room)?.setUnreadCount(mark);
      },
    });
  }

  /** Brings a room on the screen. A room that is opened for the first time begins at seq, at a place where it was left,
   * or at its newest messages.
   * @param {string} room  @param {number | null} seq  @param {Place | null} [place] */
  enter(room, seq, place = null) {
    if (this.room?.deps.room !== room) this.leave();
    this.deps.clearTimeout(this.#leaving.get(room) ?? 0);
    this.#leaving.delete(room);
    this.deps.memory.visited(room, this.deps.now());
    const entry = this.rooms.get(room) ?? list.emptyEntry(room, this.deps.now());
    if (!this.rooms.has(room)) this.#show(list.withEntry(this.rooms, entry));
    const known = this.#open.get(room);
    const session = known ?? this.#begin(room, entry);
    this.#open.delete(room);
    this.#open.set(room, session);
    this.room = session;
    session.enter(entry.seq);
    if (!known) session.start(seq, place);
    this.#closeOldRooms();
    return session;
  }

  /** Takes the room off the screen. The server is told a little later, in case the person comes back. */
  leave() {
    const left = this.room;
    if (!left) return;
    const { room } = left.deps;
    this.room = null;
    left.look({ following: left.state.following, reading: false, seen: 0 });
    this.marks.flush(room);
    this.marks.release(room);
    this.#leaving.set(
      room,
      this.deps.setTimeout(() => {
        this.#leaving.delete(room);
        this.deps.copy.flush();
        left.leave();
      }, LEAVE_MS),
    );
  }

  /** The page is about to close: sends the read marks that wait. */
  end() {
    this.marks.flush();
    for (const session of this.#open.values()) session.sending.tabs.leave();
  }

  /** @param {string | null} name of an item in the shared storage that another tab has changed */
  storageChanged(name) {
    this.deps.memory.storageChanged(name);
    for (const session of this.#open.values()) session.sending.storageChanged(name);
  }

  /** The person has another name now. @param {Person} person */
  renamed(person) {
    this.me = person;
    this.deps.memory.name = person.name;
  }

  /** Changes the settings of a room in the list. It resolves to false if the server refuses.
   * @param {string} room  @param {Partial<Pick<ListEntry, "notify" | "muted" | "favourite">>} change */
  async set(room, change) {
    const before = this.rooms.get(room);
    // At once; undone if the server refuses.
    if (before) this.#show(list.withEntry(this.rooms, { ...before, ...change }));
    const answer = this.hasList ? await this.#request({ op: "set", room, ...change }) : null;
    if (!answer && this.hasList && before) this.#show(list.withEntry(this.rooms, before));
    return answer !== null;
  }

  /** Removes a room from the list. @param {string} room */
  async unlist(room) {
    this.deps.memory.forget(room);
    this.marks.forget(room);
    this.#show(list.withoutRoom(this.rooms, room));
    if (this.hasList) await this.#request({ op: "set", room, listed: false });
  }

  /** Marks all messages of a room, or of all rooms, as read. @param {string} [room] */
  markRead(room) {
    for (const entry of room === undefined ? this.rooms.values() : [this.rooms.get(room)]) {
      if (!entry || (entry.unread === 0 && entry.mentions === 0)) continue;
      this.marks.release(entry.room);
      this.marks.seen(entry.room, entry.seq);
      this.#open.get(entry.room)?.readElsewhere(entry.seq);
      this.#show(list.applyReadMark(this.rooms, { room: entry.room, seq: entry.seq, unread: 0, mentions: 0 }));
    }
    this.marks.flush();
  }

  /** Marks a message and the later ones as unread, until the person comes back to the room.
   * @param {string} room  @param {number} seq */
  markUnread(room, seq) {
    this.marks.hold(room, seq - 1);
  }

  /** @param {string} room  @param {ListEntry} entry  @returns {RoomSession} */
  #begin(room, entry) {
    const { api, memory, channel, setTimeout, now } = this.deps;
    const epoch = this.#hello?.epoch;
    // The person may have read on another device.
    if (this.hasList && epoch) memory.setLastRead(room, epoch, entry.read);
    const session = new RoomSession({
      room,
      me: this.me,
      api,
      memory,
      connection: this.connection,
      channel: channel(room),
      copy: () => this.deps.copy.room(room),
      setTimeout,
      now,
      onChange: () => this.#changed(room),
      onReset: () => this.marks.resetLog(room),
    });
    if (this.#hello && this.connection.status === "online") session.onHello(this.#hello);
    return session;
  }

  /** Closes the rooms that were not used for longest, unless messages in them wait to be sent. */
  #closeOldRooms() {
    for (const [room, session] of this.#open) {
      if (this.#open.size <= MAX_OPEN_ROOMS) return;
      if (session === this.room || this.#leaving.has(room) || session.sending.outbox.next()) continue;
      session.close();
      this.#open.delete(room);
    }
  }

  /** @param {string} room */
  #changed(room) {
    const session = this.#open.get(room);
    if (!session) return;
    const entry = this.rooms.get(room);
    if (entry) session.setListEntry(entry);
    if (session.joined) this.deps.copy.roomChanged(room, () => (session.joined ? session.state : null));
    const { me, lastRead, epoch } = session.state;
    if (me.name !== this.me.name) this.me = me;
    if (epoch && session === this.room && lastRead > 0) this.marks.seen(room, lastRead);
    this.deps.onRoom(room);
  }

  /** @param {AnswerBody} body */
  #onHello(body) {
    this.#hello = body;
    this.deps.onBuild(body.build);
    if (body.person) this.me = body.person;
    this.deps.copy.begin(this.me);
    for (const session of this.#open.values()) session.onHello(body);
    this.#openList();
    this.marks.resend();
  }

  async #openList() {
    try {
      const { rooms = [] } = await this.connection.request({ op: "watch" });
      this.hasList = true;
      this.deps.copy.listCame(new Map(rooms.map((e) => [e.room, e])), this.#hello?.epoch ?? "");
      const here = this.room?.deps.room;
      const entered = here !== undefined && !rooms.some((e) => e.room === here); // the server is about to list it
      this.#show(list.fromEntries(entered ? [...rooms, list.emptyEntry(here, this.deps.now())] : rooms));
      for (const entry of rooms) {
        this.marks.receive(entry.room, entry.read);
        this.#open.get(entry.room)?.readElsewhere(entry.read);
      }
    } catch {
      // the connection was lost: the next hello asks again
    }
    this.deps.onList();
  }

  /** @param {Status} status */
  #connectionChanged(status) {
    if (status === "waiting" && !this.hasList) this.#showCopy();
    for (const session of this.#open.values()) session.connectionChanged(status);
    this.deps.onList();
  }

  /** Shows the list that this browser holds, until that of the server comes. */
  async #showCopy() {
    const entries = await this.deps.copy.list();
    if (!this.hasList && entries.length > 0) this.#show(list.fromEntries([...this.rooms.values(), ...entries]));
  }

  /** @param {ServerMessage} m */
  #receive(m) {
    switch (m.type) {
      case "update":
        this.#show(list.applyUpdate(this.rooms, m.update, this.me.id));
        this.refresh.check(m.room);
        if (m.update.kind === "delete") this.deps.copy.flush();
        if (!this.#open.get(m.room)?.joined) this.deps.copy.heard(m.update);
        return this.deps.onListUpdate(m.update);
      case "entry":
        return this.#show(list.withEntry(this.rooms, m.entry));
      case "unlisted":
        this.deps.memory.forget(m.room);
        this.marks.forget(m.room);
        return m.room === this.room?.deps.room ? undefined : this.#show(list.withoutRoom(this.rooms, m.room));
      case "read":
        this.#show(list.applyReadMark(this.rooms, m.mark));
        this.marks.receive(m.room, m.mark.seq);
        this.#open.get(m.room)?.readElsewhere(m.mark.seq);
        return this.deps.onRead(m.mark);
      case "answer":
        return;
      default:
        this.#open.get(m.room)?.receive(m);
        if (m.type === "event" && m.event.kind === "delete") this.deps.copy.flush();
    }
  }

  /** @param {Rooms} rooms */
  #show(rooms) {
    if (rooms === this.rooms) return;
    this.rooms = rooms;
    if (this.hasList) this.deps.copy.listChanged(() => this.rooms.values());
    const entry = this.room && rooms.get(this.room.deps.room);
    if (entry) this.room?.setListEntry(entry);
    this.deps.onList();
  }

  /** Sends a command. It resolves to null if the server refuses or the connection ends. @param {Command} command */
  #request(command) {
    return this.connection.request(command).catch(() => null);
  }
}
