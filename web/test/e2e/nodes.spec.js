// Two servers on one PostgreSQL database, and a balancer in front of them. ci/withpostgres names the database.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { Balancer } from "./balancer.js";
import { Server, assertShown, forget, joined, row, told, visitor, write } from "./helper.js";

const skip = process.env["PARLEY_TEST_DATABASES"] ? false : "needs PostgreSQL: go run ./ci/withpostgres";

/** Returns an address that nobody listens on. @returns {Promise<string>} */
const freeAddress = () =>
  new Promise((resolve) => {
    const listener = createServer().listen(0, "127.0.0.1", () => {
      const address = listener.address();
      const port = address && typeof address === "object" ? address.port : 0;
      listener.close(() => resolve(`127.0.0.1:${port}`));
    });
  });

/** Starts two nodes. */
async function twoNodes() {
  const addresses = [await freeAddress(), await freeAddress()];
  const peers = ["--cluster-peers", addresses.join(",")];
  const [one, two] = addresses.map((a) => new Server("--cluster-listen", a, ...peers, "--drain", "500ms"));
  if (!one || !two) throw new Error("there are two");
  two.database = one.database;
  await one.start();
  await two.start();
  return { one, two };
}

test("two nodes in a row go away: nothing is lost, doubled or out of order for people on both", { skip }, async () => {
  const { one, two } = await twoNodes();
  const balancer = await new Balancer().start(one);
  const ada = await visitor(balancer, "Ada");
  await ada.page.goto(`${balancer.url}/r/nodes`);
  await joined(ada.page);
  balancer.server = two;
  const grace = await visitor(balancer, "Grace");
  await grace.page.goto(`${balancer.url}/r/nodes`);
  await joined(grace.page);
  /** @type {string[]} */
  const texts = [];
  /** @param {string} text  @param {typeof ada} [who] */
  const say = async (text, who = ada) => {
    texts.push(text);
    await write(who.page, text);
  };
  /** @param {string} text */
  const seenByBoth = async (text) => {
    for (const { page } of [ada, grace]) await row(page, text).waitFor();
  };

  await say("from the first node");
  await seenByBoth("from the first node");
  await say("from the second node", grace);
  await seenByBoth("from the second node");

  const stopped = one.stop(); // Ada goes to the second node
  await say("while it drains 1");
  await say("while it drains 2");
  assert.equal(await stopped, 0);
  await told(ada.page, /Reconnecting…/);
  await told(ada.page, "Back online");
  await seenByBoth("while it drains 2");
  await say("both are at the second node");

  await one.start();
  balancer.server = one;
  for (const { page } of [ada, grace]) await forget(page);
  await two.kill(); // both go to the first node
  await say("while nobody has noticed");
  for (const { page } of [ada, grace]) {
    await told(page, /Reconnecting…/);
    await told(page, "Back online");
  }
  await seenByBoth("while nobody has noticed");
  await say("both are at the first node", grace);
  await seenByBoth("both are at the first node");

  for (const { page } of [ada, grace]) await assertShown(page, texts);
  assert.deepEqual(await one.texts("nodes"), texts);
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});
