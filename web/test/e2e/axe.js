// axe.js: what an automatic judge of accessibility (axe-core) says about the page as it is.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** @import { Page } from "playwright-core" */

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

/** @param {Page} page  @param {string} where */
export async function assertAccessible(page, where) {
  await page.evaluate(AXE); // by the debugger, which the page's policy does not bind
  const violations = await page.evaluate(async () => {
    const { axe } = /** @type {{ axe: { run: (options: object) => Promise<{ violations: { id: string, nodes: { html: string, failureSummary: string }[] }[] }> } }} */ (/** @type {unknown} */ (globalThis));
    const result = await axe.run({ resultTypes: ["violations"] });
    return result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.html.slice(0, 120)} ${n.failureSummary}`).slice(0, 3).join(" | ")}`);
  });
  assert.deepEqual(violations, [], where);
}
