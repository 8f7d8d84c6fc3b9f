// What the modules of the page may do: who may import whom, and who may touch the DOM.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const js = new URL("../../js/", import.meta.url);

/** Every module by its path below js/. */
const modules = new Map(readdirSync(js, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".js"))
  .map((name) => [name, readFileSync(new URL(name, js), "utf8")]));

const withoutComments = (/** @type {string} */ code) => code.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");

/** Whether a module says in its first comment that it needs no DOM. @param {string} code */
const isPure = (code) => /No DOM/.test(code.slice(0, code.search(/^(?!\/\/)/m)));

test("a module that says so touches no DOM", () => {
  const pure = [...modules].filter(([, code]) => isPure(code));
  assert.ok(pure.length > 15, `${pure.length} modules`);
  for (const [name, code] of pure) assert.doesNotMatch(withoutComments(code), /\b(?:document|window|HTMLElement)\b/, name);
});

test("only one module makes markup of a string", () => {
  const making = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|setHTML|parseFromString/;
  const found = [...modules].filter(([, code]) => making.test(withoutComments(code))).map(([name]) => name);
  assert.deepEqual(found, ["room/safe-html.js"]);
});
