import assert from "node:assert/strict";
import { test } from "node:test";
import { Balancer } from "./balancer.js";
import { Server, assertShown, forget, joined, row, told, visitor, write } from "./helper.js";

/** Returns another server for the same data, at an address of its own; only one of them may run.
 * @param {Server} server */
const twinOf = (server) => Object.assign(new Server(), { data: server.data, database: server.database });

test("behind a balancer two servers in a row go away: nothing is lost, doubled or out of order", async () => {
  const one = await new Server().start();
  const two = twinOf(one);
  const balancer = await new Balancer().start(one);
  const ada = await visitor(balancer, "Ada");
  const grace = await visitor(balancer, "Grace");
  for (const { page } of [ada, grace]) {
    await page.goto(`${balancer.url}/r/rolling`);
    await joined(page);
  }
  /** @type {string[]} */
  const texts = [];
  /** @param {string[]} more */
  const writeAll = async (...more) => {
    texts.push(...more);
    for (const text of more) await write(ada.page, text);
  };

  await writeAll("at the first server");
  await row(grace.page, "at the first server").waitFor();
  const stopped = one.stop(); // which says when to come back
  await writeAll("while it stops 1", "while it stops 2");
  assert.equal(await stopped, 0);
  balancer.server = await two.start();
  for (const { page } of [ada, grace]) {
    await told(page, /Reconnecting…/);
    await told(page, "Back online");
  }
  await row(grace.page, "while it stops 2").waitFor();

  for (const { page } of [ada, grace]) await forget(page);
  await writeAll("at the second server");
  await two.kill(); // and this one says nothing
  balancer.server = null;
  await writeAll("while there is none");
  balancer.server = await one.start();
  for (const { page } of [ada, grace]) {
    await told(page, /Reconnecting…/);
    await told(page, "Back online");
  }
  await writeAll("at the first server again");

  await row(grace.page, "at the first server again").waitFor();
  for (const { page } of [ada, grace]) await assertShown(page, texts);
  await ada.page.locator(".pending").first().waitFor({ state: "detached" });
  assert.deepEqual(await one.texts("rolling"), texts);
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});

test("a server that cannot store is left, as another one behind the balancer is ready", async () => {
  const server = await new Server().start();
  const { page, wrong } = await visitor(server, "Ada");
  let connections = 0;
  await page.routeWebSocket(/\/ws$/, (ws) => {
    const isIll = ++connections === 1;
    const upstream = ws.connectToServer();
    ws.onMessage((m) => {
      const { op, id } = JSON.parse(String(m));
      if (isIll && op === "send")
        ws.send(JSON.stringify({ op: "error", id, code: "unavailable", message: "No database.", retry_after_ms: 500 }));
      else upstream.send(m);
    });
  });
  await page.goto(`${server.url}/r/ill`);
  await joined(page);
  await write(page, "stored elsewhere");
  await page.locator("[data-seq='1']").waitFor();
  assert.equal(connections, 2);
  await assertShown(page, ["stored elsewhere"]);
  assert.deepEqual(await server.texts("ill"), ["stored elsewhere"]);
  assert.deepEqual(wrong, []);
});
