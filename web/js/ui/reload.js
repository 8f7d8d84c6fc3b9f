// reload.js: loads the page again when a module did not come: the network has changed, or a server of another version
// has answered, as while several are upgraded in turn.

const RETRY_MS = 2_000;
const again = (/** @type {Event} */ e) =>
  e.target instanceof HTMLScriptElement && setTimeout(() => location.reload(), RETRY_MS);

addEventListener("error", again, true); // capture: errors of elements do not bubble
