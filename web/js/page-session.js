// page-session.js: one person on this page: one connection, the list of their rooms, and the rooms that are open here. It
// passes on to each room what the connection hears, and tells the server how far one has read.
/** @import { Api } from "./api.js" */
/** @import { Socket, Status } from "./connection.js" */
/** @import { News, ReadMark, RoomEntry } from "./list-protocol.js" */
/** @import { Body, Command, Person, ServerMessage } from "./protocol.js" */
/** @import { Remembered } from "./remembered.js" */
/** @import { Rooms } from "./rooms.js" */
/** @import { Channel } from "./tabs.js" */
import { Connection } from "./connection.js";
import { Refusal } from "./protocol.js";
import { ReadMarks } from "./read-marks.js";
import { RoomSession } from "./room-session.js";
import * as list from "./rooms.js";

const KEPT = 12; // rooms whose log stays here, so that going back to them is immediate
const LEAVE_MS = 5_000; // who looks into another room for a moment has not left this one

/** @typedef {object} Deps
 * @property {Person} me
 * @property {Api} api
 * @property {Remembered} remembered
 * @property {() => Socket} dial
 * @property {(room: string) => Channel} channel  to the other tabs
 * @property {(f: () => void, ms: number) => number} setTimeout
 * @property {(id: number) => void} clearTimeout
 * @property {() => number} now
 * @property {() => number} random
 * @property {(room: string) => void} onRoom  an open room looks different now
 * @property {() => void} onEnded  one has been signed out
 * @property {() => void} onList  the list does, or the connection
 * @property {(news: News) => void} onNews
 * @property {(mark: ReadMark) => void} onRead  this far one has read on another device
 */

export class PageSession {
  /** @type {Rooms} */
  rooms;
  /** Whether the server keeps the list; an older one does not, and then it is the rooms visited in this browser. */
  listed = false;
  /** The room on the screen, if any. @type {RoomSession | null} */
  room = null;
  /** @type {Map<string, RoomSession>} the last one used at the end */
  #open = new Map();
  /** @type {Map<string, number>} rooms that are about to be left, with their timers */
  #leaving = new Map();
  /** @type {Body | null} */
  #hello = null;

  /** @param {Deps} deps */
  constructor(deps) {
    this.deps = deps;
    this.me = deps.me;
    this.rooms = list.listed(deps.remembered.visits().map(({ room, at }) => list.blank(room, at)));
    const { dial, setTimeout, clearTimeout, random } = deps;
    this.connection = new Connection({
      dial, setTimeout, clearTimeout, random,
      onHello: (body) => this.#greeted(body),
      onMessage: (m) => this.#heard(m),
      onStatus: (status) => this.#connected(status),
      onEnded: deps.onEnded,
      onBadSession: async () => {
        await deps.api.callMe(deps.remembered.name || this.me.name);
      },
    });
    this.marks = new ReadMarks({
      setTimeout, clearTimeout,
      send: (room, seq, exact) => this.#request({ op: "read", room, seq, ...(exact && { exact }) }),
      onAnswer: (mark) => {
        this.#show(list.read(this.rooms, mark));
        this.#open.get(mark.room)?.counted(mark);
      },
    });
  }

