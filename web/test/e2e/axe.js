// axe.js: what an automatic judge of accessibility (axe-core) says about the page as it is.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** @import { Page } from "playwright-core" */

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

/** @typedef {{ id: string, nodes: { html: string, failureSummary: string }[] }} Finding */
/** @typedef {{ run: (options: object) => Promise<Record<"violations" | "passes", Finding[]>> }} Axe */

/** @param {Page} page  @param {string} where */
export async function assertAccessible(page, where) {
  await page.evaluate(AXE); // by the debugger, which the page's policy does not bind
  const violations = await page.evaluate(async () => {
    const { axe } = /** @type {{ axe: Axe }} */ (/** @type {unknown} */ (globalThis));
    const result = await axe.run({ resultTypes: ["violations"] });
    return result.violations.map(
      (v) =>
        `${v.id}: ${v.nodes
          .map((n) => `${n.html.slice(0, 120)} ${n.failureSummary}`)
          .slice(0, 3)
          .join(" | ")}`,
    );
  });
  assert.deepEqual(violations, [], where);
  assert.deepEqual(await page.evaluate(unreachable), [], `${where}: what a wheel can scroll, keys can too`);
}

/** Returns what may scroll and cannot get the focus, neither itself nor by what is in it: nobody could scroll it with the
 * keyboard. It asks for the style alone, not for how much is in it now: that depends on the fonts. In a menu or a list of
 * options the arrow keys walk from item to item. */
function unreachable() {
  const scrolls = (/** @type {Element} */ e) =>
    [getComputedStyle(e).overflowX, getComputedStyle(e).overflowY].some((o) => o === "auto" || o === "scroll");
  const walked = "[role=menu], [role=listbox], [role=grid]";
  const reached = (/** @type {Element} */ e) =>
    e instanceof HTMLElement &&
    e.tabIndex >= 0 &&
    !e.matches(":disabled") &&
    e.checkVisibility({ visibilityProperty: true });
  return [...document.querySelectorAll("#app *, dialog[open], dialog[open] *, [popover]:popover-open *")]
    .filter(
      (e) =>
        scrolls(e) && e.checkVisibility() && e.childNodes.length > 0 && !e.closest("[inert]") && !e.matches(walked),
    )
    .filter((e) => !reached(e) && ![...e.querySelectorAll("*")].some(reached))
    .map((e) => `${e.tagName.toLowerCase()}.${e.className}`);
}
