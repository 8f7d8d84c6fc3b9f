import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, assertShown, browserAtHome, home, joined, row, told, visitor, watch, write } from "./helper.js";

test("the server is killed and comes back: nothing is lost, doubled or out of order", async () => {
  const server = await new Server().start();
  const ada = await visitor(server, "Ada");
  const grace = await visitor(server, "Grace");
  for (const { page } of [ada, grace]) {
    await page.goto(`${server.url}/r/kill`);
    await joined(page);
  }
  await write(ada.page, "before");
  await row(grace.page, "before").waitFor();

  await server.kill();
  await ada.page.getByText("Reconnecting…").waitFor();
  for (const text of ["meanwhile 1", "meanwhile 2", "meanwhile 3"]) await write(ada.page, text);
  await row(ada.page, "meanwhile 3").locator(".state", { hasText: "Kept on this device" }).waitFor();
  await ada.page.getByText("Reconnecting… 3 messages are waiting here.").waitFor();
  await write(grace.page, "from the other side");

  await server.start();
  await told(ada.page, "Back online");
  for (const { page } of [ada, grace]) await page.locator("[data-seq='5']").waitFor();
  const stored = await server.texts("kill");
  assert.deepEqual(
    stored.filter((t) => t.startsWith("meanwhile")),
    ["meanwhile 1", "meanwhile 2", "meanwhile 3"],
  );
  assert.deepEqual([...stored].sort(), ["before", "from the other side", "meanwhile 1", "meanwhile 2", "meanwhile 3"]);
  await assertShown(ada.page, stored);
  await assertShown(grace.page, stored);
  await ada.page.locator(".pending").first().waitFor({ state: "detached" });
  await ada.page.locator(".connection", { hasText: /^$/ }).waitFor({ state: "attached" });
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});

test("what was sent when the server died, and stored without an answer, is not doubled", async () => {
  const server = await new Server().start();
  const { page, wrong } = await visitor(server, "Ada");
  // The answer to the first send is held back, as by a network that dies on the way back.
  let cut = false;
  await page.routeWebSocket(/\/ws$/, (ws) => {
    const upstream = ws.connectToServer();
    upstream.onMessage((m) => {
      if (!cut && /"seq":1,"at"/.test(String(m))) {
        cut = true;
        ws.close({ code: 4999 });
        upstream.close();
      } else if (!cut || !/"seq":1,"at".*"ok"/.test(String(m))) ws.send(m);
    });
  });
  await page.goto(`${server.url}/r/answer`);
  await joined(page);
  await write(page, "did you get this?");
  await told(page, "Back online");
  await page.locator("[data-seq='1']").waitFor();
  await write(page, "yes");
  await page.locator("[data-seq='2']").waitFor();
  assert.ok(cut, "the answer was held back");
  assert.deepEqual(await server.texts("answer"), ["did you get this?", "yes"]);
  await assertShown(page, ["did you get this?", "yes"]);
  assert.deepEqual(wrong, []);
});

test("the outbox survives the browser's end and goes out once, in order", async () => {
  const server = await new Server().start();
  const dir = home();
  let context = await browserAtHome(dir);
  let page = context.pages()[0] ?? (await context.newPage());
  await page.goto(`${server.url}/r/restart`);
  await page.getByLabel("Your name").fill("Ada");
  await page.getByRole("button", { name: "Enter the room" }).click();
  await joined(page);
  await write(page, "stored");
  await page.locator("[data-seq='1']").waitFor();
  await server.kill();
  await page.getByText("Reconnecting…").waitFor();
  for (const text of ["kept 1", "kept 2"]) await write(page, text);
  await row(page, "kept 2").locator(".state", { hasText: "not sent yet" }).waitFor();
  await context.close();

  await server.start();
  context = await browserAtHome(dir);
  page = context.pages()[0] ?? (await context.newPage());
  const wrong = watch(context, page, server);
  await page.goto(`${server.url}/r/restart`);
  await page.locator("[data-seq='3']").waitFor();
  await assertShown(page, ["stored", "kept 1", "kept 2"]);
  await page.reload();
  await page.locator("[data-seq='3']").waitFor();
  await joined(page);
  assert.deepEqual(await server.texts("restart"), ["stored", "kept 1", "kept 2"]);
  assert.equal(await page.evaluate(() => Object.keys(localStorage).filter((k) => k.includes("outbox")).length), 0);
  assert.deepEqual(wrong, []);
  await context.close();
});

