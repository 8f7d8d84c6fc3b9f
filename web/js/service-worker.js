// service-worker.js: lets the page start without a network. It holds the files of one build. While the server can be
// reached, index.html always comes from there, so no page is older than the server. It never holds an answer of the
// API: what the page keeps of rooms is in offline-copy.js.
//
// The server writes the name of its build and the URLs of its files into the two names in capitals.

/** @type {string} */
// @ts-expect-error the server writes it
const build = BUILD;
/** @type {string[]} */
// @ts-expect-error the server writes it
const files = FILES;

/** The parts of a service worker that we use (TypeScript has them in another library than the DOM's).
 * @typedef {Event & { waitUntil: (done: Promise<unknown>) => void }} LifeEvent
 * @typedef {LifeEvent & { request: Request, preloadResponse: Promise<Response | undefined>,
 *   respondWith: (answer: Promise<Response>) => void }} RequestEvent
 * @typedef {{ skipWaiting: () => Promise<void>, clients: { claim: () => Promise<void> },
 *   registration: ServiceWorkerRegistration,
 *   addEventListener: ((type: "install" | "activate", then: (e: LifeEvent) => void) => void) &
 *     ((type: "fetch", then: (e: RequestEvent) => void) => void) }} Worker */
const worker = /** @type {Worker} */ (/** @type {unknown} */ (globalThis));

const PREFIX = "build ";
const KEPT = 2; // builds: pages of the one before load their late parts from here
const NO_SERVER = new Set([502, 503, 504]); // what a proxy answers when there is no server behind it

worker.addEventListener("install", (e) => e.waitUntil(install().then(() => worker.skipWaiting())));
worker.addEventListener("activate", (e) => e.waitUntil(activate()));
worker.addEventListener("fetch", (e) => {
  const { pathname, origin } = new URL(e.request.url);
  if (e.request.method !== "GET" || origin !== location.origin) return;
  if (pathname.startsWith("/assets/")) e.respondWith(asset(e.request));
  else if (e.request.mode === "navigate" && (pathname === "/" || pathname.startsWith("/r/"))) e.respondWith(index(e));
});

/** Loads the files of this build. It fails if the server has another one meanwhile: then there is another worker. */
async function install() {
  const answer = await fetch("/", { cache: "no-cache" });
  if (!(await answer.clone().text()).includes(`name="build" content="${build}"`)) throw new Error("another build");
  const cache = await caches.open(PREFIX + build);
  await cache.addAll(files);
  await cache.put("/", answer);
}

async function activate() {
  const builds = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== PREFIX + build);
  await Promise.all(builds.slice(0, builds.length - KEPT + 1).map((name) => caches.delete(name)));
  await worker.registration.navigationPreload?.enable(); // the request does not wait until the worker has started
  await worker.clients.claim();
}

/** @param {Request} request  @returns {Promise<Response>} */
const asset = async (request) => (await caches.match(request)) ?? fetch(request);

/** Returns index.html: that of the server or, if it cannot be reached, the one of this build.
 * @param {RequestEvent} e  @returns {Promise<Response>} */
async function index(e) {
  const held = async () => (await caches.open(PREFIX + build)).match("/");
  try {
    const answer = (await e.preloadResponse) ?? (await fetch(e.request));
    return NO_SERVER.has(answer.status) ? ((await held()) ?? answer) : answer;
  } catch (err) {
    const answer = await held();
    if (!answer) throw err;
    return answer;
  }
}
