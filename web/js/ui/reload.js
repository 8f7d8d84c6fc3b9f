// reload.js: loads the page again when its modules or styles did not come: the network has changed, or a server of
// another version has answered, as while several are upgraded in turn. It runs before they are loaded, so it is the one
// script that is no module: it imports nothing.

addEventListener(
  "error",
  ({ target }) => {
    const styles = target instanceof HTMLLinkElement && target.rel === "stylesheet";
    if (styles || target instanceof HTMLScriptElement) setTimeout(() => location.reload(), 2_000);
  },
  true, // capture: errors of elements do not bubble
);
