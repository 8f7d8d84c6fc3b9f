// The list of a person's rooms.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, drawn, joined, row, visitor, write } from "./helper.js";
import { entry, openRoomMenu, rooms, settled } from "./room-list.js";

const server = await new Server().start();

test("the room list counts unread messages, rooms with mentions first, until they are read", async () => {
  const { page, wrong } = await settled(server, "Bea", ["l-one", "l-two", "l-here"]);
  await rooms(page).getByRole("link", { name: "l-here" }).and(page.locator("[aria-current=page]")).waitFor();
  await server.say("l-one", await server.session("Grace"), "some news");
  await rooms(page).getByRole("link", { name: "l-one 1 unread" }).waitFor();
  await page.waitForFunction(() => document.title === "(1) l-here – Parley");
  await server.say("l-two", await server.session("Grace"), "for you, @Bea");
  await rooms(page).getByRole("link", { name: "l-two 1 mention" }).waitFor();
  assert.equal(await entry(page, "l-two").locator(".badge").textContent(), "@");
  assert.equal(await page.locator("room-list li").first().getAttribute("data-room"), "l-two");
  await page.waitForFunction(() => document.title === "(2) l-here – Parley");
  await entry(page, "l-two").getByRole("link").click();
  await row(page, "for you").waitFor();
  assert.equal(
    await page.locator(".new-separator + .message .body").textContent(),
    "for you, @Bea",
    "the view goes to what was missed",
  );
  await page.waitForFunction(() => document.title === "(1) l-two – Parley");
  await page.keyboard.press("Shift+Escape"); // everything is read
  await page.waitForFunction(() => document.title === "l-two – Parley");
  await page.reload();
  await joined(page);
  await entry(page, "l-one").waitFor();
  await page.locator("room-list li.unread").first().waitFor({ state: "detached" }); // the server knows it
  assert.deepEqual(wrong, []);
});

test("whoever has entered a room is told of its first message, with their name", async () => {
  const ada = await settled(server, "Adele", ["f-first"]);
  const grace = await visitor(server, "Gene");
  /** @param {string} room */
  const look = async (room) => {
    await ada.page.goto(`${server.url}/r/${room}`);
    await joined(ada.page);
  };
  // Made by a link and left again; opened in another tab, which is closed; opened, and then the page is closed.
  await look("f-made");
  const tab = await ada.context.newPage();
  await tab.goto(`${server.url}/r/f-tab`);
  await joined(tab);
  await tab.close();
  await look("f-first");
  for (const room of ["f-made", "f-tab"]) {
    await entry(ada.page, room).waitFor();
    await grace.page.goto(`${server.url}/r/${room}`);
    await joined(grace.page);
    await write(grace.page, "I am here, @Adele");
    await rooms(ada.page).getByRole("link", { name: `${room} 1 mention` }).waitFor();
  }
  await look("f-away");
  await ada.page.close();
  await grace.page.goto(`${server.url}/r/f-away`);
  await joined(grace.page);
  await write(grace.page, "and here, @Adele");
  await row(grace.page, "and here").waitFor();
  const again = await ada.context.newPage();
  await again.goto(server.url);
  for (const room of ["f-made", "f-tab", "f-away"])
    await rooms(again).getByRole("link", { name: `${room} 1 mention` }).waitFor();
  // Hidden from the list, it stays silent.
  await again.goto(`${server.url}/r/f-hidden`);
  await joined(again);
  await openRoomMenu(again, "f-hidden");
  await again.getByRole("menuitem", { name: "Hide from list" }).click();
  await server.say("f-hidden", await server.session("Grace"), "@Adele");
  await server.say("f-first", await server.session("Grace"), "@Adele");
  await rooms(again).getByRole("link", { name: "f-first 1 mention" }).waitFor();
  assert.equal(await entry(again, "f-hidden").count(), 0);
  assert.deepEqual([...ada.wrong, ...grace.wrong], []);
});

