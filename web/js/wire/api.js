// api.js: the REST interface of the server: the session, rooms, their history. No DOM.
/** @import { Person } from "./json.js" */
/** @import { ListEntry, Page, PageQuery, SlashCommand } from "./types.js" */
import { noteServerTime } from "./clock.js";
import { person, record } from "./json.js";
import { decodeListEntry } from "./list-frames.js";
import { Refusal, decodePage, decodeVersions, refusal } from "./protocol.js";

/** @typedef {{ room: string, seq: number, count: number }} RoomSummary */

/** A link for others. `onlyHere`: it works on this machine only. `qr`: the rows of its QR code, "1" for a dark module.
 * @typedef {{ link: string, onlyHere: boolean, qr: string[] }} Link */

export class Api {
  /** Answers that were requested before they were needed, by URL.
   * @type {Map<string, Promise<Record<string, unknown>>>} */
  #ahead = new Map();
  /** The session of a guest whose browser refuses the cookie. It lives as long as the page; else "". */
  session = "";

  /** @param {typeof globalThis.fetch} fetch */
  constructor(fetch) {
    this.fetch = fetch;
  }

  /** Returns the person of the session cookie, or null without a session. It rejects with `bad_name` if the person's
   * name is not allowed any more. @returns {Promise<Person | null>} */
  async whoAmI() {
    try {
      return personIn(await this.#ask("/api/session"));
    } catch (err) {
      if (err instanceof Refusal && err.code === "bad_session") return null;
      throw err;
    }
  }

  /** Makes a guest with this name, or renames the guest of the present session.
   * @param {string} name  @returns {Promise<Person>} */
  async callMe(name) {
    const answer = await this.#postName(name).catch((err) => {
      if (!this.session || !(err instanceof Refusal) || err.code !== "bad_session") throw err;
      this.session = ""; // it has ended
      return this.#postName(name);
    });
    const me = personIn(answer);
    const made = answer["session"]; // of a new guest
    if (typeof made === "string" && !this.session && !(await this.#hasCookie())) this.session = made;
    return me;
  }

  /** @param {string} name */
  #postName(name) {
    const headers = { "Content-Type": "application/json" };
    return this.#ask("/api/session", { method: "POST", headers, body: JSON.stringify({ name }) });
  }