  /** Brings a room on the screen, as it was left or, on a first visit or with a seq, as the address wants it.
   * @param {string} room  @param {number | null} seq */
  enter(room, seq) {
    if (this.room?.deps.room !== room) this.leave();
    this.deps.clearTimeout(this.#leaving.get(room) ?? 0);
    this.#leaving.delete(room);
    this.deps.remembered.visited(room, this.deps.now());
    const entry = this.rooms.get(room) ?? list.blank(room, this.deps.now());
    if (!this.rooms.has(room)) this.#show(list.changed(this.rooms, entry));
    const known = this.#open.get(room);
    const session = known ?? this.#begin(room, entry);
    this.#open.delete(room);
    this.#open.set(room, session);
    this.room = session;
    session.enter(entry.seq);
    if (!known) session.start(seq);
    this.#forget();
    return session;
  }

  /** Nothing is on the screen, or soon another room. */
  leave() {
    const left = this.room;
    if (!left) return;
    const { room } = left.deps;
    this.room = null;
    left.look({ following: left.state.following, reading: false, seen: 0 });
    this.marks.flush(room);
    this.marks.release(room);
    this.#leaving.set(room, this.deps.setTimeout(() => {
      this.#leaving.delete(room);
      left.leave();
    }, LEAVE_MS));
  }

  /** The page is about to go: what was read is said now or never. */
  end() {
    this.marks.flush();
    for (const session of this.#open.values()) session.tabs.bye();
  }

  /** @param {string | null} name of an item in the common storage that another tab changed */
  storageChanged(name) {
    for (const session of this.#open.values()) session.storageChanged(name);
  }

  /** One has another name now, on this page at once. @param {Person} person */
  renamed(person) {
    this.me = person;
    this.deps.remembered.name = person.name;
  }

  /** Changes how a room stands in the list. @param {string} room  @param {Partial<Pick<RoomEntry, "notify" | "muted" | "favourite">>} change */
  async set(room, change) {
    const before = this.rooms.get(room);
    if (before) this.#show(list.changed(this.rooms, { ...before, ...change })); // at once; taken back if it is refused
    const answer = this.listed ? await this.#request({ op: "set", room, ...change }) : null;
    if (!answer && this.listed && before) this.#show(list.changed(this.rooms, before));
    return answer !== null;
  }

  /** Takes a room off the list. @param {string} room */
  async unlist(room) {
    this.deps.remembered.forget(room);
    this.marks.forget(room);
    this.#show(list.without(this.rooms, room));
    if (this.listed) await this.#request({ op: "set", room, listed: false });
  }

  /** All that was said in a room, or everywhere, counts as read. @param {string} [room] */
  markRead(room) {
    for (const entry of room === undefined ? this.rooms.values() : [this.rooms.get(room)]) {
      if (!entry || (entry.unread === 0 && entry.mentions === 0)) continue;
      this.marks.release(entry.room);
      this.marks.seen(entry.room, entry.seq);
      this.#open.get(entry.room)?.readElsewhere(entry.seq);
      this.#show(list.read(this.rooms, { room: entry.room, seq: entry.seq, unread: 0, mentions: 0 }));
    }
    this.marks.flush();
  }

  /** A message and what follows count as unread, until one comes to the room again. @param {string} room  @param {number} seq */
  keepUnread(room, seq) {
    this.marks.hold(room, seq - 1);
  }

  /** @param {string} room  @param {RoomEntry} entry  @returns {RoomSession} */
  #begin(room, entry) {
    const { api, remembered, channel, setTimeout, now } = this.deps;
    const epoch = this.#hello?.epoch;
    if (this.listed && epoch) remembered.putLastRead(room, epoch, entry.read); // other devices have read, too
    const session = new RoomSession({
      room, me: this.me, api, remembered, connection: this.connection, channel: channel(room), setTimeout, now,
      onChange: () => this.#changed(room),
      onRestarted: () => this.marks.restarted(room),
    });
    if (this.#hello && this.connection.status === "online") session.hello(this.#hello);
    return session;
  }

  /** Lets go of the rooms that were not looked at for longest, unless something waits there to be sent. */
  #forget() {
    for (const [room, session] of this.#open) {
      if (this.#open.size <= KEPT) return;
      if (session === this.room || this.#leaving.has(room) || session.outbox.next()) continue;
      session.tabs.bye();
      this.#open.delete(room);
    }
  }

  /** @param {string} room */
  #changed(room) {
    const session = this.#open.get(room);
    if (!session) return;
    const entry = this.rooms.get(room);
    if (entry) session.listed(entry);
    const { me, lastRead, epoch } = session.state;
    if (me.name !== this.me.name) this.me = me;
    if (epoch && session === this.room && lastRead > 0) this.marks.seen(room, lastRead);
    this.deps.onRoom(room);
  }

  /** @param {Body} body */
  #greeted(body) {
    this.#hello = body;
    if (body.person) this.me = body.person;
    for (const session of this.#open.values()) session.hello(body);
    this.#watch();
    this.marks.resend();
  }

  async #watch() {
    try {
      const { rooms = [] } = await this.connection.request({ op: "watch" });
      this.listed = true;
      this.#show(list.listed([...rooms, ...this.#unwritten(rooms)]));
      for (const entry of rooms) {
        this.marks.heard(entry.room, entry.read);
        this.#open.get(entry.room)?.readElsewhere(entry.read);
      }
    } catch (err) {
      if (err instanceof Refusal && err.code === "unknown_op") this.listed = false;
    }
    this.deps.onList();
  }

  /** The rooms in which one has been and nobody has written: for the server they do not exist yet.
   * @param {readonly RoomEntry[]} listed  @returns {RoomEntry[]} */
  #unwritten(listed) {
    const known = new Set(listed.map((e) => e.room));
    const { remembered } = this.deps;
    const here = this.room?.deps.room;
    return remembered.visits().filter(({ room }) => !known.has(room) && (room === here || !remembered.wasWritten(room))).map(({ room, at }) => list.blank(room, at));
  }

  /** @param {Status} status */
  #connected(status) {
    for (const session of this.#open.values()) session.connected(status);
    this.deps.onList();
  }

  /** @param {ServerMessage} m */
  #heard(m) {
    switch (m.type) {
      case "news":
        this.#show(list.heard(this.rooms, m.news, this.me.id));
        return this.deps.onNews(m.news);
      case "entry":
        return this.#show(list.changed(this.rooms, m.entry));
      case "unlisted":
        this.deps.remembered.forget(m.room);
        this.marks.forget(m.room);
        return m.room === this.room?.deps.room ? undefined : this.#show(list.without(this.rooms, m.room));
      case "read":
        this.#show(list.read(this.rooms, m.mark));
        this.marks.heard(m.room, m.mark.seq);
        this.#open.get(m.room)?.readElsewhere(m.mark.seq);
        return this.deps.onRead(m.mark);
      case "answer":
        return;
      default:
        this.#open.get(m.room)?.heard(m);
    }
  }

  /** @param {Rooms} rooms */
  #show(rooms) {
    if (rooms === this.rooms) return;
    this.rooms = rooms;
    const entry = this.room && rooms.get(this.room.deps.room);
    if (entry) this.room?.listed(entry);
    this.deps.onList();
  }

  /** Resolves to null when the server does not do it. @param {Command} command */
  #request(command) {
    return this.connection.request(command).catch(() => null);
  }
}
