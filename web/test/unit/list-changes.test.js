// What edits and deletions do to the room list while the page is open is what the server would answer after a reload.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EntryRefresh } from "../../js/list/entry-refresh.js";
import { refreshed } from "../../js/list/list-changes.js";
import { applyUpdate, emptyEntry, fromEntries, withEntry } from "../../js/list/room-list-state.js";
import { Refusal } from "../../js/wire/protocol.js";
import { Timers } from "./fakes.js";

/** @import { ListEntry, ListUpdate } from "../../js/wire/types.js" */

const ME = "a";
const GRACE = { id: "g", name: "Grace" };
const ADA = { id: ME, name: "Ada" };

/** @param {number} seq  @param {Partial<ListUpdate>} [more]  @returns {ListUpdate} */
const news = (seq, more) => ({
  room: "lobby",
  seq,
  at: seq,
  kind: "message",
  from: GRACE,
  text: `text ${seq}`,
  mentions: [],
  here: false,
  thread: 0,
  target: 0,
  ...more,
});

/** A server's room: all that has happened in it. */
class Log {
  /** @type {ListUpdate[]} */
  all = [];

  /** Returns what the server answers. @param {number} read  @returns {ListEntry} */
  entry(read) {
    /** @type {Map<number, ListUpdate>} */
    const said = new Map();
    for (const u of this.all) {
      const target = said.get(u.target);
      if (u.kind === "delete") said.delete(u.target);
      else if (u.kind === "edit" && target)
        said.set(u.target, { ...target, text: u.text, mentions: u.mentions, here: false });
      else if (u.kind === "message" || u.kind === "reply") said.set(u.seq, u);
    }
    const others = [...said.values()].filter((m) => m.seq > read && m.from.id !== ME);
    const last = [...said.values()].findLast((m) => m.kind === "message");
    return {
      ...emptyEntry("lobby"),
      seq: this.all.length,
      read,
      at: last?.at ?? 0,
      last: last ? { from: last.from, text: last.text } : null,
      unread: others.filter((m) => m.kind === "message").length,
      mentions: others.filter((m) => m.mentions.includes(ME)).length,
    };
  }
}

const shown = (/** @type {ListEntry | undefined} */ e) => e && [e.unread, e.mentions, e.last?.text, e.at, e.seq];

/** Each begins with these messages, of which the page was told only those after `known`. */
const TABLE = /** @type {[string, { known: number, read: number, then: Partial<ListUpdate>, asks: boolean }][]} */ ([
  ["an unread message is deleted", { known: 0, read: 1, then: { kind: "delete", target: 2 }, asks: false }],
  ["a message that names me is deleted", { known: 0, read: 1, then: { kind: "delete", target: 3 }, asks: false }],
  ["a reply that names me is deleted", { known: 0, read: 1, then: { kind: "delete", target: 4 }, asks: false }],
  ["a read message is deleted", { known: 0, read: 5, then: { kind: "delete", target: 2 }, asks: false }],
  ["the newest message is deleted", { known: 0, read: 5, then: { kind: "delete", target: 5 }, asks: false }],
  ["an edit names me", { known: 0, read: 1, then: { kind: "edit", target: 2, mentions: [ME] }, asks: false }],
  ["an edit names me no more", { known: 0, read: 1, then: { kind: "edit", target: 3, text: "no" }, asks: false }],
  ["the newest message is edited", { known: 0, read: 5, then: { kind: "edit", target: 5, text: "new" }, asks: false }],
  ["a deletion of what came before", { known: 3, read: 1, then: { kind: "delete", target: 2 }, asks: true }],
  ["an edit of what came before", { known: 3, read: 1, then: { kind: "edit", target: 2, mentions: [ME] }, asks: true }],
  ["a deletion of the only one known", { known: 4, read: 5, then: { kind: "delete", target: 5 }, asks: true }],
  ["an edit of what may be the last one", { known: 5, read: 5, then: { kind: "edit", target: 5 }, asks: true }],
  ["an old read message is edited", { known: 3, read: 5, then: { kind: "edit", target: 1 }, asks: false }],
  ["my own message is deleted", { known: 0, read: 5, then: { kind: "delete", target: 1, from: ADA }, asks: false }],
]);
for (const [what, { known, read, then, asks }] of TABLE) {
  test(`the list follows: ${what}`, () => {
    const log = new Log();
    log.all = [
      news(1, { from: ADA }),
      news(2),
      news(3, { mentions: [ME] }),
      news(4, { kind: "reply", thread: 1, mentions: [ME, "x"] }),
      news(5),
    ];
    const before = new Log();
    before.all = log.all.slice(0, known);
    let rooms = fromEntries([before.entry(read)]);
    for (const u of log.all.slice(known)) rooms = applyUpdate(rooms, u, ME);
    assert.deepEqual(shown(rooms.get("lobby")), shown(log.entry(read)), "before");
    log.all.push(news(6, { text: "", ...then }));
    rooms = applyUpdate(rooms, /** @type {ListUpdate} */ (log.all.at(-1)), ME);
    const entry = rooms.get("lobby");
    assert.equal(entry?.stale ?? false, asks, "whether the server is asked");
    if (!asks) assert.deepEqual(shown(entry), shown(log.entry(read)));
  });
}

