// Pages and live events, in any order that a network allows, leave the page in the state that a fresh reading of the
// room gives. The room here is a plain log; the state of a message is computed from all its events.
import assert from "node:assert/strict";
import { test } from "node:test";
import { applyJoin, applyLive } from "../../js/room/live-events.js";
import { appendPage, openWindow, prependPage, refreshMessages } from "../../js/room/room-pages.js";
import { begin, beginThread, isUsable } from "../../js/room/room-state.js";

/** @import { MessageState, Page, RoomEvent } from "../../js/wire/types.js" */
/** @import { State } from "../../js/room/types.js" */

const PEOPLE = ["Ada", "Grace", "Linus"].map((name) => ({ id: name.toLowerCase(), name }));
const EMOJI = ["👍", "🎉"];
const ROUNDS = 400;

/** Returns repeatable random numbers (mulberry32). @param {number} seed */
function chance(seed) {
  const next = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const upTo = (/** @type {number} */ n) => Math.floor(next() * n);
  /** @template T  @param {readonly T[]} list */
  const of = (list) => /** @type {T} */ (list[upTo(list.length)]);
  return { upTo, of };
}

/** A server's room. */
class Log {
  /** @type {RoomEvent[]} */
  events = [];

  /** @param {ReturnType<typeof chance>} luck */
  happen(luck) {
    const said = this.events.filter((e) => e.kind === "message" || e.kind === "reply");
    const kind =
      said.length === 0
        ? "message"
        : luck.of([
            "message",
            "message",
            "message",
            "reply",
            "echo",
            "answer",
            "edit",
            "delete",
            "react",
            "react",
            "unreact",
            "pin",
            "unpin",
            "topic",
            "poll",
          ]);
    const seq = this.events.length + 1;
    const base = { seq, at: seq * 1000, from: luck.of(PEOPLE), text: "", html: "" };
    const target = said.length > 0 ? luck.of(said.slice(-8)) : /** @type {RoomEvent} */ ({ ...base, kind });
    const root = target.thread ?? target.seq;
    const quoted = this.stateAt(target.seq, seq - 1);
    /** @type {Record<string, Partial<RoomEvent>>} */
    const kinds = {
      message: { kind: "message", text: `text ${seq}` },
      reply: { kind: "reply", text: `reply ${seq}`, thread: root },
      echo: { kind: "message", text: `echo ${seq}`, thread: root },
      answer: {
        kind: "message",
        text: `answer ${seq}`,
        replyTo: target.seq,
        ...(!quoted?.deleted && quoted && { quote: { from: quoted.from, text: quoted.text } }),
      },
      topic: { kind: "topic", text: `topic ${seq}` },
      react: { kind: "react", target: target.seq, emoji: luck.of(EMOJI) },
      unreact: { kind: "unreact", target: target.seq, emoji: luck.of(EMOJI) },
    };
    const event = /** @type {RoomEvent} */ ({
      ...base,
      ...(kinds[kind] ?? { kind, target: target.seq, text: kind === "edit" ? `edited ${seq}` : "" }),
    });
    if (event.target && quoted?.deleted) return; // refused
    this.events.push(event);
  }

