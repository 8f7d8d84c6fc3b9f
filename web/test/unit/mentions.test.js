import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { cutMentions, mayBeginMention, mayBeginShortCode } from "../../js/room/mentions.js";

/** The table that the server's tests read too.
 * @type {{ people: string[], cases: { text: string, here?: boolean, mentions: string[] }[],
 *   beginnings: { before: string, name: boolean, code: boolean }[] }} */
const TABLE = JSON.parse(
  readFileSync(new URL("../../../internal/chat/testdata/mentions.json", import.meta.url), "utf8"),
);
const PEOPLE = TABLE.people.map((name) => ({ id: name, name }));

test("the page finds the mentions that the server finds", () => {
  assert.ok(TABLE.cases.length > 0);
  for (const { text, here = false, mentions } of TABLE.cases) {
    const pieces = cutMentions(text, PEOPLE, here);
    assert.deepEqual(
      pieces.filter((p) => p.names).map((p) => p.text),
      mentions,
      text,
    );
    assert.equal(pieces.map((p) => p.text).join(""), text);
  }
});

test("a mention says whom it names", () => {
  const named = (/** @type {string} */ text) =>
    cutMentions(text, PEOPLE, true)
      .filter((p) => p.names)
      .map((p) => p.names);
  assert.deepEqual(named("@ada lovelace @strasse @here @ΑDA"), ["Ada Lovelace", "Straße", "here"]);
  assert.deepEqual(cutMentions("@Ada", [], false), [{ text: "@Ada" }]);
  assert.deepEqual(cutMentions("", PEOPLE, true), [{ text: "" }]);
});

test("a mention or a short-code begins where no word of a script with spaces ends", () => {
  assert.ok(TABLE.beginnings.length > 0);
  for (const { before, name, code } of TABLE.beginnings) {
    assert.equal(mayBeginMention(before), name, `a mention after “${before}”`);
    assert.equal(mayBeginShortCode(before), code, `a short-code after “${before}”`);
  }
});
