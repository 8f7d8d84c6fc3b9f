// main.js: reads the address, makes the parts and connects them.
/** @import { Person } from "./protocol.js" */
import { Api } from "./api.js";
import { reason, t } from "./i18n.js";
import { Refusal } from "./protocol.js";
import { Remembered } from "./remembered.js";
import { RoomSession } from "./room-session.js";
import { Store, nameOf } from "./store.js";
import { AppShell } from "./view/app-shell.js";
import { hear, part, fromTemplate } from "./view/dom.js";
import { FrontPage } from "./view/front-page.js";
import { JoinForm } from "./view/join-form.js";
import { RoomView } from "./view/room-view.js";
import { backing } from "./view/theme.js";
import "./view/language.js";
import "./view/theme-choice.js";

const RETRY_MS = 2_000;

const app = part(document, "#app", HTMLElement);
const api = new Api(globalThis.fetch);
const remembered = new Remembered(new Store(backing()));

/** Puts an element on the page and hands it back. @template {Element} T  @param {T} element  @returns {T} */
function show(element) {
  app.replaceChildren(element);
  return element;
}

async function start() {
  const path = /^\/r\/([^/]*)\/?$/.exec(location.pathname)?.[1];
  if (location.pathname === "/") return show(new FrontPage()).show(await whoAmI(), remembered, api);
  if (path === undefined) return refuse(t("error.no-page"), t("error.no-page-why"));
  const [summary, me] = await Promise.all([api.room(nameIn(path)), whoAmI()]);
  history.replaceState(null, "", `/r/${encodeURIComponent(summary.room)}${location.hash}`);
  document.title = `${summary.room} – Parley`;
  if (me) return enter(summary.room, me);
  hear(app, "entered", (/** @type {Person} */ person) => enter(summary.room, person));
  show(new JoinForm()).show(summary, remembered.name, api);
}

/** Returns who one is; nobody on a first visit, about which there is no need to ask. A server that forgot its
 * guests is told the name again, so that no person is asked twice.
 * @returns {Promise<Person | null>} */
async function whoAmI() {
  if (!remembered.name) return null;
  return (await api.whoAmI()) ?? api.callMe(remembered.name).catch(() => null);
}

/** @param {string} room  @param {Person} me */
function enter(room, me) {
  remembered.name = me.name;
  remembered.visited(room, Date.now());
  const view = show(new AppShell()).show(new RoomView());
  const session = new RoomSession({
    room, me, api, remembered,
    dial: () => new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws`, "parley.v1"),
    channel: new BroadcastChannel(`parley ${room}`),
    setTimeout: (f, ms) => window.setTimeout(f, ms),
    clearTimeout: (id) => window.clearTimeout(id),
    now: Date.now,
    random: Math.random,
    onChange: () => view.changed(),
  });
  hear(view, "renamed", (/** @type {Person} */ person) => (remembered.name = person.name));
  addEventListener("storage", (e) => session.storageChanged(e.key === null ? null : nameOf(e.key)));
  addEventListener("pagehide", () => session.tabs.bye());
  for (const name of ["online", "pageshow", "focus"]) addEventListener(name, () => session.connection.wake());
  const seq = Number(location.hash.slice(1));
  view.begin(session, remembered, api);
  session.start(Number.isSafeInteger(seq) && seq > 0 ? seq : null);
}

/** Returns the room that a path names; what is no UTF-8 stays as it is, for the server to refuse. @param {string} path */
function nameIn(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Says why there is nothing to see, with a way back. @param {string} title  @param {string} reason */
function refuse(title, reason) {
  const page = fromTemplate("refusal");
  part(page, "h1", HTMLElement).textContent = title;
  part(page, ".reason", HTMLElement).textContent = reason;
  document.title = `${title} – Parley`;
  app.replaceChildren(page);
}

/** @param {unknown} err */
function failed(err) {
  if (err instanceof Refusal && err.code === "bad_room") {
    return refuse(t("error.no-room"), reason(err));
  }
  part(document, "#starting", HTMLElement).textContent = t("error.retrying");
  setTimeout(() => start().catch(failed), RETRY_MS);
}

start().catch(failed);
