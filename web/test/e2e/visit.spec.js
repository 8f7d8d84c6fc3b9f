import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, joined, row, told, visitor, write } from "./helper.js";

const server = await new Server().start();

test("a first visit asks for a name alone, and one talks in the lobby", async () => {
  const { page, wrong } = await visitor(server, null);
  await page.goto(server.url);
  await page.locator("#front-name:focus").waitFor();
  await page.keyboard.type("Ada");
  assert.equal(await page.locator(".named .avatar").textContent(), "Ad");
  assert.ok(await page.getByRole("radio", { name: /^lobby/ }).isChecked());
  await page.getByRole("button", { name: "Enter lobby" }).click();
  await page.waitForURL(`${server.url}/r/lobby`);
  await page.getByText("Nobody has written here yet").waitFor();
  await write(page, "First!");
  await row(page, "First!").waitFor();
  assert.equal(await page.locator(".empty").isVisible(), false);
  await page.goto(server.url);
  await page.getByRole("radio", { name: /^lobby/ }).waitFor();
  assert.equal(await page.getByLabel("Your name").count(), 0);
  assert.deepEqual(wrong, []);
});

test("another room's name is shown as the server will have it, and a secret one is made up", async () => {
  const { page, wrong } = await visitor(server, null);
  await page.goto(server.url);
  await page.getByLabel("Your name").fill("Ada");
  await page.getByText("Another room, old or new").click();
  const other = page.getByLabel("Name of the other room");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "front-room");
  for (const [typed, name] of /** @type {const} */ ([
    ["My Room!", "my-room"],
    ["Team Ünïcode", "team-ünïcode"],
    ["犯人は、誰？", "犯人は-誰"],
  ])) {
    await other.fill(typed);
    await page.getByText(`Its address will be ${name}`).waitFor();
    await page.getByRole("button", { name: `Enter ${name}` }).waitFor();
  }
  await other.fill("plain");
  await page.getByRole("button", { name: "Enter plain" }).waitFor();
  assert.equal(await page.locator(".becomes").textContent(), "");
  await page.getByRole("radio", { name: /^lobby/ }).check();
  await page.getByRole("button", { name: "Enter lobby" }).waitFor();
  await page.getByRole("button", { name: "Secret room name" }).click();
  const made = await other.inputValue();
  assert.match(made, /^([a-z]+-){5}\d{4}$/);
  await page.getByRole("button", { name: `Enter ${made}` }).waitFor();
  await other.fill("What's up?");
  await other.press("Enter");
  await page.waitForURL(`${server.url}/r/what-s-up`);
  await joined(page);
  assert.deepEqual(wrong, []);
});

test("the start page shows one error at a time, the first from above", async () => {
  const { page, wrong } = await visitor(server, null);
  await page.goto(server.url);
  const errors = () => page.locator(".error:not(:empty)").allTextContents();
  const enter = page.getByRole("button", { name: /^Enter/ });
  await page.getByText("Another room, old or new").click();
  await page.getByLabel("Name of the other room").fill("?!");
  await enter.click();
  assert.deepEqual(await errors(), ["Write your name."]);
  await page.keyboard.type("System"); // the field with the error has the focus
  await enter.click();
  assert.deepEqual(await errors(), ["A room’s name needs a letter or a digit."]);
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Delete");
  await enter.click();
  assert.deepEqual(await errors(), ["Write the room’s name."]);
  await page.keyboard.type("x".repeat(65));
  await enter.click();
  assert.deepEqual(await errors(), ["A room’s name has at most 64 characters."]);
  await page.getByRole("radio", { name: /^lobby/ }).check();
  await enter.click();
  await page.getByText("System is nobody's name here").waitFor();
  assert.equal((await errors()).length, 1);
  await page.getByLabel("Your name").fill("Ada");
  await enter.click();
  await joined(page);
  assert.deepEqual(wrong, []);
});

test("language and theme can be chosen before the name, and what was typed stays", async () => {
  const { page, wrong } = await visitor(server, null);
  await page.goto(server.url);
  await page.getByLabel("Your name").fill("Ada");
  await page.getByText("Another room, old or new").click();
  await page.getByLabel("Name of the other room").fill("Ein Raum");
  await page.getByLabel("Language").selectOption("Deutsch");
  await page.getByText("Seine Adresse wird ein-raum").waitFor();
  assert.equal(await page.getByLabel("Dein Name").inputValue(), "Ada");
  await page.getByLabel("Farben").selectOption("Dunkel");
  await page.waitForFunction(() => document.documentElement.dataset["theme"] === "dark");
  await page.getByRole("button", { name: "ein-raum betreten" }).click();
  await page.waitForURL(`${server.url}/r/ein-raum`);
  await page.goto(`${server.url}/r/elsewhere?lang=en`);
  await joined(page);
  assert.deepEqual(wrong, []);
});