  /** Returns the state of a message when the log had `upTo` events.
   * @param {number} seq  @param {number} upTo  @returns {MessageState | undefined} */
  stateAt(seq, upTo) {
    const said = this.events[seq - 1];
    if (!said || seq > upTo) return undefined;
    const log = this.events.slice(0, upTo);
    const gone = this.events.slice(0, upTo).some((e) => e.kind === "delete" && e.target === seq);
    const isGone = (/** @type {number} */ n) => log.some((e) => e.kind === "delete" && e.target === n);
    const replies = log.filter(
      (e) => (e.kind === "message" || e.kind === "reply") && e.thread === seq && !isGone(e.seq),
    );
    const last = replies.at(-1);
    const m = /** @type {MessageState} */ ({
      seq,
      at: said.at,
      kind: said.kind,
      from: said.from,
      text: said.text,
      html: "",
    });
    if (said.thread) m.thread = said.thread;
    if (last) m.replies = { count: replies.length, seq: last.seq, at: last.at, from: last.from };
    if (gone) return { ...m, text: "", deleted: true };
    const edit = log.findLast((e) => e.kind === "edit" && e.target === seq);
    if (edit) Object.assign(m, { text: edit.text, edited: { seq: edit.seq, at: edit.at } });
    if (said.replyTo) {
      m.replyTo = said.replyTo;
      const answered = this.stateAt(said.replyTo, upTo);
      if (answered && !answered.deleted) m.quote = { from: answered.from, text: answered.text };
    }
    /** @type {{ emoji: string, people: { id: string, name: string }[] }[]} */
    let reactions = [];
    for (const e of log) {
      if (e.target !== seq || !e.emoji) continue;
      const there = reactions.find((r) => r.emoji === e.emoji);
      if (e.kind === "react" && !there) reactions.push({ emoji: e.emoji, people: [e.from] });
      else if (e.kind === "react" && !there?.people.includes(e.from)) there?.people.push(e.from);
      else if (e.kind === "unreact" && there) there.people = there.people.filter((p) => p !== e.from);
      reactions = reactions.filter((r) => r.people.length > 0);
    }
    if (reactions.length > 0) m.reactions = reactions;
    if (log.findLast((e) => e.target === seq && (e.kind === "pin" || e.kind === "unpin"))?.kind === "pin")
      m.pinned = true;
    return m;
  }

  /** @param {number} thread  @param {number} upTo */
  shown(thread, upTo) {
    return this.events
      .slice(0, upTo)
      .filter((e) =>
        thread ? (e.kind === "reply" || e.kind === "message") && e.thread === thread : e.kind === "message",
      )
      .map((e) => e.seq);
  }

  /** @param {{ before?: number, after?: number }} where  @param {number} thread  @param {number} limit
   * @returns {Page} */
  page({ before, after }, thread, limit) {
    const seq = this.events.length;
    const all = this.shown(thread, seq);
    let from = Math.max(0, all.length - limit);
    if (before !== undefined) from = Math.max(0, all.filter((n) => n < before).length - limit);
    if (after !== undefined) from = all.filter((n) => n <= after).length;
    const end = before !== undefined ? all.filter((n) => n < before).length : Math.min(all.length, from + limit);
    const stand = (/** @type {number} */ n) => /** @type {MessageState} */ (this.stateAt(n, seq));
    const root = thread ? this.stateAt(thread, seq) : undefined;
    return {
      room: "lobby",
      seq,
      epoch: "e",
      more: after === undefined ? from > 0 : end < all.length,
      messages: all.slice(from, end).map(stand),
      topic: this.events.findLast((e) => e.kind === "topic")?.text ?? "",
      ...(root && { root }),
    };
  }
}

/** Returns a state without the fields that only the page has. @param {MessageState | null | undefined} m */
function plain(m) {
  if (!m) return m;
  const { asOf: _, ...rest } = m;
  return { ...rest, pinned: m.pinned ?? false, reactions: m.reactions ?? [] };
}

/** @param {Log} log  @param {State} s  @param {string} where */
function assertAsIfReadAfresh(log, s, where) {
  const all = log.shown(s.thread, log.events.length);
  const held = s.messages.map((e) => e.seq);
  const first = held[0] === undefined ? all.length : all.indexOf(held[0]);
  assert.deepEqual(held, all.slice(first, first + held.length), `${where}: no gap and no repeat`);
  assert.equal(s.older, first > 0, `${where}: older`);
  assert.equal(s.newer, first + held.length < all.length, `${where}: newer`);
  for (const m of s.messages)
    assert.deepEqual(plain(m), plain(log.stateAt(m.seq, log.events.length)), `${where}: ${m.seq}`);
  if (s.root) assert.deepEqual(plain(s.root), plain(log.stateAt(s.root.seq, log.events.length)), `${where}: root`);
  assert.equal(s.topic, log.events.findLast((e) => e.kind === "topic")?.text ?? "", `${where}: topic`);
}

