import assert from "node:assert/strict";
import { test } from "node:test";
import { Store } from "../../js/ui/storage.js";
import { Upgrade } from "../../js/ui/upgrade.js";
import { MemoryStorage, Timers } from "./fakes.js";

const WITHIN_MS = 5_000;
const LATER_MS = 15_000;

/** A tab with a page of a build. What it does is in `did`.
 * @param {string} own  @param {MemoryStorage | null} backing */
function tab(own, backing = new MemoryStorage()) {
  const timers = new Timers();
  const did = /** @type {string[]} */ ([]);
  const world = { busy: false, served: /** @type {string | Error} */ (own), backing, timers, did };
  const upgrade = new Upgrade({
    own,
    store: new Store(backing),
    isBusy: () => world.busy,
    served: async () => {
      if (world.served instanceof Error) throw world.served;
      return world.served;
    },
    offer: () => did.at(-1) !== "offered" && did.push("offered"),
    reload: () => did.push("reloaded"),
    setTimeout: timers.setTimeout,
    random: () => 0.9,
  });
  return Object.assign(world, { upgrade });
}

/** A server says at hello that it has a build, and has it.
 * @param {ReturnType<typeof tab>} page  @param {string} build */
async function hello(page, build) {
  page.served = build;
  page.upgrade.announced(build);
  await page.timers.pass(WITHIN_MS);
}

test("a page loads itself when the server has another build, not all pages at once", async () => {
  const page = tab("a");
  page.served = "b";
  page.upgrade.announced("b");
  await page.timers.pass(WITHIN_MS * 0.8);
  assert.deepEqual(page.did, []);
  await page.timers.pass(WITHIN_MS * 0.2);
  assert.deepEqual(page.did, ["reloaded"]);
});

test("with the same build nothing happens", async () => {
  const page = tab("a");
  await hello(page, "a");
  await page.timers.pass(LATER_MS);
  assert.deepEqual(page.did, []);
  assert.equal(await page.upgrade.partMissing(), false);
});

test("while the person writes it offers, and loads itself when nothing is written any more", async () => {
  const page = tab("a");
  page.busy = true;
  await hello(page, "b");
  await page.timers.pass(10 * LATER_MS);
  assert.deepEqual(page.did, ["offered"]);
  page.busy = false;
  await page.timers.pass(LATER_MS);
  assert.deepEqual(page.did, ["offered", "reloaded"]);
});

test("it waits as long as the server cannot be reached, or another one answers", async () => {
  const page = tab("a");
  page.upgrade.announced("b");
  for (const served of [new Error("no network"), "a", ""]) {
    page.served = served;
    await page.timers.pass(WITHIN_MS + LATER_MS);
  }
  assert.deepEqual(page.did, []);
  page.served = "b";
  await page.timers.pass(LATER_MS);
  assert.deepEqual(page.did, ["reloaded"]);
});

test("a server that goes back to the page's build ends it", async () => {
  const page = tab("a");
  page.busy = true;
  await hello(page, "b");
  page.busy = false;
  page.upgrade.announced("a");
  page.served = "b";
  await page.timers.pass(2 * LATER_MS);
  assert.deepEqual(page.did, ["offered"]);
});

test("while servers have two builds, a tab loads itself once for each, and never goes back", async () => {
  const backing = new MemoryStorage();
  const first = tab("a", backing);
  await hello(first, "b");
  assert.deepEqual(first.did, ["reloaded"]);
  const again = tab("a", backing); // the other server has answered
  await hello(again, "b");
  await again.timers.pass(10 * LATER_MS);
  assert.deepEqual(again.did, ["offered"]);
  const upgraded = tab("b", backing);
  await hello(upgraded, "a");
  await upgraded.timers.pass(10 * LATER_MS);
  assert.deepEqual(upgraded.did, []);
  await hello(upgraded, "c"); // the next upgrade
  assert.deepEqual(upgraded.did, ["reloaded"]);
});

test("a part that is not there any more: it offers at once, and loads itself", async () => {
  const page = tab("a");
  page.served = "b";
  assert.equal(await page.upgrade.partMissing(), true);
  await page.timers.pass(0);
  assert.deepEqual(page.did, ["offered", "reloaded"]);
});

test("a part that did not come for another reason is no upgrade", async () => {
  const page = tab("a");
  for (const served of [new Error("no network"), "", "a"]) {
    page.served = served;
    assert.equal(await page.upgrade.partMissing(), false);
  }
  await page.timers.pass(LATER_MS);
  assert.deepEqual(page.did, []);
});

test("a page that went back, as servers did, offers when a part is missing", async () => {
  const backing = new MemoryStorage();
  tab("a", backing);
  const page = tab("b", backing);
  page.busy = true;
  page.served = "a";
  assert.equal(await page.upgrade.partMissing(), true);
  assert.deepEqual(page.did, ["offered"]);
});

test("a browser that keeps nothing for the tab only offers: it would not know that it has loaded itself", async () => {
  const full = new MemoryStorage();
  full.full = true;
  for (const backing of [null, full]) {
    const page = tab("a", backing);
    await hello(page, "b");
    await page.timers.pass(10 * LATER_MS);
    assert.deepEqual(page.did, ["offered"]);
  }
});
