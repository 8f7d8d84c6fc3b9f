// signed-out.spec.js: somebody is signed out while two of their tabs show rooms, and comes in again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, joined, row, visitor, write } from "./helper.js";
import { said } from "./people.js";

test("whoever is signed out is told so in every tab, and can come in again", async () => {
  const server = await new Server().start();
  const { context, page, wrong } = await visitor(server, "Ada");
  const other = await context.newPage();
  for (const tab of [page, other]) {
    await tab.goto(`${server.url}/r/lobby`);
    await joined(tab);
  }
  await write(page, "before");
  await row(other, "before").waitFor();

  const answer = await context.request.delete(`${server.url}/api/session`);
  assert.equal(answer.status(), 204);
  for (const tab of [page, other]) {
    const dialog = tab.getByRole("dialog", { name: "You have been signed out" });
    await dialog.waitFor();
    await tab.keyboard.press("Escape");
    await dialog.waitFor();
  }
  assert.equal(await page.evaluate(() => fetch("/api/session").then((r) => r.status)), 401);

  const loaded = page.waitForEvent("load"); // joined() would be content with the page that was signed out
  await page.getByRole("button", { name: "Join again" }).click();
  await loaded;
  await joined(page);
  await said(page, "after", 2);
  assert.deepEqual(await server.texts("lobby"), ["before", "after"]);
  assert.deepEqual(wrong, []);
});