test("two tabs share one outbox and send it once", async () => {
  const server = await new Server().start();
  const { page: one, context, wrong } = await visitor(server, "Ada");
  const two = await context.newPage();
  for (const page of [one, two]) {
    await page.goto(`${server.url}/r/tabs`);
    await joined(page);
  }
  await one.locator(".people h2", { hasText: "1 person here" }).waitFor();
  await server.kill();
  await one.getByText("Reconnecting…").waitFor();
  await two.getByText("Reconnecting…").waitFor();
  await write(one, "from one");
  await row(two, "from one").waitFor(); // seen in the other tab, too
  await write(two, "from two");
  await one.close(); // the other tab takes over; before that, each tab's messages are in order, but not among tabs
  await two.waitForFunction(() => {
    const kept = Object.keys(localStorage).filter((key) => key.startsWith("parley:outbox:tabs:"));
    return (
      kept.length === 2 && new Set(kept.map((key) => JSON.parse(localStorage.getItem(key) ?? "{}").owner)).size === 1
    );
  }); // a tab that ends without a word is missed by the next look, after 15 s
  await server.start();
  await two.locator("[data-seq='2']").waitFor();
  assert.deepEqual(await server.texts("tabs"), ["from one", "from two"]);
  await assertShown(two, ["from one", "from two"]);
  assert.deepEqual(wrong, []);
});

test("a refused message says why, and can be sent again or taken back", async () => {
  const server = await new Server("--message-length", "20").start();
  const { page, wrong } = await visitor(server, "Ada");
  await page.goto(`${server.url}/r/refused`);
  await joined(page);
  // Written when a longer message was allowed: the page of then had kept it.
  await page.evaluate(() => {
    const entry = {
      nonce: "0198c1d2-7a3b-7c4d-8e5f-60718293a4b5",
      text: "much longer than twenty characters",
      at: Date.now(),
      owner: "gone",
      attempted: false,
      since: 0,
      failed: null,
    };
    localStorage.setItem(`parley:outbox:refused:${entry.nonce}`, JSON.stringify(entry));
  });
  await page.reload();
  const failed = page.locator(".message.failed");
  await failed.getByText("Not sent. The message has 34 characters; at most 20 are allowed.").waitFor();
  await write(page, "short"); // a failed one does not hold up what follows
  await page.locator("[data-seq='1']").waitFor();
  await failed.getByRole("button", { name: "Try again" }).click();
  await failed.getByText("Not sent.").waitFor();
  await failed.getByRole("button", { name: "Take back" }).click();
  await failed.waitFor({ state: "detached" });
  assert.equal(await page.getByLabel("Your message").inputValue(), "much longer than twenty characters");
  assert.deepEqual(await server.texts("refused"), ["short"]);
  assert.deepEqual(wrong, []);
});

test("a message that was sent too fast waits and goes out by itself", async () => {
  const server = await new Server("--message-rate", "0.5", "--message-burst", "1").start();
  const { page, wrong } = await visitor(server, "Ada");
  await page.goto(`${server.url}/r/fast`);
  await joined(page);
  const texts = Array.from({ length: 5 }, (_, i) => `fast ${i + 1}`);
  // All at once: between single steps of a slow test, the server might allow the next one.
  await page.getByLabel("Your message").evaluate((field, texts) => {
    for (const text of texts) {
      /** @type {HTMLTextAreaElement} */ (field).value = text;
      field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
    }
  }, texts);
  await told(page, /sending again in a moment/);
  await page.locator("[data-seq='5']").waitFor();
  assert.deepEqual(await server.texts("fast"), texts);
  await assertShown(page, texts);
  await page.locator(".pending").first().waitFor({ state: "detached" });
  assert.deepEqual(wrong, []);
});

test("a restored back-up is noticed: what the page held is read again", async () => {
  const server = await new Server().start();
  const { page, wrong } = await visitor(server, "Ada");
  await server.say("epoch", await server.guest("Grace"), "of the old log");
  await page.goto(`${server.url}/r/epoch`);
  await row(page, "of the old log").waitFor();
  await server.kill();
  server.data = home(); // another log at the same address
  await server.start();
  await server.say("epoch", await server.guest("Grace"), "of the new log");
  await row(page, "of the new log").waitFor();
  await assertShown(page, ["of the new log"]);
  assert.deepEqual(wrong, []);
});
