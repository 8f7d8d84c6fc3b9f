import assert from "node:assert/strict";
import { test } from "node:test";
import { excerpt, hideBars, isJumbo, length, safeHref, typingText } from "../../js/ui/text.js";

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

test("an excerpt of a topic has no marks, and spoils nothing", () => {
  const cases = {
    "**bold**, *it*, _it_ and ~~gone~~": "bold, it, it and gone",
    "`a||b||c` and ||hidden||": "a||b||c and ▒▒▒",
    "犯人は||執事||です": "犯人は▒▒▒です",
    "これは**「重要」**です": "これは「重要」です",
    "[**the** map](https://example.org/map)": "the map",
    "***a*** (**b**)": "a (b)",
    "||**a**|| `*b*`": "▒▒▒ *b*",
  };
  for (const [text, want] of Object.entries(cases)) assert.equal(excerpt(text), want, text);
  for (const text of ["2 * 3 * 4", "2*3*4", "snake_case", "__init__", "", "<b>", "*_* ^_^", "a || b", "[a](b)"])
    assert.equal(excerpt(text), text, text);
  assert.ok(excerpt("*".repeat(200) + "a_".repeat(100)).length > 0);
});

test("bars hide what is between them", () => {
  assert.equal(hideBars("a ||b\n\nc|| d || e || ||||"), "a ▒▒▒ d || e || ||||");
});

test("the typing text names up to two people", () => {
  const names = ["Ada", "Grace", "Linus"];
  const said = [0, 1, 2, 3].map((n) => typingText(names.slice(0, n)).replace(/[\u2068\u2069]/g, ""));
  assert.deepEqual(said, ["", "Ada is typing…", "Ada and Grace are typing…", "Several people are typing…"]);
});
