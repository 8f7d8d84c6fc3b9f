// Back closes what lies above the page before it leaves, and leaves no entries behind.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Layers } from "../../js/ui/layers.js";

/** A tab of a browser: its history, in which travelling takes time, and the page's tasks. */
class Tab {
  entries = [{ state: /** @type {unknown} */ (null), url: "/r/a" }];
  at = 0;
  /** @type {(() => void)[]} */
  tasks = [];
  /** @type {string[]} the addresses that the page has shown */
  shown = [];

  constructor() {
    this.load();
  }

  /** Loads the page, at first or again: what was open is not open any more. */
  load() {
    /** @type {{ name: string, open: boolean }[]} */
    this.things = [];
    this.layers = new Layers({
      history: this,
      address: () => this.now.url,
      later: (f) => this.tasks.push(f),
    });
    this.layers.begin();
  }

  get now() {
    return /** @type {{ state: unknown, url: string }} */ (this.entries[this.at]);
  }

  get state() {
    return this.now.state;
  }

  get length() {
    return this.entries.length;
  }

  /** @param {number} [by] */
  go(by = 0) {
    this.tasks.push(() => {
      const to = this.at + by;
      if (to < 0 || to >= this.entries.length || by === 0) return;
      this.at = to;
      if (this.layers?.travelled(this.now.state)) this.shown.push(this.now.url);
    });
  }

  /** @param {unknown} state  @param {string} _title  @param {string | URL | null} [url] */
  pushState(state, _title, url) {
    this.entries.splice(++this.at, Infinity, { state, url: String(url ?? this.entries[this.at - 1]?.url) });
  }

  /** @param {unknown} state  @param {string} _title  @param {string | URL | null} [url] */
  replaceState(state, _title, url) {
    this.entries[this.at] = { state, url: String(url ?? this.now.url) };
  }

  /** Opens something. @param {string} name */
  open(name) {
    const thing = { name, open: true };
    this.things?.push(thing);
    this.layers?.open({ close: () => (thing.open = false), isOpen: () => thing.open });
  }

  /** Closes what is open, as Escape does. @param {string} name */
  close(name) {
    const thing = this.things?.findLast((t) => t.name === name && t.open);
    if (thing) thing.open = false;
    this.layers?.closed();
  }

  get opened() {
    return (this.things ?? []).filter((t) => t.open).map((t) => t.name);
  }

  /** Lets all tasks end. */
  async rest() {
    for (let i = 0; i < 50; i++) {
      await Promise.resolve();
      this.tasks.shift()?.();
    }
    assert.deepEqual(this.tasks, [], "nothing goes on for ever");
  }

  async back() {
    this.go(-1);
    await this.rest();
  }
}

test("Back closes the topmost first, then leaves the room", async () => {
  const tab = new Tab();
  await tab.layers?.visit("/r/b");
  for (const name of ["panel", "dialog", "menu"]) tab.open(name);
  await tab.rest();
  for (const left of [["panel", "dialog"], ["panel"], []]) {
    await tab.back();
    assert.deepEqual(tab.opened, left);
    assert.equal(tab.now.url, "/r/b");
  }
  assert.deepEqual(tab.shown, []);
  await tab.back();
  assert.deepEqual([tab.now.url, tab.shown], ["/r/a", ["/r/a"]]);
});

for (const order of [
  ["panel", "dialog", "menu"],
  ["menu", "dialog", "panel"],
  ["dialog", "panel", "menu"],
]) {
  test(`what closes otherwise leaves no entry: ${order.join(", ")}`, async () => {
    const tab = new Tab();
    await tab.layers?.visit("/r/b");
    for (const name of ["panel", "dialog", "menu"]) tab.open(name);
    for (const name of order) {
      tab.close(name);
      await tab.rest();
    }
    assert.deepEqual([tab.at, tab.now.state], [1, null]);
    await tab.back();
    assert.deepEqual(tab.shown, ["/r/a"]);
  });
}

test("a menu whose choice opens a dialog hands its entry over", async () => {
  const tab = new Tab();
  tab.open("menu");
  tab.close("menu");
  tab.open("dialog");
  await tab.rest();
  assert.equal(tab.entries.length, 2);
  await tab.back();
  assert.deepEqual([tab.opened, tab.now.url, tab.shown], [[], "/r/a", []]);
});

test("a link in a dialog above a panel leads to one new entry, and Back returns to the room before", async () => {
  const tab = new Tab();
  for (const name of ["panel", "dialog"]) tab.open(name);
  for (const name of ["panel", "dialog"]) tab.close(name);
  const gone = tab.layers?.visit("/r/b");
  await tab.rest();
  await gone;
  assert.deepEqual(
    tab.entries.slice(0, tab.at + 1).map((e) => e.url),
    ["/r/a", "/r/b"],
  );
  await tab.back();
  assert.deepEqual(tab.shown, ["/r/a"]);
});

test("after a reload nothing is open, and the first Back leaves the room", async () => {
  const tab = new Tab();
  await tab.layers?.visit("/r/b");
  for (const name of ["panel", "dialog"]) tab.open(name);
  await tab.rest();
  tab.load();
  await tab.rest();
  assert.deepEqual([tab.at, tab.now.url, tab.shown], [1, "/r/b", []]);
  await tab.back();
  assert.deepEqual(tab.shown, ["/r/a"]);
});

test("Forward to the entry of a closed layer comes back", async () => {
  const tab = new Tab();
  tab.open("dialog");
  await tab.back();
  tab.go(1);
  await tab.rest();
  assert.deepEqual([tab.at, tab.now.state, tab.shown], [0, null, []]);
});

test("an address that changes while a layer is open stays changed, and is not shown again", async () => {
  const tab = new Tab();
  await tab.layers?.visit("/r/b#5");
  tab.open("panel");
  tab.layers?.rename("/r/b");
  tab.close("panel");
  await tab.rest();
  assert.deepEqual([tab.now.url, tab.shown], ["/r/b", []]);
});

test("whatever people do, each open layer has one entry", async () => {
  let seed = 7;
  const random = (/** @type {number} */ n) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % n;
  };
  for (let round = 0; round < 300; round++) {
    const tab = new Tab();
    let rooms = 0;
    /** @type {string[]} */
    const did = [];
    for (let step = 0; step < 12; step++) {
      const { opened } = tab;
      const base = tab.now.url;
      const what = random(6);
      did.push(["open", "close", "back", "visit", "reload", "both"][what] ?? "");
      if (what === 0) tab.open(`layer ${step}`);
      else if (what === 1) tab.close(opened[random(opened.length || 1)] ?? "");
      else if (what === 2 && (opened.length > 0 || rooms > 0)) tab.go(-1);
      else if (what === 3) {
        for (const name of opened) tab.close(name);
        tab.layers?.visit(`/r/${++rooms}`);
      } else if (what === 4) tab.load();
      else if (what === 5) {
        tab.open(`layer ${step}`);
        tab.open(`other ${step}`);
        tab.close(`layer ${step}`);
      }
      await tab.rest();
      const why = `round ${round}: ${did.join(", ")}`;
      const own = tab.entries.slice(0, tab.at + 1).filter((e) => e.state !== null);
      assert.equal(own.length, tab.opened.length, why);
      if (what === 2 && opened.length > 0) {
        assert.deepEqual([tab.opened, tab.now.url], [opened.slice(0, -1), base], why);
      }
    }
  }
});
