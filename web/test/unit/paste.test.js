import assert from "node:assert/strict";
import { test } from "node:test";
import { isFormatted, toMarkdown } from "../../js/talk/paste.js";

/** @import { Branch } from "../../js/talk/paste.js" */

/** An element.
 * @param {string} name  @param {Record<string, string> | string | Branch} [first]  @param {...(string | Branch)} rest
 * @returns {Branch} */
function h(name, first, ...rest) {
  const attributes = typeof first === "object" && !("nodeName" in first) ? first : {};
  const inside = attributes === first || first === undefined ? rest : [/** @type {string | Branch} */ (first), ...rest];
  return {
    nodeName: name,
    nodeValue: null,
    childNodes: inside.map((c) => (typeof c === "string" ? { nodeName: "#text", nodeValue: c, childNodes: [] } : c)),
    getAttribute: (n) => attributes[n] ?? null,
  };
}
const said = (/** @type {(string | Branch)[]} */ ...inside) => toMarkdown(h("BODY", ...inside));

test("words keep their emphasis, without the space beside them", () => {
  assert.equal(said(h("P", "a ", h("B", "bold "), h("I", "it"), " ", h("DEL", "gone"))), "a **bold** *it* ~~gone~~");
  assert.equal(said(h("B", { style: "font-weight:normal" }, h("P", "all of a document"))), "all of a document");
  assert.equal(said(h("H2", "Title"), h("P", "text")), "## Title\n\ntext");
});

test("code stays unchanged, however many backticks are in it", () => {
  assert.equal(said("see ", h("CODE", "a*b")), "see `a*b`");
  assert.equal(said(h("CODE", "`x`")), "`` `x` ``");
  assert.equal(
    said(h("PRE", h("CODE", { class: "hljs language-js" }, "let a = 1;\n  b(`x`);\n"))),
    "```js\nlet a = 1;\n  b(`x`);\n```",
  );
  assert.equal(said(h("PRE", "```\nx")), "````\n```\nx\n````");
});

test("lists, quotes and tables stay lists, quotes and tables", () => {
  assert.equal(
    said(h("UL", h("LI", "one"), "\n", h("LI", "two", h("OL", h("LI", "a"), h("LI", "b"))))),
    "- one\n- two\n  1. a\n  2. b",
  );
  assert.equal(said(h("BLOCKQUOTE", h("P", "one"), h("P", "two"))), "> one\n> \n> two".replace("> \n", ">\n"));
  assert.equal(
    said(h("TABLE", h("TBODY", h("TR", h("TH", "a"), h("TH", "b|c")), h("TR", h("TD", "1"))))),
    "| a | b\\|c |\n| --- | --- |\n| 1 |  |",
  );
});

test("a link becomes its text and address, if a click may open it", () => {
  assert.equal(said(h("A", { href: "https://example.org/" }, "here")), "[here](https://example.org/)");
  assert.equal(said(h("A", { href: "https://example.org/a_b" }, "https://example.org/a_b")), "https://example.org/a_b");
  assert.equal(said(h("A", { href: "https://example.org/a_(b)" }, "[x]")), "[\\[x\\]](https://example.org/a_%28b%29)");
  assert.equal(said(h("A", { href: "javascript:alert(1)" }, "here")), "here");
});

test("literal characters do not become formatting", () => {
  assert.equal(said(h("P", "2 * 3 * 4, snake_case_name, a|b, `")), "2 \\* 3 \\* 4, snake\\_case\\_name, a\\|b, \\`");
  assert.equal(said(h("P", "- no list"), h("P", "> no quote")), "\\- no list\n\n\\> no quote");
});

test("scripts, forms and invisible elements are dropped", () => {
  assert.equal(
    said(h("STYLE", "p{}"), h("SCRIPT", "run()"), h("TITLE", "t"), "text", h("svg", "x"), {
      nodeName: "#comment",
      nodeValue: "c",
      childNodes: [],
    }),
    "text",
  );
});

test("plain text is left to the browser", () => {
  assert.equal(isFormatted(h("BODY", h("P", "a"), h("SPAN", "b"))), false);
  assert.equal(isFormatted(h("BODY", h("B", { style: "font-weight: normal" }, h("P", "a")))), false);
  assert.equal(isFormatted(h("BODY", h("DIV", h("B", "a")))), true);
});

test("a large or deep paste is quick and bounded", () => {
  const began = process.cpuUsage().user;
  const wide = said(...Array.from({ length: 30_000 }, (_, i) => h("P", `paragraph ${i} with `, h("B", "bold"))));
  assert.ok(wide.length <= 100_000 && wide.startsWith("paragraph 0 with **bold**"));
  let deep = h("B", "deep");
  for (let i = 0; i < 5_000; i++) deep = h(i % 2 ? "DIV" : "BLOCKQUOTE", deep);
  assert.match(said(deep), /deep/);
  said(" \n".repeat(50_000), "*".repeat(50_000), h("B", " ".repeat(50_000)));
  assert.ok(process.cpuUsage().user - began < 5_000_000, "of processor time, not of the clock");
});
