// Directions are logical: nothing in the styles has another space at its left than at its right, but by -inline.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const css = new URL("../../css/", import.meta.url);

/** What is at the same side in every language: the edges of a device, and where a pointer is. */
const FIXED = /safe-area-inset-left|var\(--x/;

/** Returns the parts of a value, with functions whole. @param {string} value */
function parts(value) {
  let depth = 0;
  let part = "";
  /** @type {string[]} */
  const found = [];
  for (const c of `${value} `) {
    depth += Number(c === "(") - Number(c === ")");
    if (c === " " && depth === 0) {
      if (part) found.push(part);
      part = "";
    } else part += c;
  }
  return found;
}

/** Returns the declarations that say left or right. @param {string} text */
function physical(text) {
  const plain = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\s+/g, " ");
  const named = [...plain.matchAll(/(?:^|[;{] ?)((?:(?:margin|padding|border)-)?(?:left|right)(?:-[\w-]+)?): [^;}]+/g)];
  const four = [...plain.matchAll(/(?:^|[;{] ?)((?:padding|margin|inset): [^;}]+)/g)].filter(([, declaration = ""]) => {
    const [, right, , left] = parts(declaration.slice(declaration.indexOf(":") + 1).trim());
    return left !== undefined && left !== right && !FIXED.test(declaration);
  });
  return [...named, ...four].map((m) => m[0].replace(/^[;{ ]+/, ""));
}

test("the styles know no left and right", () => {
  const files = readdirSync(css).filter((file) => file.endsWith(".css"));
  const found = files.flatMap((file) => physical(readFileSync(new URL(file, css), "utf8")).map((d) => `${file}: ${d}`));
  assert.deepEqual(found, []);
});

test("left and right are found, also in values of four parts", () => {
  const table = [
    ["a { padding: 1px 2px 3px 4px; }", 1],
    ["a { padding: max(1px, 2px) 2px calc(1px - 2px) 4px }", 1],
    ["a { inset: 0 auto 0 0; }", 1],
    ["a { color: red; margin-left: 1px; }", 1],
    ["a { left: 0; }", 1],
    ["a { padding: 1px 2px 3px 2px; margin: 0 auto; padding-inline: 1px 2px; inset-inline-start: 0 }", 0],
    ["/* left: 0 */ a { text-align: start; }", 0],
  ];
  for (const [text, n] of table) assert.equal(physical(String(text)).length, n, String(text));
});
