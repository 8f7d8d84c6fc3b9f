// share-link.js: the link to a page that works for others. Whoever has opened the page as localhost on the server's own
// machine gets one with the machine's address in the local network. No DOM.
/** @import { Api } from "../wire/api.js" */

const LOOPBACK = /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\]|0\.0\.0\.0)$/;

/** Whether a host's name leads every machine to itself. @param {string} hostname */
export const isLoopback = (hostname) => LOOPBACK.test(hostname);

/** Resolves to the link to an address of this page. @param {Api} api  @param {string} address such as /r/lobby#7
 * @param {{ origin: string, hostname: string }} at where the page was opened  @returns {Promise<string>} */
export async function linkFor(api, address, { origin, hostname }) {
  const own = origin + address;
  if (!isLoopback(hostname)) return own;
  return api.link(own).then(
    ({ link }) => link,
    () => own,
  );
}
