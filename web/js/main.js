// main.js: reads the address, makes the parts and connects them.
/** @import { Person } from "./protocol.js" */
import { Api } from "./api.js";
import { firstPage } from "./history.js";
import { reason, t } from "./i18n.js";
import { isPlain, parseAddress } from "./place.js";
import { Refusal } from "./protocol.js";
import { BrowserMemory } from "./remembered.js";
import { Store } from "./store.js";
import { AppShell } from "./view/app-shell.js";
import { listen, part } from "./view/dom.js";
import { refusal } from "./view/refusal.js";
import { backing } from "./view/theme.js";
import "./view/language.js";

const RETRY_MS = 2_000;

const app = part(document, "#app", HTMLElement);
const api = new Api(globalThis.fetch);
const memory = new BrowserMemory(new Store(backing()));

/** Puts an element on the page and hands it back. @template {Element} T  @param {T} element  @returns {T} */
function show(element) {
  app.replaceChildren(element);
  return element;
}

async function start() {
  const address = parseAddress(location);
  if (address.at === "nowhere") return app.replaceChildren(refusal(t("error.no-page"), t("error.no-page-why")));
  if (address.at === "room" && memory.name && isPlain(address.name)) api.readAhead(address.name, firstPage(address.seq)); // while the server says who one is
  const summary = address.at === "room" && !memory.name ? api.room(address.name) : null; // somebody new is told about the room
  let why = "";
  const [room, me] = await Promise.all([summary, whoAmI().catch((err) => {
    if (!(err instanceof Refusal) || err.code !== "bad_name") throw err;
    why = reason(err);
    return null;
  })]);
  if (me) return enter(me);
  listen(app, "entered", (/** @type {Person} */ person) => enter(person));
  if (address.at === "front") {
    const { FrontPage } = await import("./lazy/front-page.js");
    return show(new FrontPage()).show(null, memory, api, why);
  }
  const [{ JoinForm }, asked] = await Promise.all([import("./lazy/join-form.js"), room ?? api.room(address.name)]);
  document.title = `${asked.room} – Parley`;
  show(new JoinForm()).show(asked, memory.name, api, why);
}

/** Returns who one is; nobody on a first visit, about which there is no need to ask. A server that forgot its
 * guests is told the name again, so that no person is asked twice. It throws if that name is nobody's any more.
 * @returns {Promise<Person | null>} */
async function whoAmI() {
  if (!memory.name) return null;
  return (await api.whoAmI()) ?? api.callMe(memory.name).catch((err) => {
    if (err instanceof Refusal && err.code === "bad_name") throw err;
    return null;
  });
}

/** @param {Person} me */
function enter(me) {
  memory.name = me.name;
  show(new AppShell()).begin(me, api, memory);
}

/** @param {unknown} err */
function failed(err) {
  if (err instanceof Refusal && err.code === "bad_room") return app.replaceChildren(refusal(t("error.no-room"), reason(err)));
  part(document, "#starting", HTMLElement).textContent = t("error.retrying");
  setTimeout(() => start().catch(failed), RETRY_MS);
}

start().catch(failed);
