// requests.js: counts what a page asks for.

/** @import { Page } from "playwright-core" */

/** Counts what a page asks for from now on, WebSockets included, and the bytes that come. @param {Page} page */
export async function counting(page) {
  /** @type {Map<string, { url: string, bytes: number }>} */
  const requests = new Map();
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Network.enable");
  cdp.on("Network.requestWillBeSent", ({ requestId: id, request: { url } }) => requests.set(id, { url, bytes: 0 }));
  cdp.on("Network.webSocketCreated", ({ requestId: id, url }) => requests.set(id, { url, bytes: 0 }));
  cdp.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    const request = requests.get(requestId);
    if (request) request.bytes = encodedDataLength;
  });
  return requests;
}