  /** Whether the browser has kept the cookie of a session that was just made. */
  #hasCookie() {
    return this.whoAmI().then(
      (me) => me !== null,
      () => true,
    );
  }

  /** Reports whether a server behind this address is ready for new clients. @returns {Promise<boolean>} */
  async isReady() {
    const { fetch } = this; // called without `this`, as browsers demand
    return fetch("/readyz").then(
      (response) => response.ok,
      () => false,
    );
  }

  /** @param {string} room  @returns {Promise<RoomSummary>} */
  async room(room) {
    // A URL cannot hold these.
    if (/^\.*$/.test(room)) throw new Refusal("bad_room", "A room's name needs more than dots.");
    const o = await this.#ask(`/api/rooms/${encodeURIComponent(room)}`);
    return { room: String(o["room"]), seq: Number(o["seq"]), count: Number(o["count"]) };
  }

  /** @param {string} room  @returns {Promise<ListEntry | null>} */
  async listEntry(room) {
    return decodeListEntry(await this.#ask(`/api/me/rooms/${encodeURIComponent(room)}`));
  }

  /** @param {string} room  @param {PageQuery} where  @returns {Promise<Page>} */
  async messages(room, where) {
    const url = messages(room, where);
    const ahead = this.#ahead.get(url);
    this.#ahead.delete(url);
    return decodePage(await (ahead ?? this.#ask(url)));
  }

  /** Requests a page that `messages` will ask for soon. @param {string} room  @param {PageQuery} where */
  readAhead(room, where) {
    const url = messages(room, where);
    const answer = this.#ask(url);
    this.#ahead.set(url, answer);
    answer.catch(() => this.#ahead.delete(url)); // then messages() requests it again
  }

  /** @param {string} room  @param {number} seq  @param {PageQuery} where  @returns {Promise<Page>} */
  async replies(room, seq, where) {
    return decodePage(await this.#ask(`${message(room, seq)}/replies?${query(where)}`));
  }

  /** Returns a message and all its versions. @param {string} room  @param {number} seq */
  async versions(room, seq) {
    const all = decodeVersions(await this.#ask(message(room, seq)));
    for (let { more, versions } = all; more && versions.length > 0; all.versions.push(...versions)) {
      const after = versions.at(-1)?.seq;
      ({ more, versions } = decodeVersions(await this.#ask(`${message(room, seq)}?after=${after}`)));
    }
    return all;
  }

  /** @param {string} room  @returns {Promise<Page>} the newest pin first */
  async pins(room) {
    const url = `/api/rooms/${encodeURIComponent(room)}/pins`;
    let o = await this.#ask(url);
    const page = decodePage(o);
    for (let { more, messages } = page; more && messages.length > 0; page.messages.push(...messages)) {
      o = await this.#ask(`${url}?before=${o["before"]}`);
      ({ more, messages } = decodePage(o));
    }
    return page;
  }

  /** @returns {Promise<SlashCommand[]>} */
  async commands() {
    const list = (await this.#ask("/api/commands"))["commands"];
    const word = (/** @type {unknown} */ v) => (typeof v === "string" ? v : "");
    return Array.isArray(list)
      ? list
          .map((c) => ({ name: word(c?.name), args: word(c?.args), help: word(c?.help), by: word(c?.by) }))
          .filter((c) => c.name !== "")
      : [];
  }

  /** Returns each emoji followed by its short-codes. @returns {Promise<string[][]>} */
  async emoji() {
    const list = (await this.#ask("/api/emoji"))["emoji"];
    return Array.isArray(list)
      ? list.filter((e) => Array.isArray(e) && e.length > 1 && e.every((w) => typeof w === "string"))
      : [];
  }

  /** Returns the link to a page of this server that works for others. @param {string} to  @returns {Promise<Link>} */
  async link(to) {
    const { link, only_here, qr } = await this.#ask(`/api/link?${query({ to })}`);
    const rows = Array.isArray(qr) ? qr.filter((row) => typeof row === "string") : [];
    return { link: typeof link === "string" ? link : to, onlyHere: only_here === true, qr: rows };
  }

  /** Returns the object at a URL of the API. @param {string} url */
  read(url) {
    return this.#ask(url);
  }

  /** @param {string} url  @param {RequestInit} [init] */
  async #ask(url, init) {
    const { fetch } = this; // called without `this`, as browsers demand
    const headers = { ...init?.headers, ...(this.session && { Authorization: `Bearer ${this.session}` }) };
    const response = await fetch(url, { ...init, headers, credentials: "same-origin" }).catch(() => {
      throw new Refusal("lost", "The server does not answer.");
    });
    noteServerTime(response.headers.get("Date"));
    const body = record(await response.json().catch(() => null)) ?? {};
    if (response.ok) return body;
    throw refusal(
      {
        code: response.status === 401 ? "bad_session" : "internal",
        detail: `The server answered with ${response.status}.`,
        ...body,
      },
      "detail",
    );
  }
}

/** @param {string} room  @param {number} seq */
const message = (room, seq) => `/api/rooms/${encodeURIComponent(room)}/messages/${seq}`;

/** @param {string} room  @param {PageQuery} where */
const messages = (room, where) => `/api/rooms/${encodeURIComponent(room)}/messages?${query(where)}`;

/** @param {PageQuery | { to: string }} where */
function query(where) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(where)) if (value !== undefined) params.set(name, String(value));
  return params;
}

/** @param {Record<string, unknown>} o */
function personIn(o) {
  const p = person(o["person"]);
  if (!p) throw new Refusal("internal", "The server did not say who you are.");
  return p;
}
