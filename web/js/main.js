// main.js: reads the address, makes the parts and connects them.
/** @import { Person } from "./protocol.js" */
import { Api } from "./api.js";
import { firstPage } from "./history.js";
import { reason, t } from "./i18n.js";
import { isPlain, placeOf } from "./place.js";
import { Refusal } from "./protocol.js";
import { Remembered } from "./remembered.js";
import { Store } from "./store.js";
import { AppShell } from "./view/app-shell.js";
import { hear, part } from "./view/dom.js";
import { refusal } from "./view/refusal.js";
import { backing } from "./view/theme.js";
import "./view/language.js";

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
  const place = placeOf(location);
  if (place.at === "nowhere") return app.replaceChildren(refusal(t("error.no-page"), t("error.no-page-why")));
  if (place.at === "room" && remembered.name && isPlain(place.name)) api.readAhead(place.name, firstPage(place.seq)); // while the server says who one is
  const summary = place.at === "room" && !remembered.name ? api.room(place.name) : null; // somebody new is told about the room
  let why = "";
  const [room, me] = await Promise.all([summary, whoAmI().catch((err) => {
    if (!(err instanceof Refusal) || err.code !== "bad_name") throw err;
    why = reason(err);
    return null;
  })]);
  if (me) return enter(me);
  hear(app, "entered", (/** @type {Person} */ person) => enter(person));
  if (place.at === "front") {
    const { FrontPage } = await import("./lazy/front-page.js");
    return show(new FrontPage()).show(null, remembered, api, why);
  }
  const [{ JoinForm }, asked] = await Promise.all([import("./lazy/join-form.js"), room ?? api.room(place.name)]);
  document.title = `${asked.room} – Parley`;
  show(new JoinForm()).show(asked, remembered.name, api, why);
}

/** Returns who one is; nobody on a first visit, about which there is no need to ask. A server that forgot its
 * guests is told the name again, so that no person is asked twice. It throws if that name is nobody's any more.
 * @returns {Promise<Person | null>} */
async function whoAmI() {
  if (!remembered.name) return null;
  return (await api.whoAmI()) ?? api.callMe(remembered.name).catch((err) => {
    if (err instanceof Refusal && err.code === "bad_name") throw err;
    return null;
  });
}

/** @param {Person} me */
function enter(me) {
  remembered.name = me.name;
  show(new AppShell()).begin(me, api, remembered);
}

/** @param {unknown} err */
function failed(err) {
  if (err instanceof Refusal && err.code === "bad_room") return app.replaceChildren(refusal(t("error.no-room"), reason(err)));
  part(document, "#starting", HTMLElement).textContent = t("error.retrying");
  setTimeout(() => start().catch(failed), RETRY_MS);
}

start().catch(failed);
