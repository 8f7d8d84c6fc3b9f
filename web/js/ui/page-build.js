// page-build.js: the build of this page, and the notice that there is another one. A page of an old build works, but
// cannot load its late parts any more.
import { announce, fromTemplate, part } from "./dom.js";
import { t } from "./i18n.js";
import { SidePanel } from "./side-panel.js";
import { Store } from "./storage.js";
import { Upgrade } from "./upgrade.js";

const KEY_MS = 3_000; // who has pressed a key or button within this time is about to do more

const META = /<meta name="build" content="(\w+)">/;

/** What lives as long as the tab. */
export const tabStore = new Store(tabBacking());

/** @type {Upgrade | null} */
let upgrade = null;
let pressedAt = -Infinity;
let isClosed = false; // the person has closed the notice

/** Begins to watch for another build. @param {Store} memory where drafts and unsent messages are stored */
export function watchBuild(memory) {
  for (const name of ["keydown", "pointerdown"])
    addEventListener(name, () => (pressedAt = performance.now()), { capture: true, passive: true });
  upgrade = new Upgrade({
    own: document.querySelector("meta[name=build]")?.getAttribute("content") ?? "",
    store: tabStore,
    isBusy: () => !memory.durable || isBusy(),
    served,
    offer,
    reload,
    setTimeout: (f, ms) => window.setTimeout(f, ms),
    random: Math.random,
  });
}

/** A server has said which build it has. @param {string | undefined} build */
export const buildAnnounced = (build) => build && upgrade?.announced(build);

/** A part of the page could not be loaded. Resolves to whether that is because the server has another build. */
export function partMissing() {
  isClosed = false;
  return upgrade?.partMissing() ?? Promise.resolve(false);
}

/** Loads the page again, at the place where it is: the room view listens for "parley:leaving". */
function reload() {
  dispatchEvent(new Event("parley:leaving"));
  location.reload();
}

async function served() {
  const response = await fetch("/", { cache: "no-cache", headers: { Accept: "text/html" } });
  return META.exec(await response.text())?.[1] ?? "";
}

/** Whether the person writes, or has something open that would be closed. Drafts of rooms in the background are stored.
 * Not: reading, since the place is kept. */
function isBusy() {
  if (performance.now() - pressedAt < KEY_MS) return true;
  if (document.querySelector("dialog[open], [popover]:popover-open")) return true;
  const panel = document.querySelector("side-panel");
  if (panel instanceof SidePanel && panel.name && panel.name !== "people") return true;
  return [...document.querySelectorAll("textarea, input, [contenteditable=true]")].some(
    (field) => field.checkVisibility() && isWritten(field),
  );
}

/** @param {Element} field */
function isWritten(field) {
  if (field instanceof HTMLInputElement) return !["checkbox", "radio"].includes(field.type) && field.value !== "";
  return field instanceof HTMLTextAreaElement ? field.value !== "" : field.textContent !== "";
}

/** Shows the notice, with a button that loads the page again and one that closes it. */
function offer() {
  if (isClosed || document.querySelector(".upgrade")) return;
  const notice = part(fromTemplate("upgrade"), ".upgrade", HTMLElement);
  part(notice, ".reload", HTMLButtonElement).addEventListener("click", reload);
  part(notice, ".close", HTMLButtonElement).addEventListener("click", () => {
    isClosed = true;
    notice.remove();
  });
  document.body.append(notice);
  announce(t("upgrade.text"));
}

function tabBacking() {
  try {
    return globalThis.sessionStorage;
  } catch {
    return null;
  }
}
