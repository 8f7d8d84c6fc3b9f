import assert from "node:assert/strict";
import { test } from "node:test";
import { isInFence } from "../../js/talk/paste-text.js";
import { isFormatted, toMarkdown } from "../../js/talk/paste.js";

/** @import { Branch } from "../../js/talk/paste-marks.js" */

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

test("literal characters do not become formatting, and no others are escaped", () => {
  for (const [text, want] of [
    ["2 * 3 * 4, 2*3*4, snake_case_name", "2 * 3 * 4, 2*3*4, snake_case_name"],
    ["__init__, a|b, ~5 to ~6", "__init__, a|b, ~5 to ~6"],
    ["a *b* c* *d", "a \\*b\\* c\\* \\*d"],
    ["_b_ (_c_)", "\\_b\\_ (\\_c\\_)"],
    ["~~b~~ ||c|| `d`", "\\~\\~b\\~\\~ \\|\\|c\\|\\| \\`d\\`"],
    ["[a](b) [c] d", "\\[a](b) [c] d"],
    ["#1", "#1"],
    ["# one", "\\# one"],
    ["C:\\dir", "C:\\dir"],
    ["C:\\_x_ _y_", "C:\\_x_ \\_y\\_"],
    ["\\\\srv\\*b* \\n", "\\\\srv\\*b* \\n"],
    ["- no list", "\\- no list"],
    ["+1", "+1"],
    ["-5 °C", "-5 °C"],
    [">_<", ">_<"],
    ["^_^ :_(", "^_^ :_("],
    ["> no quote", "\\> no quote"],
    ["---", "\\---"],
    ["404. not found", "404. not found"],
    ["https://example.org/_a_/*b* _c_", "https://example.org/_a_/*b* \\_c\\_"],
    ["&lt; <b>", "&lt; <b>"],
  ])
    assert.equal(said(h("P", text ?? "")), want, text);
  assert.equal(said(h("P", h("B", "5"), " > 3 ", h("B", "x"), " - # y")), "**5** > 3 **x** - # y", "within a line");
  assert.equal(said(h("P", "a", h("BR"), "# b")), "a\n\\# b", "a line of its own");
  assert.equal(said(h("UL", h("LI", "- a"), h("LI", "#1"))), "- \\- a\n- #1");
});

test("bold, italic and struck are found by styles, whatever the program", () => {
  const span = (/** @type {string} */ style, /** @type {(string | Branch)[]} */ ...inside) =>
    h("SPAN", { style }, ...inside);
  for (const [what, tree, want] of /** @type {[string, Branch, string][]} */ ([
    [
      "a page in Chromium",
      h("STRONG", { style: "color: rgb(0, 0, 0); font-style: normal; font-weight: 600; orphans: 2" }, "b"),
      "**b**",
    ],
    ["italics there", h("EM", { style: "font-style: italic; font-weight: 400" }, "i"), "*i*"],
    ["plain words there", span("font-style: normal; font-weight: 400", "p"), "p"],
    [
      "Google Docs",
      h("B", { style: "font-weight:normal;" }, h("P", span("font-weight:400", "a "), span("font-weight:700", "b"))),
      "a **b**",
    ],
    ["all", span("font-weight:bold;font-style:oblique;text-decoration:underline line-through", "x"), "***~~x~~***"],
    ["struck by its line", span("text-decoration-line: line-through", "x"), "~~x~~"],
    ["a property with a longer name", h("B", { style: "mso-bidi-font-weight:normal" }, "b"), "**b**"],
    ["bold in bold", h("B", "a ", span("font-weight:700", "b")), "**a b**"],
    ["neighbours", h("P", span("font-weight:700", "a"), span("font-weight:700", "b"), "c"), "**ab**c"],
    ["italic in bold", h("P", h("B", "a ", h("I", "b"))), "**a *b***"],
    ["a bold paragraph", h("P", { style: "font-weight:700" }, "a ", h("I", "b")), "**a** ***b***"],
    ["a bold list item", h("UL", h("LI", { style: "font-weight:700" }, "a")), "- **a**"],
    ["a heading", h("H2", { style: "font-weight:700" }, span("font-weight:700", "T")), "## T"],
    ["nothing but space", h("P", "a", h("B", " "), "b"), "a b"],
  ])) {
    assert.equal(said(tree), want, what);
    assert.equal(isFormatted(tree), what !== "plain words there", what);
  }
});

test("Word's lists are lists", () => {
  const item = (/** @type {number} */ level, /** @type {string} */ sign, /** @type {(string | Branch)[]} */ ...words) =>
    h(
      "P",
      { class: "MsoListParagraph", style: `margin-left:.5in;mso-list:l0 level${level} lfo1` },
      h("SPAN", { style: "mso-list:Ignore" }, sign, h("SPAN", { style: "font:7.0pt Times" }, "\u00a0\u00a0")),
      ...words,
    );
  assert.equal(
    said(h("P", "Bring"), item(1, "·", "tea"), "\n", item(2, "o", h("B", "hot")), item(1, "·", "cups"), h("P", "Bye")),
    "Bring\n\n- tea\n    - **hot**\n- cups\n\nBye",
  );
  assert.equal(said(item(1, "3.", "three"), item(1, "4)", "four")), "3. three\n4. four");
  assert.equal(isFormatted(item(1, "·", "tea")), true);
});

test("a table with one column stays a table, unless it only places something on a page", () => {
  const cell = (/** @type {(string | Branch)[]} */ ...inside) => h("TR", h("TD", ...inside));
  assert.equal(said(h("TABLE", cell("a"), cell("b"))), "| a |\n| --- |\n| b |");
  assert.equal(said(h("TABLE", cell("a|b"), cell(h("CODE", "c|d")))), "| a\\|b |\n| --- |\n| `c\\|d` |");
  assert.equal(said(h("TABLE", cell("all of a letter"))), "all of a letter");
  assert.equal(said(h("TABLE", cell(h("P", "a"), h("P", "b")), cell("c"))), "a\n\nb\n\nc");
  assert.equal(said(h("TABLE", cell(h("UL", h("LI", "a"))), cell("b"))), "- a\n\nb");
});

test("tasks, and spoilers and links of messages, are what they were", () => {
  const box = (/** @type {Record<string, string>} */ more) => h("INPUT", { type: "checkbox", ...more });
  assert.equal(said(h("UL", h("LI", box({ checked: "" }), " a"), h("LI", box({}), "b"))), "- [x] a\n- [ ] b");
  assert.equal(said(h("P", "who: ", h("SPAN", { class: "spoiler shown" }, h("BUTTON"), "me"))), "who: ||me||");
  assert.equal(
    said(h("A", { href: "https://example.org/" }, "here"), h("SPAN", { class: "host" }, "example.org")),
    "[here](https://example.org/)",
  );
});

test("an open fence is found: in it, nothing is formatting", () => {
  for (const [text, open] of /** @type {[string, boolean][]} */ ([
    ["```\n", true],
    ["```js\nlet a", true],
    ["a\n~~~~\n~~~", true],
    ["```\na\n```\n", false],
    ["```\na\n``` js", true],
    ["``` a`b\n", false],
    ["    ```\n", false],
    ["`code", false],
    ["", false],
  ]))
    assert.equal(isInFence(text), open, JSON.stringify(text));
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
