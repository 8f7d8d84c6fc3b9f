// arrow-keys.js: the keyboard in the log. The log is one stop of the Tab key; arrow keys walk its messages, and Tab
// reaches the buttons of the focused message. (ARIA practices: roving tabindex.)

const STEPS = /** @type {Record<string, (i: number, n: number) => number>} */ ({
  ArrowUp: (i, n) => (i < 0 ? n - 1 : Math.max(0, i - 1)),
  ArrowDown: (i, n) => (i < 0 ? n - 1 : Math.min(n - 1, i + 1)),
  Home: () => 0,
  End: (_, n) => n - 1,
});

/** @param {KeyboardEvent} e  @param {HTMLElement} log */
export function moveFocus(e, log) {
  const step = STEPS[e.key];
  const target = e.target instanceof HTMLElement ? e.target : null;
  if (!step || !target || e.altKey || e.ctrlKey || e.metaKey || e.shiftKey) return;
  if ((target !== log && !target.closest(".message")) || target.matches("pre")) return;
  // Home and End belong to the toolbar.
  if ((e.key === "Home" || e.key === "End") && target.closest("[role=toolbar]")) return;
  const messages = /** @type {HTMLElement[]} */ ([...log.querySelectorAll(".message")]);
  if (messages.length === 0) return;
  e.preventDefault();
  const current = messages.findIndex((m) => m.contains(target));
  const next = messages[step(current, messages.length)];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "nearest" });
}

/** Lets Tab reach the buttons of the focused message only.
 * @param {FocusEvent} e  @param {HTMLElement} log */
export function activateRow(e, log) {
  const message = e.target instanceof Element ? e.target.closest(".message") : null;
  if (!message || message.classList.contains("active")) return;
  for (const old of log.querySelectorAll(".message.active")) setActive(old, false);
  setActive(message, true);
}

/** @param {Element} message  @param {boolean} active */
function setActive(message, active) {
  message.classList.toggle("active", active);
  for (const button of message.querySelectorAll("[data-rove]")) button.setAttribute("tabindex", active ? "0" : "-1");
}
