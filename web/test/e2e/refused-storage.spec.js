import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { after, test } from "node:test";
import { Server, joined, row, visitor, write } from "./helper.js";

const server = await new Server().start();

/** Enters a room as a newcomer and says something.
 * @param {import("playwright-core").Page} page  @param {string} room  @param {string} [url] */
async function talk(page, room, url = server.url) {
  await page.goto(`${url}/r/${room}`);
  await page.getByLabel("Your name").fill("Ada");
  await page.getByLabel("Your name").press("Enter");
  await joined(page);
  await write(page, "still here");
  await row(page, "still here").waitFor();
}

test("storage that throws is told at once, and one talks and stays who one is", async () => {
  const { page, wrong } = await visitor(server, null);
  await page.addInitScript(() =>
    Object.defineProperty(globalThis, "localStorage", {
      get: () => {
        throw new DOMException("no storage", "SecurityError");
      },
    }),
  );
  await page.goto(`${server.url}/`);
  const notice = page.getByRole("status").filter({ hasText: "This browser stores nothing here" });
  await notice.waitFor();
  await page.goto(`${server.url}/r/throws`);
  await notice.waitFor();
  await page.locator(".notice").getByRole("button", { name: "Close" }).click();
  await notice.waitFor({ state: "detached" });
  await talk(page, "throws");
  await page.reload();
  await row(page, "still here").waitFor(); // without the question for a name
  await notice.waitFor();
  await page.getByRole("button", { name: /^You are .*Ada/ }).waitFor();
  assert.deepEqual(wrong, []);
});

test("storage that is full is told", async () => {
  const { page, wrong } = await visitor(server, null);
  await page.addInitScript(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
  });
  await page.goto(`${server.url}/`);
  await page.getByRole("status").filter({ hasText: "This browser stores nothing here" }).waitFor();
  await talk(page, "full");
  assert.deepEqual(wrong, []);
});

/** Opens the server's page in a browser without cookies: nothing between the two lets them through, and the browser
 * tells the page that there are none if `says`. @param {boolean} says */
async function cookieless(says) {
  const between = await withoutCookies(server.url);
  const { page, context, wrong } = await visitor(between, null);
  if (says) await (await context.newCDPSession(page)).send("Emulation.setDocumentCookieDisabled", { disabled: true });
  return { page, context, wrong, url: between.url };
}

/** Returns a server that passes everything on to another one, but no cookies. @param {string} url */
async function withoutCookies(url) {
  /** @param {import("node:http").IncomingMessage} from */
  const pass = ({ method, url: path, headers: { cookie: _, ...headers } }) =>
    request(url + path, { method, headers: { ...headers } });
  const between = createServer((from, to) => {
    const on = pass(from).on("response", (answer) => {
      const { "set-cookie": _, ...headers } = answer.headers;
      answer.pipe(to.writeHead(answer.statusCode ?? 500, headers));
    });
    on.on("error", () => to.destroy());
    from.pipe(on);
  });
  between.on("upgrade", (from, socket) => {
    const on = pass(from).on("upgrade", (answer, there) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`);
      socket.write(["HTTP/1.1 101 Switching Protocols", ...lines, "", ""].join("\r\n"));
      socket.pipe(there).pipe(socket);
      for (const end of [socket, there]) end.on("error", () => (socket.destroy(), there.destroy()));
      there.on("close", () => socket.destroy());
    });
    on.on("error", () => socket.destroy()).end();
  });
  await once(between.listen(0, "127.0.0.1"), "listening");
  after(() => (between.close(), between.closeAllConnections()));
  const address = between.address();
  return { url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}` };
}

test("a browser that refuses cookies says so, and one talks as long as the page is open", async () => {
  const { page, context, url } = await cookieless(true);
  await page.goto(url);
  const notice = page.getByRole("status").filter({ hasText: "This browser refuses cookies here" });
  await notice.waitFor();
  await talk(page, "cookieless", url);
  assert.deepEqual(await context.cookies(), []);
  await page.getByRole("button", { name: /^You are .*Ada/ }).waitFor();
  await server.kill();
  await server.start();
  await write(page, "after a restart"); // with the session that only the page has
  await row(page, "after a restart").waitFor();
  await page.reload();
  await joined(page); // as a new guest of the same name
  await notice.waitFor();
});

test("cookies that are refused without a word are told when the first one is missing", async () => {
  const { page, wrong, url } = await cookieless(false);
  await talk(page, "silent", url);
  await page.getByRole("status").filter({ hasText: "This browser refuses cookies here" }).waitFor();
  await page.getByRole("button", { name: /^You are .*Ada/ }).waitFor();
  assert.deepEqual(wrong, []);
});

test("a name that is refused while the page is open is mended in place, and the draft stays", async () => {
  const { page, context, wrong } = await visitor(server, "Ada");
  await page.goto(`${server.url}/r/renamed`);
  await joined(page);
  const composer = page.getByRole("textbox", { name: "Message" });
  await composer.fill("half a thought");
  const before = await (await context.request.get(`${server.url}/api/session`)).json();
  let refusing = true; // as after an upgrade to a server that knows the rule
  await page.route("**/api/session", (route) =>
    refusing && route.request().method() === "GET"
      ? route.fulfill({
          status: 400,
          contentType: "application/problem+json",
          body: JSON.stringify({ code: "bad_name", detail: "Ada is nobody's name here." }),
        })
      : route.continue(),
  );
  await page.routeWebSocket("**/ws", (socket) => {
    if (!refusing) return void socket.connectToServer();
    socket.onMessage((text) => {
      const { id } = JSON.parse(String(text));
      socket.send(JSON.stringify({ op: "error", id, code: "bad_name", message: "Ada is nobody's name here." }));
    });
  });
  await server.kill();
  await server.start(); // the page connects again
  const dialog = page.getByRole("dialog", { name: "Choose another name" });
  await dialog.getByText("Ada is nobody's name here").waitFor();
  await dialog.getByLabel("Your name").fill("System");
  await dialog.getByLabel("Your name").press("Enter");
  await dialog.getByText("System is nobody's name here").waitFor();
  refusing = false;
  await dialog.getByLabel("Your name").fill("Grace");
  await dialog.getByRole("button", { name: "Save name" }).click();
  await dialog.waitFor({ state: "detached" });
  await joined(page);
  assert.equal(await composer.inputValue(), "half a thought");
  const now = await (await context.request.get(`${server.url}/api/session`)).json();
  assert.deepEqual([now.person.id, now.person.name], [before.person.id, "Grace"]);
  assert.deepEqual(wrong, []);
});

test("a cookie that is lost while the page is open does not end the talk", async () => {
  const { page, context } = await visitor(server, "Ada");
  await page.goto(`${server.url}/r/lost`);
  await joined(page);
  await context.clearCookies();
  await server.kill();
  await server.start();
  await write(page, "as a new guest");
  await row(page, "as a new guest").waitFor();
});
