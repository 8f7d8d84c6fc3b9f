// room-list.js: the list of a person's rooms, and somebody who has some.
import { joined, row, visitor } from "./helper.js";

/** @import { BrowserContextOptions, Page } from "playwright-core" */
/** @import { Server } from "./helper.js" */

/** @param {Page} page */
export const rooms = (page) => page.getByRole("navigation", { name: "Rooms" });
/** The row of a room in the list. @param {Page} page  @param {string} room */
export const entry = (page, room) => page.locator(`room-list li[data-room="${room}"]`);
/** @param {Page} page  @param {string} room */
export const openRoomMenu = async (page, room) => {
  await entry(page, room).hover();
  await entry(page, room).getByRole("button").click();
};

/** Reports, on the page, whether the server has put a room into the list.
 * @param {string} room */
function isListed(room) {
  /** @typedef {{ session?: { rooms: Map<string, { seq: number }> } }} Shell */
  const shell = /** @type {Shell} */ (/** @type {unknown} */ (document.querySelector("app-shell")));
  return (shell.session?.rooms.get(room)?.seq ?? 0) > 0;
}

/** Somebody who has been in these rooms, the last of which is open.
 * @param {Server} server  @param {string} name  @param {string[]} names  @param {BrowserContextOptions} [options] */
export const settled = async (server, name, names, options) =>
  settle(server, await visitor(server, name, options), names);

/** Lets a visitor go through these rooms.
 * @template {{ page: Page }} P  @param {Server} server  @param {P} person  @param {string[]} names */
export async function settle(server, person, names) {
  for (const [i, room] of names.entries()) {
    await server.say(room, await server.session("Grace"), `welcome to ${room}`);
    if (i === 0) await person.page.goto(`${server.url}/r/${room}`);
    else
      await person.page.evaluate(
        (r) => document.querySelector("app-shell")?.dispatchEvent(new CustomEvent("parley:go", { detail: `/r/${r}` })),
        room,
      );
    await row(person.page, `welcome to ${room}`).waitFor();
    await joined(person.page);
    await person.page.waitForFunction(isListed, room);
  }
  return person;
}
