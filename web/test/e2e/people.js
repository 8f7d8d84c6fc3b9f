// people.js: people in a room, who can lose their connection and come back, and what they do with messages.
import { forget, joined, told, visitor, write } from "./helper.js";

/** @import { BrowserContextOptions, Locator, Page } from "playwright-core" */
/** @import { Server } from "./helper.js" */

/** Opens a room for each name. @param {Server} server  @param {string} room  @param {string[]} names */
export async function meet(server, room, ...names) {
  return Promise.all(names.map((name) => enter(server, room, name)));
}

/** Opens a room as a person, whose connection leave() cuts until comeBack().
 * @param {Server} server  @param {string} room  @param {string} name  @param {BrowserContextOptions} [options] */
export async function enter(server, room, name, options) {
  const person = await visitor(server, name, options);
  let cut = () => {};
  let away = false;
  await person.page.routeWebSocket(/\/ws$/, (ws) => {
    if (away) return void ws.close({ code: 4999 });
    const upstream = ws.connectToServer();
    cut = () => {
      upstream.close();
      ws.close({ code: 4999 });
    };
  });
  /** The connection is lost and does not come back until the person does. */
  const leave = async () => {
    away = true;
    cut();
    await person.page.getByText("Reconnecting…").waitFor();
    await forget(person.page); // it may have been away and back before, on a busy machine
  };
  const comeBack = async () => {
    away = false;
    await told(person.page, "Back online");
  };
  await person.page.goto(`${server.url}/r/${room}`);
  await joined(person.page);
  return { ...person, leave, comeBack };
}

/** The message with a seq in the room's log. @param {Page} page  @param {number} seq */
export const message = (page, seq) => page.locator(`room-view .message[data-seq='${seq}']`);
/** Where one writes. @param {Page} page */
export const field = (page) => page.getByLabel("Your message");
/** Says something and waits until it is stored. @param {Page} page  @param {string} text  @param {number} seq */
export async function said(page, text, seq) {
  await write(page, text);
  await message(page, seq).waitFor();
}
/** Opens a message's menu, in which an item has to be. @param {Page} page  @param {number} seq  @param {string} name */
export async function openMenu(page, seq, name) {
  await press(message(page, seq), "Enter");
  await page.getByRole("menuitem", { name }).waitFor();
}
/** Presses a letter on a message. @param {Locator} on  @param {string} key */
export async function press(on, key) {
  await on.focus();
  await on.press(key);
}
/** Presses a button of the room's header, or on a phone the item of its menu.
 * @param {Page} page  @param {string | RegExp} name */
export async function pressHeader(page, name) {
  const button = page.locator(".room-header").getByRole("button", { name });
  if (await button.isVisible()) return button.click();
  await pressMenu(page, name);
}
/** Presses an item of the room's menu. @param {Page} page  @param {string | RegExp} name */
export async function pressMenu(page, name) {
  await page.getByRole("button", { name: "More about this room" }).click();
  await page.getByRole("menuitem", { name }).click();
}