test("after any updates the list is as after a reload", () => {
  let seed = 7;
  const upTo = (/** @type {number} */ n) => (seed = (seed * 48271) % 2147483647) % n;
  for (let round = 0; round < 500; round++) {
    const log = new Log();
    const deleted = new Set();
    const happen = () => {
      const said = log.all.filter((u) => (u.kind === "message" || u.kind === "reply") && !deleted.has(u.seq));
      const target = said[upTo(said.length || 1)];
      const way = target ? upTo(6) : 0;
      const mentions = upTo(3) ? [] : [ME];
      const seq = log.all.length + 1;
      if (way === 4 && target)
        log.all.push(news(seq, { kind: "edit", target: target.seq, from: target.from, mentions }));
      else if (way === 5 && target) {
        log.all.push(news(seq, { kind: "delete", target: target.seq, from: target.from, text: "" }));
        deleted.add(target.seq);
      } else log.all.push(news(seq, { kind: upTo(4) ? "message" : "reply", from: upTo(4) ? GRACE : ADA, mentions }));
    };
    for (let i = upTo(12); i > 0; i--) happen();
    const read = upTo(log.all.length + 1);
    let rooms = fromEntries([log.entry(read)]);
    let told = log.all.length;
    for (let i = 0; i < 20; i++) {
      happen();
      if (upTo(3) === 0) continue; // its update is still on its way
      while (told < log.all.length) rooms = applyUpdate(rooms, /** @type {ListUpdate} */ (log.all[told++]), ME);
      const ours = rooms.get("lobby");
      if (upTo(2)) happen(); // before the server answers
      const anew = ours?.stale && upTo(2) ? refreshed(ours, log.entry(read)) : null;
      if (anew) rooms = withEntry(rooms, anew);
    }
    while (told < log.all.length) rooms = applyUpdate(rooms, /** @type {ListUpdate} */ (log.all[told++]), ME);
    const ours = rooms.get("lobby");
    assert.ok(ours);
    const last = ours.stale ? refreshed(ours, log.entry(read)) : ours;
    assert.deepEqual(shown(last ?? undefined), shown(log.entry(read)), `round ${round}`);
  }
});

test("@here is counted by the server alone, since it names only who is in the room", () => {
  const rooms = applyUpdate(fromEntries([emptyEntry("lobby")]), news(1, { here: true }), ME);
  assert.equal(rooms.get("lobby")?.stale, true);
  const named = applyUpdate(fromEntries([emptyEntry("lobby")]), news(1, { here: true, mentions: [ME] }), ME);
  assert.equal(named.get("lobby")?.stale ?? false, false);
});

test("a count that means at least is not counted down", () => {
  const full = { ...emptyEntry("lobby"), unread: 100, mentions: 100 };
  for (const then of [{ kind: "delete" }, { kind: "edit", mentions: [] }]) {
    let rooms = applyUpdate(fromEntries([full]), news(1, { mentions: [ME] }), ME);
    rooms = applyUpdate(rooms, news(2, { ...then, target: 1 }), ME);
    assert.equal(rooms.get("lobby")?.stale, true, then.kind);
  }
});

test("a stale entry is asked for once, again while the answer is older than ours, and not for ever", async () => {
  const timers = new Timers();
  /** @type {ListEntry} */
  let ours = { ...emptyEntry("lobby"), seq: 5, stale: true };
  /** @type {(ListEntry | Refusal)[]} */
  const answers = [];
  const asked = /** @type {number[]} */ ([]);
  const refresh = new EntryRefresh({
    read: async () => {
      asked.push(timers.now);
      const answer = answers.shift();
      if (answer instanceof Refusal) throw answer;
      return answer ?? null;
    },
    setTimeout: timers.setTimeout,
    random: () => 0.5,
    entry: () => ours,
    onEntry: (entry) => (ours = entry),
  });
  answers.push({ ...emptyEntry("lobby"), seq: 4 }, new Refusal("rate_limited", ""), { ...emptyEntry("lobby"), seq: 6 });
  refresh.check("lobby");
  refresh.check("lobby");
  await timers.pass(10_000);
  assert.deepEqual([asked.length, ours.seq, ours.stale], [3, 6, undefined]);
  refresh.check("lobby");
  await timers.pass(10_000);
  assert.equal(asked.length, 3, "it is not stale");
  ours = { ...ours, stale: true };
  answers.push(...Array.from({ length: 9 }, () => ({ ...emptyEntry("lobby"), seq: 1 })));
  refresh.check("lobby");
  await timers.pass(60_000);
  assert.deepEqual([asked.length, ours.seq], [8, 1]);
  ours = { ...ours, stale: true };
  answers.length = 0;
  answers.push(new Refusal("not_found", ""));
  refresh.check("lobby");
  await timers.pass(60_000);
  assert.equal(asked.length, 9, "a room that has left the list");
});
