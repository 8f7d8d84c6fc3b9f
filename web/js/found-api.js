// found-api.js: what a person finds again: by searching, kept for later, threads they follow; over HTTP, a page at a time.
/** @import { Api } from "./api.js" */
/** @import { Person } from "./protocol.js" */
import { person, record } from "./protocol.js";

/** A message in some room. @typedef {{ room: string, seq: number, at: number, from: Person, text: string, ranges: [number, number][] }} Found */

/** @typedef {{ found: Found[], next: string }} FoundPage `next`: what to ask for the rest with, "" at the end */

const EMPTY_PAGES = 5; // a page may hold nothing though there is a next one

/** @typedef {{ q: string, sort: "time" | "relevance", typing: boolean, cursor: string }} Query `typing`: the last word is not all written yet */

/** @param {Api} api  @param {Query} query  @returns {Promise<FoundPage>} */
export async function search(api, query) {
  let page = await searchPage(api, query);
  for (let i = 0; i < EMPTY_PAGES && page.found.length === 0 && page.next; i++) page = await searchPage(api, { ...query, cursor: page.next });
  return page;
}

/** @param {Api} api  @param {Query} query  @returns {Promise<FoundPage>} */
async function searchPage(api, { q, sort, typing, cursor }) {
  const o = await api.read(`/api/search?${new URLSearchParams({ q, sort, limit: "30", ...(typing && { typing: "true" }), ...(cursor && { cursor }) })}`);
  const hits = records(o["hits"]).map((hit) => found(hit, record(hit["message"]) ?? {}));
  return { found: hits, next: typeof o["cursor"] === "string" ? o["cursor"] : "" };
}

/** @param {Api} api  @param {string} before  @param {number} [limit]  @returns {Promise<FoundPage>} */
export async function saved(api, before, limit = 30) {
  const o = await api.read(`/api/me/saved?${new URLSearchParams({ limit: String(limit), ...(before && { before }) })}`);
  return kept(o, o["messages"], "message");
}

/** @param {Api} api  @param {string} before  @returns {Promise<FoundPage>} */
export async function threads(api, before) {
  const o = await api.read(`/api/me/threads?${new URLSearchParams({ limit: "30", ...(before && { before }) })}`);
  return kept(o, o["threads"], "root");
}

/** A page goes on before the time of its last row. @param {Record<string, unknown>} o  @param {unknown} rows  @param {"message" | "root"} part */
function kept(o, rows, part) {
  const list = records(rows);
  const next = o["more"] === true ? String(list.at(-1)?.["at"] ?? "") : "";
  return { found: list.map((row) => found(row, record(row[part]) ?? {})), next };
}

/** @param {Record<string, unknown>} outer  @param {Record<string, unknown>} message  @returns {Found} */
function found(outer, message) {
  const number = (/** @type {unknown} */ v) => (typeof v === "number" ? v : 0);
  const ranges = Array.isArray(outer["ranges"]) ? outer["ranges"].filter((r) => Array.isArray(r) && typeof r[0] === "number" && typeof r[1] === "number") : [];
  return {
    room: String(outer["room"] ?? ""), seq: number(message["seq"]), at: Date.parse(String(message["at"])) || 0,
    from: person(message["from"]) ?? { id: "", name: "" }, text: String(message["text"] ?? ""), ranges,
  };
}

/** @param {unknown} v */
const records = (v) => (Array.isArray(v) ? v.map(record).filter((o) => o !== null) : []);
