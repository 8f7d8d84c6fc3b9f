// axe.js: what an automatic judge of accessibility (axe-core) says about the page as it is.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** @import { Page } from "playwright-core" */

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

/** @typedef {{ id: string, nodes: { html: string, failureSummary: string }[] }} Finding */
/** @typedef {{ run: (options: object) => Promise<Record<"violations" | "passes", Finding[]>> }} Axe */

/** @param {Page} page  @param {string} where
 * @param {"all" | "colours"} [rules]  colours: for a page of which the rest is judged in another theme */
export async function assertAccessible(page, where, rules = "all") {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(AXE); // not bound by the page's policy
  const violations = await page.evaluate(async (only) => {
    const { axe } = /** @type {{ axe: Axe }} */ (/** @type {unknown} */ (globalThis));
    const colours = ["color-contrast", "link-in-text-block"];
    const result = await axe.run({ resultTypes: ["violations"], ...(only === "colours" && { runOnly: colours }) });
    const about = (/** @type {Finding["nodes"]} */ nodes) =>
      nodes.map((n) => `${n.html.slice(0, 120)} ${n.failureSummary}`).slice(0, 3);
    return result.violations.map((v) => `${v.id}: ${about(v.nodes).join(" | ")}`);
  }, rules);
  assert.deepEqual(violations, [], where);
  if (rules === "all") {
    assert.deepEqual(await page.evaluate(unreachable), [], `${where}: what a wheel can scroll, keys can too`);
  }
}

/** Returns the elements that scroll but that the keyboard cannot scroll: neither they nor anything in them takes the
 * focus. It looks at the style alone and not at how much is in them now, which depends on the fonts. In a menu or a
 * list of options the arrow keys move the focus from item to item. */
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
