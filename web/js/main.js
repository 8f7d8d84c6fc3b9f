// main.js: reads the address, makes the parts and connects them. The page does not paint before it has run
// (blocking="render"), so that it does not flash in another theme.
/** @import { Person } from "./wire/json.js" */
import { OfflineCopy } from "./list/offline-copy.js";
import { BrowserMemory } from "./room/browser-memory.js";
import { firstPage } from "./room/history.js";
import { AppShell } from "./shell/app-shell.js";
import { refusal } from "./shell/refusal.js";
import { isPlain, parseAddress } from "./ui/address.js";
import { listen, part } from "./ui/dom.js";
import { reason, t } from "./ui/i18n.js";
import { keepFromPage } from "./ui/input-method.js";
import { languageSet } from "./ui/language.js";
import { loadWithRetry } from "./ui/load.js";
import { partMissing, watchBuild } from "./ui/page-build.js";
import { Shelf } from "./ui/shelf.js";
import { Store } from "./ui/storage.js";
import { tabId } from "./ui/tab.js";
import { backing } from "./ui/theme.js";
import { Api } from "./wire/api.js";
import { Refusal, isRetryable } from "./wire/protocol.js";
import { uuid7 } from "./wire/uuid.js";

const RETRY_MS = 2_000;

const app = part(document, "#app", HTMLElement);
const api = new Api(globalThis.fetch);
const tab = tabId(() => sessionStorage, window, () => uuid7(Date.now()));
const memory = new BrowserMemory(new Store(backing()), tab);
const copy = new OfflineCopy({
  shelf: new Shelf(globalThis.caches, "offline copy"),
  messages: (room, where) => api.messages(room, where),
  visited: () => memory.visits().map(({ room }) => room),
  setTimeout: (f, ms) => window.setTimeout(f, ms),
  random: Math.random,
});

/** Shows an element on the page and returns it. @template {Element} T  @param {T} element  @returns {T} */
function show(element) {
  app.replaceChildren(element);
  return element;
}

async function start() {
  const address = parseAddress(location);
  if (address.at === "nowhere") return app.replaceChildren(refusal(t("error.no-page"), t("error.no-page-why")));
  if (address.at === "room" && memory.name && isPlain(address.name))
    api.readAhead(address.name, firstPage(address.seq)); // in parallel with the session
  // Newcomers see a summary of the room.
  const summary = address.at === "room" && !memory.name ? api.room(address.name) : null;
  let why = "";
  const [room, me] = await Promise.all([
    summary,
    whoAmI().catch((err) => {
      if (!(err instanceof Refusal) || err.code !== "bad_name") throw err;
      why = reason(err);
      return null;
    }),
  ]);
  if (me) return enter(me);
  listen(app, "entered", (/** @type {Person} */ person) => enter(person));
  if (address.at === "front") {
    const { FrontPage } = await import("./shell/front-page.js");
    return show(new FrontPage()).show(null, memory, api, why);
  }
  const [{ JoinForm }, asked] = await Promise.all([import("./shell/join-form.js"), room ?? api.room(address.name)]);
  document.title = `${asked.room} – Parley`;
  show(new JoinForm()).show(asked, memory, api, why);
}

/** Resolves to the person, or to null on a first visit. If the server has forgotten its guests, the stored name makes a
 * new session, so that people are not asked twice. It rejects with `bad_name` if that name is not allowed any more.
 * @returns {Promise<Person | null>} */
async function whoAmI() {
  if (!memory.name) return memory.store.works ? null : api.whoAmI();
  return (
    (await api.whoAmI()) ??
    api.callMe(memory.name).catch((err) => {
      if (err instanceof Refusal && err.code === "bad_name") throw err;
      return null;
    })
  );
}

/** @param {Person} me */
function enter(me) {
  memory.name = me.name;
  show(new AppShell()).begin(me, api, memory, copy);
  if (api.session) tellWhatIsKept(false); // the browser refuses cookies only now, without saying so before
}

/** Says what this browser does not keep, and what works all the same. @param {boolean} cookies */
async function tellWhatIsKept(cookies) {
  const stores = memory.store.works;
  if (stores && cookies) return;
  const { showNotice } = await loadWithRetry(() => import("./ui/notice.js"));
  showNotice(t(stores ? "kept.no-cookies" : cookies ? "kept.no-storage" : "kept.nothing"));
}

/** @param {unknown} err */
async function failed(err) {
  if (err instanceof Refusal && err.code === "bad_room")
    return app.replaceChildren(refusal(t("error.no-room"), reason(err)));
  const held = err instanceof Refusal && isRetryable(err.code) ? await copy.whose() : null;
  if (held && memory.name) return enter(held); // without a network, with what this browser holds
  partMissing();
  part(document, "#starting", HTMLElement).textContent = t("error.retrying");
  setTimeout(() => start().catch(failed), RETRY_MS);
}

keepFromPage(window);
watchBuild(memory.store);
languageSet.then(() => tellWhatIsKept(navigator.cookieEnabled));
languageSet.then(start).catch(failed);
