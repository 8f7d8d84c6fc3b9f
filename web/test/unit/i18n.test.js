// The catalogues are complete, and match the page.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { afterEach, test } from "node:test";
import {
  LANGUAGES,
  bestLanguage,
  direction,
  language,
  list,
  number,
  pieces,
  reason,
  speak,
  t,
} from "../../js/ui/i18n.js";
import de from "../../js/lang/de.js";
import en from "../../js/lang/en.js";
import pseudo from "../../js/lang/xx-pseudo.js";
import { Refusal } from "../../js/wire/protocol.js";
import { timeOfDay } from "../../js/ui/time.js";

const web = new URL("../../", import.meta.url);
const catalogues = /** @type {Record<string, Record<string, string | Record<string, string>>>} */ ({
  de,
  "xx-pseudo": pseudo,
});
const forms = (/** @type {string | Record<string, string> | undefined} */ entry) =>
  typeof entry === "string" ? [entry] : Object.values(entry ?? {});
const places = (/** @type {string} */ sentence) => [...new Set(sentence.match(/\{\w+\}/g))].sort().join(" ");

/** Returns the sources of the page without the catalogues. */
function sources() {
  const js = readdirSync(new URL("js/", web), { recursive: true, encoding: "utf8" }).filter(
    (f) => f.endsWith(".js") && !f.startsWith("lang/"),
  );
  return [
    readFileSync(new URL("index.html", web), "utf8"),
    ...js.map((f) => readFileSync(new URL(`js/${f}`, web), "utf8")),
  ];
}

afterEach(() => speak("en", "en-GB", en));

test("each language has every sentence, with the same placeholders", () => {
  assert.deepEqual(
    readdirSync(new URL("js/lang/", web)).sort(),
    [...Object.keys(LANGUAGES), "xx-pseudo"].map((tag) => `${tag}.js`).sort(),
  );
  for (const [tag, catalogue] of Object.entries(catalogues)) {
    assert.deepEqual(Object.keys(catalogue).sort(), Object.keys(en).sort(), tag);
    for (const [key, entry] of Object.entries(en)) {
      for (const sentence of forms(catalogue[key])) {
        assert.equal(places(sentence), places(forms(entry)[0] ?? ""), `${tag}: ${key}`);
        assert.ok(sentence.trim(), `${tag}: ${key} is empty`);
      }
    }
  }
});

test("each language has the plurals that it needs, where there is something to count", () => {
  for (const [tag, catalogue] of Object.entries({ en, de })) {
    const needed = new Intl.PluralRules(tag).resolvedOptions().pluralCategories.slice().sort();
    for (const [key, entry] of Object.entries(catalogue))
      if (typeof entry !== "string") assert.deepEqual(Object.keys(entry).sort(), needed, `${tag}: ${key}`);
  }
});

test("each sentence of the catalogue is used, and each key that is used exists", () => {
  const code = sources();
  const said = new Set(
    code.flatMap((c) =>
      [...c.matchAll(/data-t(?:-\w+)?="([^"]*)"/g), ...c.matchAll(/\bt\("([^"]+)"/g)].map((m) => m[1] ?? ""),
    ),
  );
  assert.deepEqual(
    [...said].filter((key) => !(key in en)),
    [],
  );
  const all = code.join("\n");
  assert.deepEqual(
    Object.keys(en).filter((key) => !all.includes(`"${key}"`)),
    [],
  );
});

test("markup has no text outside the catalogue", () => {
  const html = readFileSync(new URL("index.html", web), "utf8");
  const templates = [...html.matchAll(/<template[^>]*>([\s\S]*?)<\/template>/g)].map((m) => m[1] ?? "").join("\n");
  const words = templates
    .replace(/<[^>]*>/g, " ")
    .replaceAll("Parley", "")
    .trim();
  assert.equal(words, "");
  assert.doesNotMatch(templates, /\s(aria-label|title|placeholder)="/);
});

test("a sentence takes its values, its plural form and the digits of the language", () => {
  assert.equal(t("people.here", { n: 1 }), "1 person here");
  assert.equal(t("people.here", { n: 1200 }), "1,200 people here");
  assert.deepEqual(pieces("join.welcome", { room: 7 }), ["Welcome to ", 7, ""]);
  speak("de", "de-DE", de);
  assert.equal(t("people.here", { n: 1200 }), "1.200 Personen hier");
  assert.deepEqual(
    [number(1.5), list(["Ada", "Grace"]), language(), direction()],
    ["1,5", "Ada und Grace", "de", "ltr"],
  );
  assert.equal(timeOfDay(new Date(2026, 1, 1, 21, 5).getTime()), "21:05");
  speak("xx-pseudo", "xx-pseudo", pseudo);
  assert.deepEqual([t("share"), direction()], ["[Šhårê~~]", "rtl"]);
});

test("the language is the chosen one, else the first of the browser's that is available, with its region", () => {
  assert.deepEqual(bestLanguage("", ["fr-FR", "de-AT", "en"]), ["de", "de-AT"]);
  assert.deepEqual(bestLanguage("", ["fr"]), ["en", "en-GB"]);
  assert.deepEqual(bestLanguage("de", ["en-US"]), ["de", "de"]);
  assert.deepEqual(bestLanguage("en", ["de", "en-US"]), ["en", "en-US"]);
  assert.deepEqual(bestLanguage("constructor", ["en-US"]), ["en", "en-US"]);
  assert.deepEqual(bestLanguage("xx-pseudo", ["en-US"]), ["xx-pseudo", "xx-pseudo"]);
});

test("a refusal is shown in the server's words in English, else by its code", () => {
  const refused = new Refusal("bad_name", "A name has at most 32 characters, not 40.");
  assert.equal(reason(refused), refused.message);
  assert.equal(reason(new TypeError("x is undefined")), en["refused.other"]);
  speak("de", "de", de);
  assert.equal(reason(refused), de["refused.bad_name"]);
  assert.equal(reason(new Refusal("search_unavailable", "The search took too long.")), de["search.unavailable"]);
  assert.equal(reason(new Refusal("internal", "Our fault.")), de["refused.other"]);
  assert.equal(reason(new Refusal("lost", "The connection was lost.")), de["error.silent"]);
});