test("the room that is pressed is opened, though another one comes first meanwhile", async () => {
  const { page, wrong } = await settled(server, "Ida", ["s-one", "s-two", "s-here"]);
  const before = await entry(page, "s-one").boundingBox();
  await entry(page, "s-one").getByRole("link").hover();
  await page.mouse.down();
  await server.say("s-two", await server.session("Grace"), "for you, @Ida");
  await page.waitForFunction(() => document.title === "(1) s-here – Parley");
  await drawn(page);
  assert.deepEqual(await entry(page, "s-one").boundingBox(), before);
  await page.mouse.up();
  await row(page, "welcome to s-one").waitFor();
  await rooms(page).getByRole("link", { name: "s-two 1 mention" }).waitFor();
  assert.equal(await page.locator("room-list li").first().getAttribute("data-room"), "s-two");
  assert.deepEqual(wrong, []);
});

test("read marks and settings of a room reach the person's other devices", async () => {
  const { page: desk, context } = await settled(server, "Cleo", ["d-one", "d-two"]);
  const phone = await context.newPage();
  await phone.goto(`${server.url}/`);
  await entry(phone, "d-one").waitFor();
  await openRoomMenu(desk, "d-one");
  await desk.getByRole("menuitemcheckbox", { name: "Favourite" }).click();
  for (const page of [desk, phone]) await page.locator(".favourites li[data-room=d-one]").waitFor();
  await openRoomMenu(desk, "d-one");
  assert.equal(await desk.getByRole("menuitemcheckbox", { name: "Favourite" }).getAttribute("aria-checked"), "true");
  await desk.getByRole("menuitemcheckbox", { name: "Mute" }).click();
  await phone.locator("li.muted[data-room=d-one]").waitFor();
  await entry(desk, "d-one").getByRole("link").click();
  await entry(desk, "d-one").locator("[aria-current]").waitFor();
  await server.say("d-two", await server.session("Grace"), "read me");
  await phone.locator("li.unread[data-room=d-two]").waitFor();
  await entry(desk, "d-two").getByRole("link").click();
  await phone.locator("li[data-room=d-two]:not(.unread)").waitFor(); // the desk looks at it, and says so
  await context.request.put(`${server.url}/api/me/rooms/d-two/read`, { data: { seq: 1, exact: true } });
  await phone.locator("li.unread[data-room=d-two]").waitFor();
  await openRoomMenu(phone, "d-two");
  await phone.getByRole("menuitem", { name: "Leave room" }).click();
  await phone.locator("li[data-room=d-two]").waitFor({ state: "detached" });
  await phone.reload();
  await entry(phone, "d-one").waitFor();
  assert.equal(await entry(phone, "d-two").count(), 0);
});