test("whoever was in rooms before is offered them, the last one first", async () => {
  const { page, wrong } = await visitor(server, null);
  await page.addInitScript(() => {
    const day = 86_400_000;
    const visits = [
      { room: "repair-café", at: Date.now() - day },
      { room: "lobby", at: Date.now() - 3 * day },
      ...["a", "b", "c"].map((room) => ({ room, at: 0 })),
    ];
    localStorage.setItem("parley:visits", JSON.stringify(visits));
  });
  await page.goto(server.url);
  await page.getByText("You were here yesterday").waitFor();
  assert.ok(await page.getByRole("radio", { name: /^repair-café/ }).isChecked());
  assert.equal(await page.getByRole("radio").count(), 5, "lobby, three visited rooms, another one");
  await page.getByLabel("Your name").fill("Ada");
  await page.getByLabel("Your name").press("Enter");
  await page.waitForURL(`${server.url}/r/repair-caf%C3%A9`);
  await joined(page);
  assert.deepEqual(wrong, []);
});

test("rooms visited before are remembered, opened and removed", async () => {
  const { page, wrong } = await visitor(server, null);
  await page.goto(`${server.url}/r/Straße`);
  await page.getByLabel("Your name").fill("Grace");
  await page.getByRole("button", { name: "Enter the room" }).click();
  await joined(page);
  assert.equal(new URL(page.url()).pathname, "/r/strasse");

  await page.getByLabel("Parley: all rooms").click();
  await page.getByRole("heading", { name: "Join or make a room" }).waitFor();
  const rooms = page.getByRole("navigation", { name: "Rooms" });
  await page.getByRole("button", { name: "You are Grace" }).waitFor();
  await rooms.getByRole("link", { name: "strasse" }).click();
  await joined(page); // with no question asked

  await page.getByLabel("Parley: all rooms").click();
  await page.goto(server.url); // as on another day
  await rooms.getByRole("link", { name: "strasse" }).hover();
  await rooms.getByRole("button", { name: /strasse/ }).click();
  await page.getByRole("menuitem", { name: "Hide from list" }).click(); // nobody has written there
  await rooms.getByText("No rooms yet").waitFor();
  assert.equal(await rooms.getByRole("link", { name: "strasse" }).count(), 0);
  await page.reload();
  await rooms.getByText("No rooms yet").waitFor();
  assert.deepEqual(wrong, []);
});

test("a link to a room needs only a name, and the name is remembered", async () => {
  const { page, wrong } = await visitor(server, null);
  await page.goto(`${server.url}/r/lobby`);
  await page.getByRole("heading", { name: "Welcome to lobby" }).waitFor();
  await page.getByLabel("Your name").fill("x".repeat(40));
  await page.getByRole("button", { name: "Enter the room" }).click();
  await page.getByText("A name has at most 32 characters").waitFor();
  await page.getByLabel("Your name").fill("Linus");
  await page.getByLabel("Your name").press("Enter");
  await joined(page);
  await page.reload();
  await joined(page);
  await page.getByRole("button", { name: /^You are .*Linus/ }).waitFor();
  assert.deepEqual(wrong, []);
});

test("a session that the server does not know any more is made anew, without a question", async () => {
  const { page, context, wrong } = await visitor(server, "Barbara");
  await page.goto(`${server.url}/r/lobby`);
  await joined(page);
  await context.clearCookies();
  await page.reload();
  await joined(page);
  await page.getByRole("button", { name: /^You are .*Barbara/ }).waitFor();
  assert.deepEqual(wrong, []);
});

test("an impossible room name is explained, with a way back", async () => {
  const { page, wrong } = await visitor(server, "Ada");
  for (const name of ["%20", "%F0%9F%98%80", "a".repeat(65), "%ff"]) {
    const response = await page.goto(`${server.url}/r/${name}`);
    assert.equal(response?.status(), 400, name);
    await page.getByRole("heading", { name: "No room can have this name" }).waitFor();
    assert.match((await page.locator(".reason").textContent()) ?? "", /name/);
  }
  await page.getByRole("link", { name: "Choose a room" }).click();
  await page.getByRole("heading", { name: "Join or make a room" }).waitFor();
  assert.deepEqual(wrong, []);
});

