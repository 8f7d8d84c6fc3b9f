// What the modules of the page may do: which may import which, and which may touch the DOM.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

/** The folders below js/. A module imports from its own folder and from those before it. */
const ORDER = ["lang", "wire", "ui", "room", "list", "find", "talk", "shell", "main.js", "service-worker.js"];

const js = new URL("../../js/", import.meta.url);

/** Every module's source, by its path below js/. */
const modules = new Map(
  readdirSync(js, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".js"))
    .map((name) => [name, readFileSync(new URL(name, js), "utf8")]),
);

/** Returns what a module imports: by `import`, `import()` and, of types alone, in comments.
 * @param {string} name  @param {string} code */
function importsOf(name, code) {
  const specifiers = [...code.matchAll(/(?:\bfrom |\bimport |\bimport\()["`](\.[^"`]+)["`]/g)].map((m) => m[1] ?? "");
  return specifiers.map((s) => path.posix.join(path.posix.dirname(name), s));
}

/** Returns an import that leads from a folder to a later one, and a circle of modules, for each that there is.
 * @param {ReadonlyMap<string, string>} all */
function faults(all) {
  const rank = (/** @type {string} */ name) => ORDER.indexOf(name.split("/")[0] ?? "");
  const graph = new Map([...all].map(([name, code]) => [name, importsOf(name, code)]));
  const found = [...all.keys()].filter((name) => rank(name) < 0).map((name) => `${name} is in no folder of the order`);
  for (const [from, targets] of graph) {
    for (const to of targets) {
      if (!all.has(to)) found.push(`${from} imports ${to}, which does not exist`);
      else if (rank(to) > rank(from)) found.push(`${from} imports ${to}, which is in a later folder`);
    }
  }
  /** @type {Map<string, "open" | "done">} */
  const state = new Map();
  const visit = (/** @type {string} */ name, /** @type {readonly string[]} */ way) => {
    if (state.get(name) === "done") return;
    if (state.get(name) === "open")
      return void found.push(`a circle: ${[...way.slice(way.indexOf(name)), name].join(" → ")}`);
    state.set(name, "open");
    for (const to of graph.get(name) ?? []) visit(to, [...way, name]);
    state.set(name, "done");
  };
  for (const name of graph.keys()) visit(name, []);
  return found;
}

const withoutComments = (/** @type {string} */ code) => code.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");

/** Whether a module says in its first comment that it needs no DOM. @param {string} code */
const isPure = (code) => /No DOM/.test(code.slice(0, code.search(/^(?!\/\/)/m)).replace(/\n\/\/ /g, " "));

test("modules import from their own folder and from earlier ones, and never in a circle", () => {
  assert.deepEqual(faults(modules), []);
});

test("an import of a later folder and a circle of types are found", () => {
  const all = new Map([
    ["wire/a.js", 'import { t } from "../ui/b.js";'],
    ["ui/b.js", '/** @import { C } from "./c.js" */'],
    ["ui/c.js", 'const late = () => import("./b.js");'],
    ["view/d.js", 'import "./e.js";'],
  ]);
  assert.deepEqual(faults(all), [
    "view/d.js is in no folder of the order",
    "wire/a.js imports ui/b.js, which is in a later folder",
    "view/d.js imports view/e.js, which does not exist",
    "a circle: ui/b.js → ui/c.js → ui/b.js",
  ]);
});

test("a module that needs no DOM touches none and imports none that does", () => {
  const pure = [...modules].filter(([name, code]) => isPure(code) || name.startsWith("lang/"));
  const names = new Set(pure.map(([name]) => name));
  for (const [name, code] of pure) {
    const bare = withoutComments(code);
    assert.doesNotMatch(bare, /\b(?:document|window|HTMLElement|customElements|location)\b/, name);
    for (const to of importsOf(name, bare)) assert.ok(names.has(to), `${name} needs no DOM, and imports ${to}`);
  }
  for (const name of modules.keys())
    if (name.startsWith("wire/")) assert.ok(names.has(name), `${name} does not say that it needs no DOM`);
});

test("only one module makes markup of a string", () => {
  const making = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|setHTML|parseFromString/;
  const found = [...modules].filter(([, code]) => making.test(withoutComments(code))).map(([name]) => name);
  assert.deepEqual(found, ["room/safe-html.js"]);
});

test("what lies above the page is shown by overlay.js, so that Back closes it", () => {
  const shows = /\.(?:showModal|showPopover|pushState|replaceState)\(/;
  const found = [...modules].filter(([, code]) => shows.test(withoutComments(code))).map(([name]) => name);
  // The dialogs of an ended session and of a refused name stay; before somebody has entered there is nothing to close.
  assert.deepEqual(found.sort(), [
    "shell/front-page.js",
    "shell/name-dialog.js",
    "shell/signed-out.js",
    "ui/layers.js",
    "ui/overlay.js",
  ]);
});

test("one module alone looks for keys of input methods, and nothing hears a key before it", () => {
  for (const [name, code] of modules) {
    const bare = withoutComments(code);
    if (name !== "ui/input-method.js") assert.doesNotMatch(bare, /isComposing|keyCode/, name);
    assert.doesNotMatch(bare, /(?:window\.|[^.\w])addEventListener\(\s*"key/, `${name} listens on the window`);
  }
  assert.match(modules.get("main.js") ?? "", /^keepFromPage\(window\);$/m);
});
