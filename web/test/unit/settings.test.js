import assert from "node:assert/strict";
import { test } from "node:test";
import { Settings } from "../../js/ui/settings.js";
import { Store } from "../../js/ui/storage.js";
import { MemoryStorage } from "./fakes.js";

test("where fingers write, Return makes a new line, unless the person has chosen otherwise", () => {
  const store = new Store(new MemoryStorage());
  const phone = new Settings(store, { touch: true });
  const laptop = new Settings(store, { touch: false });
  assert.deepEqual([phone.get("sendBy"), laptop.get("sendBy")], ["ctrl-enter", "enter"]);
  phone.put({ formats: false }); // another choice is none about this
  assert.deepEqual([phone.get("sendBy"), laptop.get("sendBy"), laptop.get("formats")], ["ctrl-enter", "enter", false]);
  phone.put({ sendBy: "enter" });
  assert.equal(phone.get("sendBy"), "enter");
});

test("a choice that is not valid any more has its default", () => {
  const store = new Store(new MemoryStorage());
  store.put("settings", { sendBy: "telepathy", size: "large", quietFrom: "25:00", other: 1 });
  const settings = new Settings(store);
  const { sendBy, size, quietFrom } = settings.all;
  assert.deepEqual([sendBy, size, quietFrom], ["enter", "large", "22:00"]);
  settings.put({ sound: false });
  assert.deepEqual(store.get("settings"), { size: "large", sound: false });
});