test("the room list is one Tab stop with arrow keys; its menu opens by key and returns the focus", async () => {
  const { page, wrong } = await settled(server, "Dora", ["k-one", "k-two", "k-three", "k-four", "k-five", "k-six"]);
  const focused = () =>
    page.evaluate(
      () => document.activeElement?.closest("li")?.getAttribute("data-room") ?? document.activeElement?.className,
    );
  await page.waitForFunction(() => !document.title.startsWith("(")); // the order of the list stays as it is
  await page.getByRole("button", { name: "Saved" }).focus();
  await page.keyboard.press("Tab");
  const first = await focused();
  await page.keyboard.press("ArrowDown");
  assert.notEqual(await focused(), first);
  await page.keyboard.press("Home");
  assert.equal(await focused(), await page.locator("room-list li").first().getAttribute("data-room"));
  const room = await focused();
  await page.keyboard.press("Shift+F10");
  await page.getByRole("menu").waitFor();
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent?.trim()), "Mute");
  await page.keyboard.press("Escape");
  await page.getByRole("menu").waitFor({ state: "detached" });
  assert.equal(await focused(), room);
  await page.keyboard.press("ArrowUp");
  assert.equal(await focused(), "jump", "above the first room is the field that opens the switcher");
  await page.keyboard.press("Enter");
  await page.getByRole("combobox", { name: "Go to…" }).waitFor();
  await page.keyboard.type("k-th");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${server.url}/r/k-three`);
  await page.keyboard.press("Alt+ArrowDown");
  await page.waitForFunction(() => location.pathname !== "/r/k-three");
  assert.deepEqual(wrong, []);
});

test("a room tells who wrote what last, as text, and follows edits and deletions", async () => {
  const { page, wrong } = await settled(server, "Lena", ["w-one", "w-two"]);
  const grace = await server.session("Grace");
  const last = entry(page, "w-one").locator(".last");
  await last.getByText("\u2068Grace\u2069: welcome to w-one").waitFor();
  await server.say("w-one", grace, "the **bread** of ||the butler||");
  await last.getByText(/Grace.*: the bread of/).waitFor();
  assert.doesNotMatch((await last.textContent()) ?? "", /butler|\*|\|/);
  const api = page.context().request;
  const at = (/** @type {number} */ seq) => `${server.url}/api/rooms/w-one/messages/${seq}`;
  const headers = { Authorization: `Bearer ${grace}` };
  await api.patch(at(2), { headers, data: { text: "the cake" } });
  await last.getByText("the cake").waitFor();
  await api.delete(at(2), { headers });
  await last.getByText("welcome to w-one").waitFor();
  // Also of a room that is muted.
  await openRoomMenu(page, "w-one");
  await page.getByRole("menuitemcheckbox", { name: "Mute" }).click();
  await server.say("w-one", grace, "quietly");
  await last.getByText("quietly").waitFor();
  assert.equal(await entry(page, "w-one").locator(".badge").textContent(), "");
  await write(page, "mine");
  await entry(page, "w-two").locator(".last").getByText(/You.*: mine/).waitFor();
  // Nothing of it, on one line, if the person likes that better.
  const high = (await entry(page, "w-two").boundingBox())?.height ?? 0;
  await page.keyboard.press("Control+,");
  await page.getByRole("switch", { name: "Latest messages in the room list" }).uncheck();
  await page.keyboard.press("Escape");
  await last.waitFor({ state: "hidden" });
  assert.ok(((await entry(page, "w-two").boundingBox())?.height ?? 0) < high);
  await page.reload();
  await joined(page);
  assert.equal(await entry(page, "w-one").locator(".last").isVisible(), false);
  assert.deepEqual(wrong, []);
});

test("the last words of a text from right to left begin at its beginning", async () => {
  const { page, wrong } = await settled(server, "Lina", ["w-rtl"]);
  const text = "سأحضر معي عدّة اللحام. هل توجد طاولة قرب المقبس؟ وهل يأتي الجميع غدًا أيضًا؟";
  await server.say("w-rtl", await server.session("محمد"), text);
  const last = entry(page, "w-rtl").locator(".last");
  await last.getByText(text).waitFor();
  assert.equal(await last.evaluate((e) => getComputedStyle(e).direction), "rtl", "what does not fit is its end");
  const [name, words] = [await entry(page, "w-rtl").locator(".name").boundingBox(), await last.boundingBox()];
  assert.equal(words?.x, name?.x, "it stands under the room's name");
  // The name of who wrote it does not turn the line.
  const turned = [
    ["محمد", "@Lina please look at this", "ltr"],
    ["Zoë", "نعم، صحيح", "rtl"],
    ["محمد", "😀 fine", "ltr"],
  ];
  for (const [author = "", said = "", direction] of turned) {
    await server.say("w-rtl", await server.session(author), said);
    await last.getByText(said).waitFor();
    assert.equal(await last.evaluate((e) => getComputedStyle(e).direction), direction, `${author}: ${said}`);
  }
  // Nor does it push out the words.
  await server.say("w-rtl", await server.session("Wolfeschlegelsteinhausenbergerdo"), "short");
  await last.getByText("short").waitFor();
  const [line, who] = [await last.boundingBox(), await last.locator("bdi").boundingBox()];
  assert.ok(line && who && line.width - who.width > 30, "the words have room beside a long name");
  assert.deepEqual(wrong, []);
});

test("the room on the screen is always in view, however long the list is", async () => {
  const names = Array.from({ length: 30 }, (_, i) => `v-${i}`);
  const person = await visitor(server, "Lore");
  for (const room of names) await person.context.request.put(`${server.url}/api/me/rooms/${room}`, { data: {} });
  await person.page.goto(`${server.url}/r/v-0`); // the oldest, at the end of the list
  await joined(person.page);
  const { page, wrong } = person;
  const here = entry(page, "v-0");
  const scroller = page.locator(".rooms-scroll");
  const isSeen = async () => {
    const [row, box] = [await here.boundingBox(), await scroller.boundingBox()];
    return row && box && row.y >= box.y - 1 && row.y + row.height <= box.y + box.height + 1;
  };
  await entry(page, "v-29").waitFor();
  for (const top of [0, 10_000, 400]) {
    await scroller.evaluate((e, y) => e.scrollTo(0, y), top);
    await drawn(page);
    assert.ok(await isSeen(), `scrolled to ${top}`);
  }
  // No half of another row shows below it.
  await scroller.evaluate((e) => e.scrollTo(0, 0));
  await drawn(page);
  const [row, box] = [await here.boundingBox(), await scroller.boundingBox()];
  assert.ok(row && box && Math.abs(row.y + row.height - (box.y + box.height)) <= 1, "it ends where the list ends");
  await page.keyboard.press("Alt+ArrowUp");
  await page.waitForFunction(() => location.pathname !== "/r/v-0");
  assert.deepEqual(wrong, []);
});

test("in a list of a thousand rooms a new message moves one row", async () => {
  const { page, wrong } = await visitor(server, "Karla");
  let say = (/** @type {object} */ _) => {};
  await page.routeWebSocket(/\/ws$/, (ws) => {
    const upstream = ws.connectToServer();
    say = (message) => ws.send(JSON.stringify(message));
    ws.onMessage((m) => {
      const command = JSON.parse(String(m));
      if (command.op !== "watch") return upstream.send(m);
      const many = Array.from({ length: 1000 }, (_, i) => ({
        room: `room-${i}`,
        topic: "",
        seq: 1,
        at: new Date(Date.UTC(2026, 1, 1) - i * 1000).toISOString(),
        read: 1,
        unread: 0,
        mentions: 0,
        notify: "all",
        muted: false,
        favourite: false,
      }));
      ws.send(JSON.stringify({ op: "ok", id: command.id, rooms: many }));
    });
  });
  await page.goto(`${server.url}/`);
  await page.waitForFunction(() => document.querySelectorAll("room-list li").length === 1000);
  const row500 = await entry(page, "room-500").elementHandle();
  const changes = await page.evaluateHandle(() => {
    const seen = { added: 0, touched: 0 };
    const rows = /** @type {Set<Element>} */ (new Set());
    new MutationObserver((list) => {
      for (const { target, type, addedNodes } of list) {
        const row = (target instanceof Element ? target : target.parentElement)?.closest("li");
        if (row) rows.add(row);
        else if (type === "childList") seen.added += addedNodes.length;
      }
      seen.touched = rows.size;
    }).observe(/** @type {Node} */ (document.querySelector(".rooms-scroll ul:not(:empty)")), {
      subtree: true,
      childList: true,
      attributes: true,
      characterData: true,
    });
    return seen;
  });
  say({
    op: "news",
    room: "room-500",
    seq: 2,
    at: new Date().toISOString(),
    kind: "message",
    from: { id: "g", name: "Grace" },
    text: "x",
  });
  await page.locator("room-list li:first-child[data-room='room-500']").waitFor();
  assert.ok(await row500?.evaluate((li) => li === document.querySelector("room-list li")), "the same row, elsewhere");
  const { added, touched } = await changes.jsonValue();
  assert.ok(added <= 2, `${added} rows put in`);
  assert.ok(touched <= 2, `${touched} rows changed`);
  assert.deepEqual(wrong, []);
});
