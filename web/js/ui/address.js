// address.js: parses and formats the page's own addresses. No DOM.

/** @typedef {{ at: "front" } | { at: "room", name: string, seq: number | null } | { at: "nowhere" }} Address */

/** @param {{ pathname: string, hash: string }} address  @returns {Address} */
export function parseAddress({ pathname, hash }) {
  if (pathname === "/") return { at: "front" };
  const path = /^\/r\/(.*?)\/?$/s.exec(pathname)?.[1];
  if (path === undefined) return { at: "nowhere" };
  const seq = Number(hash.slice(1));
  return { at: "room", name: decoded(path), seq: Number.isSafeInteger(seq) && seq > 0 ? seq : null };
}

/** Returns the address of a room, or of a message in it. @param {string} room  @param {number} [seq] */
export const formatAddress = (room, seq) => `/r/${encodeURIComponent(room)}${seq ? `#${seq}` : ""}`;

/** Reports whether a room's name is certainly in its canonical form, so that the server need not be asked.
 * @param {string} name */
export const isPlain = (name) => /^[a-z0-9_-][a-z0-9_.-]{0,63}$/.test(name);

/** Decodes a path. If it is not valid UTF-8 the result is a sign, which the server refuses as a room's name.
 * @param {string} path */
function decoded(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return "\ufffd";
  }
}
