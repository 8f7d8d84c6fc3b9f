// json.js: readers of decoded JSON. Each returns a default when a value has another type, so that nonsense from a
// server breaks nothing. No DOM.

/** @typedef {{ id: string, name: string }} Person */

/** Returns a JSON object, or null for anything else. @param {unknown} v  @returns {Record<string, unknown> | null} */
export function record(v) {
  return typeof v === "object" && v !== null && !Array.isArray(v) ? /** @type {Record<string, unknown>} */ (v) : null;
}

/** @param {unknown} v */
export const string = (v) => (typeof v === "string" ? v : "");

/** @param {unknown} v */
export const optionalString = (v) => (typeof v === "string" ? v : undefined);

/** @param {unknown} v */
export const number = (v) => (typeof v === "number" ? v : 0);

/** @param {unknown} v */
export const optionalNumber = (v) => (typeof v === "number" ? v : undefined);

/** Returns milliseconds since 1970, or 0. @param {unknown} v an RFC 3339 time */
export const parseTime = (v) => Date.parse(string(v)) || 0;

/** @param {unknown} v  @returns {Person | undefined} */
export function person(v) {
  const o = record(v);
  return o && typeof o["id"] === "string" ? { id: o["id"], name: string(o["name"]) } : undefined;
}

/** Returns a person with empty fields if v is not one. @param {unknown} v  @returns {Person} */
export const personOrUnknown = (v) => person(v) ?? { id: "", name: "" };

/** @param {unknown} v  @returns {Person[] | undefined} */
export const people = (v) => (Array.isArray(v) ? v.map(person).filter((p) => p !== undefined) : undefined);