test("an address that is nothing says so", async () => {
  const { page } = await visitor(server, "Ada");
  await page.goto(`${server.url}/nothing/here`);
  await page.getByRole("heading", { name: "There is nothing at this address" }).waitFor();
  await page.goto(`${server.url}/r/lobby`);
  await joined(page);
  await page.goto(`${server.url}/r/%3F!`);
  await page.getByRole("heading", { name: "No room can have this name" }).waitFor();
  await page.goBack();
  await joined(page);
  await page.getByRole("heading", { name: "lobby" }).waitFor();
});

test("one's name can be changed, and everybody sees it", async () => {
  const ada = await visitor(server, "Ada");
  const grace = await visitor(server, "Grace");
  await ada.page.goto(`${server.url}/r/names`);
  await grace.page.goto(`${server.url}/r/names`);
  await grace.page.locator(".people li", { hasText: "Ada" }).waitFor();
  await ada.page.getByRole("button", { name: /^You are/ }).click();
  await ada.page.getByRole("button", { name: "Change", exact: true }).click();
  await ada.page.getByRole("textbox", { name: "Your name" }).fill("Countess");
  await ada.page.getByRole("button", { name: "Save name" }).click();
  await grace.page.locator(".people li", { hasText: "Countess" }).waitFor();
  assert.equal(await grace.page.locator(".people li", { hasText: "Ada" }).count(), 0);
  await ada.page.getByRole("button", { name: /^You are .*Countess/ }).waitFor();
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});

test("it works without a secure context, as on http://192.168.…", async () => {
  const plain = Object.assign(Object.create(server), { url: server.url.replace("127.0.0.1", "parley.local") });
  const { page, wrong } = await visitor(plain, null);
  await page.goto(plain.url);
  assert.equal(await page.evaluate(() => isSecureContext), false);
  await page.getByLabel("Your name").fill("Ada");
  await page.getByRole("button", { name: "Secret room name" }).click();
  await page.getByRole("button", { name: /^Enter/ }).click();
  await joined(page);
  await write(page, "over plain http");
  await page.locator("[data-seq='1']").hover();
  await page.getByRole("button", { name: "Copy link" }).click();
  await told(page, "Link copied");
  await page.reload();
  await row(page, "over plain http").waitFor();
  assert.deepEqual(wrong, []);
});

test("light and dark follow the system, and a choice that is kept", async () => {
  const { page, wrong } = await visitor(server, "Ada", { colorScheme: "dark" });
  await page.goto(`${server.url}/r/lobby`);
  await joined(page);
  const paper = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const dark = await paper();
  await page.emulateMedia({ colorScheme: "light" });
  const turns = (/** @type {boolean} */ toDark) =>
    page.waitForFunction(
      ([dark, toDark]) => (getComputedStyle(document.documentElement).backgroundColor === dark) === toDark,
      /** @type {const} */ ([dark, toDark]),
    );
  await turns(false);
  await page.getByRole("button", { name: /^You are/ }).click();
  await page.getByRole("radio", { name: "Dark" }).check();
  await turns(true);
  await page.reload();
  await joined(page);
  assert.equal(await paper(), dark);
  assert.deepEqual(wrong, []);
});

test("who has a name that is nobody's any more is told so, and chooses another as the same person", async () => {
  const { page, context, wrong } = await visitor(server, "Ada");
  const before = await (await context.request.get(`${server.url}/api/session`)).json();
  let refusing = true; // as after an upgrade to a server that knows the rule
  const refusal = {
    status: 400,
    contentType: "application/problem+json",
    body: JSON.stringify({ code: "bad_name", detail: "Admin is nobody's name here." }),
  };
  await page.route("**/api/session", (route) =>
    refusing && route.request().method() === "GET" ? route.fulfill(refusal) : route.continue(),
  );
  await page.goto(`${server.url}/r/renaming`);
  await page.getByText("Admin is nobody's name here").waitFor();
  await page.getByLabel("Your name").fill("System");
  await page.getByRole("button", { name: "Enter the room" }).click();
  await page.getByText("System is nobody's name here").waitFor();
  refusing = false;
  await page.getByLabel("Your name").fill("Grace");
  await page.getByRole("button", { name: "Enter the room" }).click();
  await joined(page);
  const now = await (await context.request.get(`${server.url}/api/session`)).json();
  assert.deepEqual([now.person.id, now.person.name], [before.person.id, "Grace"]);
  assert.deepEqual(wrong, []);
});
