import assert from "node:assert/strict";
import { test } from "node:test";
import { excerpt, isJumbo, length, safeHref, typingText } from "../../js/ui/text.js";

test("only harmless addresses may be opened", () => {
  for (const href of [
    "javascript:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///x",
    "blob:https://a.b/x",
    "/relative",
    "//a.b",
    "",
    "https://",
    "https://a.b@c.d/",
    "https://:p@c.d/",
  ])
    assert.equal(safeHref(href), "", href);
  for (const href of ["https://a.b/", "http://a.b/", "mailto:a@b.c"]) assert.equal(safeHref(href), href);
});

test("length counts what the server counts: code points", () => {
  assert.deepEqual(["", "abc", "é", "😀", "👩‍👩‍👧"].map(length), [0, 3, 1, 1, 5]);
});

test("a few emoji alone are shown large", () => {
  for (const text of ["👍", "🎉🎉", "❤️", "👩‍🚀", "🇳🇱", "👍🏽 👍"]) assert.ok(isJumbo(text), text);
  for (const text of ["", "ok 👍", "1", "#", "👍👍👍👍👍👍👍", "©"]) assert.ok(!isJumbo(text), text);
});

test("an excerpt is one line without marks", () => {
  assert.equal(excerpt("> **bold** and *it*,\n`code` ||hidden||\n```js\nlet a;\n```"), "bold and it, code ▒▒▒ let a;");
  for (const text of ["2 * 3 * 4", "snake_case", "", "<b>"]) assert.equal(excerpt(text), text, text);
  assert.ok(excerpt("*".repeat(200) + "a_".repeat(100)).length > 0);
});

test("the typing text names up to two people", () => {
  const names = ["Ada", "Grace", "Linus"];
  const said = [0, 1, 2, 3].map((n) => typingText(names.slice(0, n)).replace(/[\u2068\u2069]/g, ""));
  assert.deepEqual(said, ["", "Ada is typing…", "Ada and Grace are typing…", "Several people are typing…"]);
});
