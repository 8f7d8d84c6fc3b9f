import assert from "node:assert/strict";
import { test } from "node:test";
import { BrowserMemory } from "../../js/room/browser-memory.js";
import { Store, nameOf } from "../../js/ui/storage.js";
import { tabId } from "../../js/ui/tab.js";
import { MemoryStorage } from "./fakes.js";

/** A browser whose tabs share a storage. */
function browser() {
  const backing = new MemoryStorage();
  let at = 0;
  /** @param {string} id */
  const tab = (id) => new BrowserMemory(new Store(backing), id, () => ++at);
  return { backing, tab };
}
const draft = (/** @type {string} */ text) => ({ text });
const ABOUT = /** @type {const} */ ({ to: "answer", seq: 7, from: { id: "g", name: "Grace" }, text: "hello" });

test("drafts and read marks are stored per room, and a read mark of another epoch does not count", () => {
  const { tab } = browser();
  const r = tab("a");
  r.name = "Ada";
  r.visited("lobby", 1);
  r.visited("garden", 2);
  r.visited("lobby", 3);
  assert.deepEqual(
    r.visits().map((v) => v.room),
    ["lobby", "garden"],
  );
  r.setDraft("lobby", draft("half a th"));
  r.setDraft("lobby 5", draft("half a reply"));
  r.advanceLastRead("lobby", "e", 42);
  r.advanceLastRead("lobby", "e", 7);
  const again = tab("a");
  assert.deepEqual(
    [
      again.name,
      again.takeDraft("lobby"),
      again.takeDraft("garden"),
      again.takeDraft("lobby 5"),
      again.lastRead("lobby", "e"),
      again.lastRead("lobby", "other"),
    ],
    ["Ada", draft("half a th"), null, draft("half a reply"), 42, 0],
  );
  again.forget("lobby");
  assert.deepEqual(
    [
      again.visits().map((v) => v.room),
      again.takeDraft("lobby"),
      again.takeDraft("lobby 5"),
      again.lastRead("lobby", "e"),
    ],
    [["garden"], null, null, 0],
  );
  assert.deepEqual([nameOf("parley:draft:x"), nameOf("other"), nameOf(null)], ["draft:x", null, null]);
});

test("what a second tab writes, sends and clears leaves the draft of the first", () => {
  const { tab, backing } = browser();
  const first = tab("a");
  const second = tab("b");
  first.setDraft("lobby", draft("a long thought"));
  second.setDraft("lobby", draft("x"));
  second.setDraft("lobby", null); // sent
  assert.deepEqual(tab("a").takeDraft("lobby"), draft("a long thought"), "the first tab is loaded again");
  // A third tab goes on with what it finds; the first one, which is still open, keeps it all the same.
  const third = tab("c");
  assert.deepEqual(third.takeDraft("lobby"), draft("a long thought"));
  first.storageChanged("draft:lobby:a");
  third.setDraft("lobby", null);
  assert.deepEqual(tab("a").takeDraft("lobby"), draft("a long thought"));
  first.setDraft("lobby", null);
  first.storageChanged(null);
  assert.equal(backing.length, 0, "nothing is left behind");
});

test("a new tab goes on with the newest draft of closed tabs, once", () => {
  const { tab, backing } = browser();
  backing.setItem("parley:draft:lobby", JSON.stringify("of an earlier version"));
  tab("a").setDraft("lobby", draft("older"));
  tab("b").setDraft("lobby", { text: "newer", about: ABOUT });
  tab("b").setDraft("lobby2", draft("elsewhere"));
  /** What each of some new tabs finds, and then sends. */
  const found = ["c", "d", "e", "f"].map((id) => {
    const t = tab(id);
    const first = t.takeDraft("lobby");
    assert.deepEqual(tab(id).takeDraft("lobby"), first, "it is that tab's now");
    t.setDraft("lobby", null);
    return first;
  });
  const newest = { text: "newer", about: ABOUT };
  assert.deepEqual(found, [newest, draft("older"), draft("of an earlier version"), null]);
});

test("a reply's target and a half-done edit with the draft beside it are kept; what nobody wrote is not", () => {
  const { tab, backing } = browser();
  const edit = { text: "half", about: { ...ABOUT, to: /** @type {const} */ ("edit"), action: true } };
  for (const kept of [
    { text: "", about: ABOUT },
    { ...edit, aside: { text: "before", about: ABOUT } },
  ]) {
    tab("a").setDraft("lobby", kept);
    assert.equal(JSON.stringify(tab("a").takeDraft("lobby")), JSON.stringify(kept));
  }
  for (const wrong of [7, null, {}, { text: 7 }, { text: "" }, { text: "", about: { to: "answer" } }, [], ""]) {
    backing.setItem("parley:draft:lobby:a", JSON.stringify(wrong));
    assert.equal(tab("a").takeDraft("lobby"), null, JSON.stringify(wrong));
  }
  backing.setItem("parley:draft:lobby:a", JSON.stringify({ text: "x", about: { ...ABOUT, from: { id: "g" } } }));
  assert.deepEqual(tab("a").takeDraft("lobby"), draft("x"));
});

test("a tab keeps its id over reloads; a duplicate of it gets another one", () => {
  let made = 0;
  const open = (/** @type {MemoryStorage} */ storage) => {
    const page = new EventTarget();
    const id = tabId(
      () => /** @type {Storage} */ (/** @type {unknown} */ (storage)),
      page,
      () => `tab ${++made}`,
    );
    return { id, page };
  };
  const storage = new MemoryStorage();
  const first = open(storage);
  first.page.dispatchEvent(new Event("pagehide"));
  const copied = new MemoryStorage();
  assert.equal(open(storage).id, first.id, "loaded again");
  for (let i = 0; i < storage.length; i++) copied.setItem(storage.key(i) ?? "", "x");
  assert.notEqual(open(copied).id, first.id, "duplicated while it is open");
  first.page.dispatchEvent(new Event("pagehide"));
  first.page.dispatchEvent(new Event("pageshow"));
  assert.equal(storage.length, 0, "shown again by the browser, it is open");
  const forbidden = () => {
    throw new Error("forbidden");
  };
  assert.match(
    tabId(forbidden, new EventTarget(), () => "new"),
    /new/,
  );
});
