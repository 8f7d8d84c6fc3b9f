// api.js: the server over HTTP: who one is, what a room is, its history.
/** @import { Page, Person } from "./protocol.js" */
import { t } from "./i18n.js";
import { Refusal, decodePage, person, record, refusal } from "./protocol.js";

/** @typedef {{ room: string, seq: number, count: number }} RoomSummary */

export class Api {
  /** @param {typeof globalThis.fetch} fetch */
  constructor(fetch) {
    this.fetch = fetch;
  }

  /** Returns who the cookie says one is, or null for nobody. @returns {Promise<Person | null>} */
  async whoAmI() {
    try {
      return personIn(await this.#ask("/api/session"));
    } catch (err) {
      if (err instanceof Refusal && err.code === "bad_session") return null;
      throw err;
    }
  }

  /** Makes one a guest with this name, or renames the guest that one is already.
   * @param {string} name  @returns {Promise<Person>} */
  async callMe(name) {
    const headers = { "Content-Type": "application/json" };
    return personIn(await this.#ask("/api/session", { method: "POST", headers, body: JSON.stringify({ name }) }));
  }

  /** @param {string} room  @returns {Promise<RoomSummary>} */
  async room(room) {
    if (/^\.*$/.test(room)) throw new Refusal("bad_room", t("error.dots")); // a URL cannot hold these
    const o = await this.#ask(`/api/rooms/${encodeURIComponent(room)}`);
    return { room: String(o["room"]), seq: Number(o["seq"]), count: Number(o["count"]) };
  }

  /** @param {string} room  @param {{ before?: number, after?: number, limit?: number }} page  @returns {Promise<Page>} */
  async messages(room, page) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(page)) if (value !== undefined) query.set(name, String(value));
    return decodePage(await this.#ask(`/api/rooms/${encodeURIComponent(room)}/messages?${query}`));
  }

  /** Reads an object from an address of the API. @param {string} url */
  read(url) {
    return this.#ask(url);
  }

  /** @param {string} url  @param {RequestInit} [init] */
  async #ask(url, init) {
    const { fetch } = this; // called without `this`, as browsers demand
    const response = await fetch(url, { ...init, credentials: "same-origin" }).catch(() => {
      throw new Refusal("lost", t("error.silent"));
    });
    const body = record(await response.json().catch(() => null)) ?? {};
    if (response.ok) return body;
    throw refusal({ code: response.status === 401 ? "bad_session" : "internal", detail: t("error.status", { status: String(response.status) }), ...body }, "detail");
  }
}

/** @param {Record<string, unknown>} o */
function personIn(o) {
  const p = person(o["person"]);
  if (!p) throw new Refusal("internal", t("error.nobody"));
  return p;
}
