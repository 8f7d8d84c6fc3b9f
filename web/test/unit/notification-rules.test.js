import assert from "node:assert/strict";
import { test } from "node:test";
import { claimAlert, decide, holdsAlert, minutes, within } from "../../js/list/notification-rules.js";
import { emptyEntry } from "../../js/list/room-list-state.js";
import { Settings } from "../../js/ui/settings.js";
import { Store } from "../../js/ui/storage.js";
import { MemoryStorage } from "./fakes.js";

/** @import { ListUpdate } from "../../js/wire/types.js" */
/** @import { Situation } from "../../js/list/notification-rules.js" */

/** @type {ListUpdate} */
const plain = {
  room: "lobby",
  seq: 11,
  at: 0,
  kind: "message",
  from: { id: "g", name: "Grace" },
  text: "hi",
  mentions: [],
  here: false,
  thread: 0,
  target: 0,
};
const naming = { ...plain, mentions: ["a"] };
const choices = { ...new Settings(new Store(new MemoryStorage())).all, system: true };
const entry = { ...emptyEntry("lobby"), seq: 11, read: 10 };
/** @type {Situation} */
const usual = { me: "a", entry, looking: false, choices, minute: 720 };

/** "calls sound show", as letters. @param {ListUpdate} news  @param {Partial<Situation>} [change] */
function says(news, change) {
  const d = decide(news, { ...usual, ...change });
  return `${d.alerts ? "c" : ""}${d.sound ? "s" : ""}${d.show ? "n" : ""}`;
}

test("a message alerts as the settings of the room and of the person allow", () => {
  const cases = /** @type {[string, ListUpdate, Partial<Situation>, string][]} */ ([
    ["a message", plain, {}, "csn"],
    ["one's own", { ...plain, from: { id: "a", name: "Ada" } }, {}, ""],
    ["before one's eyes", naming, { looking: true }, ""],
    ["in a muted room", naming, { entry: { ...entry, muted: true } }, ""],
    ["in a room that tells nothing", naming, { entry: { ...entry, notify: "none" } }, ""],
    ["in a room that tells of mentions", plain, { entry: { ...entry, notify: "mentions" } }, ""],
    ["a mention there", naming, { entry: { ...entry, notify: "mentions" } }, "csn"],
    ["@here there", { ...plain, here: true }, { entry: { ...entry, notify: "mentions" } }, "csn"],
    ["a thread's reply", { ...plain, kind: "reply", thread: 3 }, {}, ""],
    ["a thread's reply that names one", { ...naming, kind: "reply", thread: 3 }, {}, "csn"],
    ["a topic", { ...naming, kind: "topic" }, {}, ""],
    ["read on another device", naming, { entry: { ...entry, read: 11 } }, ""],
    ["in a room that is not in the list yet", plain, { entry: undefined }, "csn"],
    ["without sound", plain, { choices: { ...choices, sound: false } }, "cn"],
    ["without the system", plain, { choices: { ...choices, system: false } }, "cs"],
    ["in quiet hours", naming, { choices: { ...choices, quiet: true }, minute: 23 * 60 }, "c"],
    ["outside quiet hours", naming, { choices: { ...choices, quiet: true } }, "csn"],
  ]);
  for (const [name, news, change, want] of cases) assert.equal(says(news, change), want, name);
});

test("quiet hours may cross midnight", () => {
  assert.deepEqual([minutes("22:30"), minutes("00:00")], [1350, 0]);
  assert.deepEqual(
    [0, 6 * 60, 12 * 60, 23 * 60].map((m) => within(m, 22 * 60, 7 * 60)),
    [true, true, false, true],
  );
  assert.deepEqual(
    [8, 9, 17].map((h) => within(h * 60, 9 * 60, 17 * 60)),
    [false, true, false],
  );
});

test("of two tabs one alerts, and never twice for a message", () => {
  const backing = new MemoryStorage();
  const [one, two] = [new Store(backing), new Store(backing)];
  assert.ok(claimAlert(one, "lobby", 5, "one"));
  assert.ok(!claimAlert(two, "lobby", 5, "two"), "taken");
  assert.ok(holdsAlert(one, "lobby", 5, "one"));
  two.put("told:lobby", [6, "two"]); // both checked before either wrote
  one.put("told:lobby", [6, "one"]);
  assert.deepEqual([holdsAlert(one, "lobby", 6, "one"), holdsAlert(two, "lobby", 6, "two")], [true, false]);
  assert.ok(!claimAlert(one, "lobby", 4, "one"), "told long ago");
  backing.setItem("parley:told:lobby", "nonsense");
  assert.ok(claimAlert(one, "lobby", 1, "one"));
});

test("settings are stored in one item, and invalid values have their defaults", () => {
  const backing = new MemoryStorage();
  const settings = new Settings(new Store(backing));
  settings.put({ sendBy: "ctrl-enter", quietFrom: "21:15" });
  settings.put({ sound: false });
  assert.deepEqual(
    [settings.get("sendBy"), settings.get("quietFrom"), settings.get("sound"), settings.get("quietTo")],
    ["ctrl-enter", "21:15", false, "07:00"],
  );
  backing.setItem(
    "parley:settings",
    JSON.stringify({ sendBy: "shout", quietFrom: "25:00", sound: "yes", size: "large", constructor: 1 }),
  );
  assert.deepEqual(
    [
      settings.get("sendBy"),
      settings.get("quietFrom"),
      settings.get("sound"),
      settings.get("size"),
      Object.hasOwn(settings.all, "constructor"),
    ],
    ["enter", "22:00", true, "large", false],
  );
  backing.setItem("parley:settings", "7");
  assert.equal(settings.get("people"), true);
});
