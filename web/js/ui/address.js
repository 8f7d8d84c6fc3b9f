// address.js: what an address of the page names. No DOM.

/** @typedef {{ at: "front" } | { at: "room", name: string, seq: number | null } | { at: "nowhere" }} Address */

/** @param {{ pathname: string, hash: string }} address  @returns {Address} */
export function parseAddress({ pathname, hash }) {
  if (pathname === "/") return { at: "front" };
  const path = /^\/r\/([^/]*)\/?$/.exec(pathname)?.[1];
  if (path === undefined) return { at: "nowhere" };
  const seq = Number(hash.slice(1));
  return { at: "room", name: decoded(path), seq: Number.isSafeInteger(seq) && seq > 0 ? seq : null };
}

/** Returns the address of a room, or of a message in it. @param {string} room  @param {number} [seq] */
export const formatAddress = (room, seq) => `/r/${encodeURIComponent(room)}${seq ? `#${seq}` : ""}`;

/** Whether a name is certainly written as the server writes it, so that there is nothing to ask. @param {string} name */
export const isPlain = (name) => /^[a-z0-9_-][a-z0-9_.-]{0,63}$/.test(name);

/** What is no UTF-8 stays as it is, for the server to refuse. @param {string} path */
function decoded(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
