// find-api.js: messages from many rooms, read over HTTP page by page: search results, bookmarks, subscribed threads.
// No DOM.
/** @import { Api } from "../wire/api.js" */
/** @import { Person } from "../wire/json.js" */
import { person, record } from "../wire/json.js";

/** A message in some room.
 * @typedef {{ room: string, seq: number, at: number, from: Person, text: string, html: string,
 *   ranges: [number, number][], thread: boolean, replies: number }} Hit
 * `thread`: whether it is in a thread; `replies`: how many its own thread has */

/** The search index lacks the messages since this time; null: since an unknown time.
 * @typedef {{ since: number | null }} IndexGap */

/** A page of hits. `next`: the cursor of the next page, "" at the end.
 * @typedef {{ hits: Hit[], next: string, gap: IndexGap | null }} HitPage */

const FRESH_MS = 5000; // a lag of the index below this is not worth a message
const EMPTY_PAGES = 5; // read at most; a page may be empty though more follow

/** A question to the search. `typing`: its last word is not complete yet.
 * @typedef {{ q: string, sort: "time" | "relevance", typing: boolean, cursor: string }} SearchQuery */

/** @param {Api} api  @param {SearchQuery} query  @param {number} [now]  @returns {Promise<HitPage>} */
export async function search(api, query, now = Date.now()) {
  let page = await searchPage(api, query, now);
  const { gap } = page;
  for (let i = 0; i < EMPTY_PAGES && page.hits.length === 0 && page.next; i++)
    page = await searchPage(api, { ...query, cursor: page.next }, now);
  return { ...page, gap: gap ?? page.gap };
}

/** @param {Api} api  @param {SearchQuery} query  @param {number} now  @returns {Promise<HitPage>} */
async function searchPage(api, { q, sort, typing, cursor }, now) {
  const query = { q, sort, limit: "30", ...(typing && { typing: "true" }), ...(cursor && { cursor }) };
  const o = await api.read(`/api/search?${new URLSearchParams(query)}`);
  const hits = records(o["hits"]).map((hit) => decodeHit(hit, record(hit["message"]) ?? {}));
  return { hits, next: typeof o["cursor"] === "string" ? o["cursor"] : "", gap: gapOf(o, now) };
}

/** @param {Record<string, unknown>} answer  @param {number} now  @returns {IndexGap | null} */
function gapOf(answer, now) {
  if (answer["complete"] !== false) return null;
  const since = Date.parse(String(answer["complete_until"]));
  if (Number.isNaN(since)) return { since: null };
  return now - since > FRESH_MS ? { since } : null;
}

/** @param {Api} api  @param {string} before  @param {number} [limit]  @returns {Promise<HitPage>} */
export async function saved(api, before, limit = 30) {
  const o = await api.read(`/api/me/saved?${new URLSearchParams({ limit: String(limit), ...(before && { before }) })}`);
  return personalPage(o, o["messages"], "message");
}

/** @param {Api} api  @param {string} before  @returns {Promise<HitPage>} */
export async function threads(api, before) {
  const o = await api.read(`/api/me/threads?${new URLSearchParams({ limit: "30", ...(before && { before }) })}`);
  return personalPage(o, o["threads"], "root");
}

/** Returns a page of bookmarks or threads. The next page begins before the time of its last row.
 * @param {Record<string, unknown>} o  @param {unknown} rows  @param {"message" | "root"} part */
function personalPage(o, rows, part) {
  const list = records(rows);
  const next = o["more"] === true ? String(list.at(-1)?.["at"] ?? "") : "";
  return { hits: list.map((row) => decodeHit(row, record(row[part]) ?? {})), next, gap: null };
}

/** @param {Record<string, unknown>} outer  @param {Record<string, unknown>} message  @returns {Hit} */
function decodeHit(outer, message) {
  const number = (/** @type {unknown} */ v) => (typeof v === "number" ? v : 0);
  const ranges = Array.isArray(outer["ranges"])
    ? outer["ranges"].filter((r) => Array.isArray(r) && typeof r[0] === "number" && typeof r[1] === "number")
    : [];
  return {
    room: String(outer["room"] ?? ""),
    seq: number(message["seq"]),
    at: Date.parse(String(message["at"])) || 0,
    from: person(message["from"]) ?? { id: "", name: "" },
    text: String(message["text"] ?? ""),
    html: String(message["html"] ?? ""),
    ranges,
    thread: message["thread"] !== undefined,
    replies: number(record(message["replies"])?.["count"]),
  };
}

/** @param {unknown} v */
const records = (v) => (Array.isArray(v) ? v.map(record).filter((o) => o !== null) : []);