for (const thread of [0, 1]) {
  test(`any order of pages and live events ends like a fresh reading: ${thread ? "a thread" : "a room"}`, () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const luck = chance(seed + thread * 10_000);
      const log = new Log();
      for (let i = luck.upTo(60) + thread; i > 0; i--) log.happen(luck);
      let heard = log.events.length; // events received over the live connection
      const me = luck.of(PEOPLE);
      const first = openWindow(begin("lobby", me), log.page({}, 0, 6), 0);
      let s = thread ? openWindow(beginThread(first, thread), log.page({}, thread, 6), 0) : first;
      /** Answers on their way. @type {{ page: Page, put: (s: State, page: Page) => State }[]} */
      const flying = [];
      /** The two sides of a message are read one after the other; the page's seq is that of the first reading.
       * @param {number} seq */
      const around = (seq) => {
        const older = log.page({ before: seq + 1 }, thread, 3);
        for (let i = luck.upTo(3); i > 0; i--) log.happen(luck);
        const newer = log.page({ after: seq }, thread, 3);
        return { ...older, messages: [...older.messages, ...newer.messages], moreAfter: newer.more };
      };
      const ask = () => {
        const [oldest, newest] = [s.messages[0]?.seq, s.messages.at(-1)?.seq];
        const way = luck.upTo(4);
        if (way === 0 && s.older && oldest)
          flying.push({ page: log.page({ before: oldest }, thread, 5), put: (t, p) => prependPage(t, p, oldest) });
        if (way === 1 && s.newer && newest)
          flying.push({ page: log.page({ after: newest }, thread, 5), put: (t, p) => appendPage(t, p, newest) });
        if (way === 2) flying.push({ page: log.page({}, thread, 6), put: (t, p) => openWindow(t, p, 0) });
        if (way === 3 && !thread)
          flying.push({ page: around(luck.upTo(log.events.length) + 1), put: (t, p) => openWindow(t, p, 0) });
      };
      /** @type {(root: number) => void} */
      const recount = (root) =>
        flying.push({
          page: log.page({ after: root - 1 }, 0, 1),
          put: (t, p) => {
            if (!isUsable(t, p)) recount(root); // more was deleted meanwhile
            return refreshMessages(t, p);
          },
        });
      const hear = () => {
        const event = /** @type {RoomEvent} */ (log.events[heard++]);
        s = applyLive(s, event);
        const root = event.kind === "delete" && log.events[(event.target ?? 0) - 1]?.thread;
        if (root) recount(root);
      };
      const land = () => {
        const [answer] = flying.splice(luck.upTo(flying.length), 1);
        if (answer) s = answer.put(s, answer.page);
      };
      for (let i = 0; i < 120; i++) {
        const what = luck.upTo(6);
        if (what <= 1) log.happen(luck);
        else if (what <= 3 && heard < log.events.length) hear();
        else if (what === 4) ask();
        else if (flying.length > 0) land();
        if (luck.upTo(20) === 0) s = { ...s, following: !s.following };
        if (luck.upTo(30) === 0 && heard > 0)
          s = applyLive(s, /** @type {RoomEvent} */ (log.events[luck.upTo(heard)])); // a resume repeats itself
        if (luck.upTo(40) === 0) {
          heard = log.events.length; // away for long: the events since are not sent
          s = applyJoin(s, { op: "behind", seq: heard, count: 1, topic: log.page({}, 0, 1).topic });
          flying.push({ page: log.page({}, thread, 6), put: (t, p) => openWindow(t, p, 0) });
          while (flying.length > 0) land(); // in any order: pages requested before are refused
        }
      }
      while (flying.length > 0 || heard < log.events.length) {
        if (luck.upTo(2) === 0 && heard < log.events.length) hear();
        else land();
      }
      assertAsIfReadAfresh(log, s, `seed ${seed}`);
    }
  });
}
