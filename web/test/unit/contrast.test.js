// The contrast of text on every surface that it may stand on, computed from the tokens (WCAG 2.2: 4.5 to 1; 7 to 1 in
// the high-contrast theme).
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const css = new URL("../../css/", import.meta.url);
const read = (/** @type {string} */ file) => readFileSync(new URL(file, css), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
const TOKENS = "tokens.css"; // has the raw colours

/** Returns the declarations of the first rule with this selector.
 * @param {string} selector  @returns {Record<string, string>} */
function rule(selector) {
  const text = read(TOKENS);
  const start = text.indexOf(`${selector} {`);
  assert.notEqual(start, -1, selector);
  const body = text.slice(start, text.indexOf("}", start));
  const declarations = [...body.matchAll(/(--[\w-]+):\s*([^;]+);/g)];
  return Object.fromEntries(declarations.map((m) => [m[1] ?? "", (m[2] ?? "").trim()]));
}

const usual = rule(":root");
const contrast = { ...usual, ...rule(':root[data-contrast="more"]') };

/** Red, green and blue from 0 to 1 as a screen has them (sRGB), and how opaque it is.
 * @typedef {[number, number, number, number]} Colour */

/** Returns a colour in one scheme.
 * @param {Record<string, string>} theme  @param {string} value  @param {"light" | "dark"} scheme  @returns {Colour} */
function resolve(theme, value, scheme) {
  const variable = /^var\((--[\w-]+)\)$/.exec(value)?.[1];
  if (variable) return resolve(theme, theme[variable] ?? "", scheme);
  const both = /^light-dark\((.+\)|var\(.+?\)),\s*(.+)\)$/.exec(value);
  if (both) return resolve(theme, (scheme === "light" ? both[1] : both[2]) ?? "", scheme);
  const veil = /^color-mix\(in oklab, (\S+) (\d+)%, transparent\)$/.exec(value);
  if (veil) {
    const [r, g, b] = resolve(theme, veil[1] ?? "", scheme);
    return [r, g, b, Number(veil[2]) / 100];
  }
  const lch = /^oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)$/.exec(value);
  assert.ok(lch, `no colour: ${value}`);
  return [...screen(Number(lch[1]), Number(lch[2]), Number(lch[3])), 1];
}

/** Returns what a screen shows of an oklch colour (https://bottosson.github.io/posts/oklab/).
 * @param {number} l  @param {number} c  @param {number} h  @returns {[number, number, number]} */
function screen(l, c, h) {
  const [a, b] = [c * Math.cos((h * Math.PI) / 180), c * Math.sin((h * Math.PI) / 180)];
  const x = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const y = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const z = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const encode = (/** @type {number} */ v) => {
    const linear = Math.min(1, Math.max(0, v));
    return linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
  };
  return [
    encode(4.0767416621 * x - 3.3077115913 * y + 0.2309699292 * z),
    encode(-1.2684380046 * x + 2.6097574011 * y - 0.3413193965 * z),
    encode(-0.0041960863 * x - 0.7034186147 * y + 1.707614701 * z),
  ];
}

/** Returns a colour as it looks over another. @param {Colour} upper  @param {Colour} lower  @returns {Colour} */
function over(upper, lower) {
  const mix = (/** @type {0 | 1 | 2} */ i) => upper[i] * upper[3] + lower[i] * (1 - upper[3]);
  return [mix(0), mix(1), mix(2), 1];
}

/** Returns the relative luminance as WCAG 2.2 defines it. @param {Colour} colour */
function luminance(colour) {
  const linear = (/** @type {number} */ v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2]);
}

/** @param {Record<string, string>} theme  @param {string} text
 * @param {string} surface  one, or two with a blank between them: the first lies on the second
 * @param {"light" | "dark"} scheme */
function ratio(theme, text, surface, scheme) {
  const ground = surface
    .split(" ")
    .map((role) => resolve(theme, `var(${role})`, scheme))
    .reduceRight((lower, upper) => over(upper, lower));
  const [low = 0, high = 0] = [luminance(resolve(theme, `var(${text})`, scheme)), luminance(ground)].sort(
    (m, n) => m - n,
  );
  return (high + 0.05) / (low + 0.05);
}

const OPAQUE = ["--surface", "--surface-desk", "--surface-card", "--surface-raised", "--surface-sunken"];
const SURFACES = [
  ...OPAQUE,
  "--surface-mark",
  "--accent-soft",
  ...OPAQUE.flatMap((below) => [`--surface-row ${below}`, `--surface-press ${below}`]),
];
/** Which text may stand on which surface. @type {[string, string[]][]} */
const PAIRS = [
  ["--text", [...SURFACES, "--surface-hit"]],
  ["--text-soft", SURFACES],
  ["--accent", [...OPAQUE, "--surface-mark", "--accent-soft", ...OPAQUE.map((below) => `--surface-row ${below}`)]],
  ["--accent-strong", [...OPAQUE, "--surface-mark", "--accent-soft"]],
  ["--danger", [...OPAQUE, "--surface-mark", ...OPAQUE.map((below) => `--surface-row ${below}`)]],
  ["--on-accent", ["--accent", "--accent-strong"]],
  ["--on-calling", ["--calling"]],
  ["--surface", ["--text"]], // the toast
  ...Array.from(
    { length: 12 },
    (_, i) => /** @type {[string, string[]]} */ ([`--face-${i + 1}-on`, [`--face-${i + 1}`]]),
  ),
  ...Object.keys(usual)
    .filter((name) => name.startsWith("--code-"))
    .map((name) => /** @type {[string, string[]]} */ ([name, ["--surface-sunken"]])),
];

for (const [name, theme, least] of /** @type {[string, Record<string, string>, number][]} */ ([
  ["usual", usual, 4.5],
  ["high contrast", contrast, 7],
])) {
  for (const scheme of /** @type {const} */ (["light", "dark"])) {
    test(`text can be read on every surface: ${name}, ${scheme}`, () => {
      const low = PAIRS.flatMap(([text, surfaces]) =>
        surfaces.map((surface) => ({ text, surface, ratio: ratio(theme, text, surface, scheme) })),
      ).filter((p) => p.ratio < least);
      assert.deepEqual(
        low.map((p) => `${p.text} on ${p.surface}: ${p.ratio.toFixed(2)}`),
        [],
      );
    });
  }
}

test("fields and the focus ring have a contrast of 3 to 1", () => {
  for (const scheme of /** @type {const} */ (["light", "dark"])) {
    for (const surface of ["--surface", "--surface-raised"]) {
      assert.ok(ratio(usual, "--border-field", surface, scheme) >= 3, `border of a field on ${surface}, ${scheme}`);
      assert.ok(ratio(usual, "--accent", surface, scheme) >= 3, `focus on ${surface}, ${scheme}`);
    }
  }
});

test("the measure is right: black on white is 21 to 1, a known grey 4.54", () => {
  const theme = { "--white": "oklch(1 0 0)", "--black": "oklch(0 0 0)", "--grey": "oklch(0.5657 0 0)" }; // #767676
  assert.ok(Math.abs(ratio(theme, "--black", "--white", "light") - 21) < 0.05);
  assert.ok(Math.abs(ratio(theme, "--grey", "--white", "light") - 4.54) < 0.05);
});

const PHYSICAL = new RegExp(
  String.raw`[\s;{](?:(?:margin|padding|border|inset)-(?:left|right|top|bottom)|left|right|top|bottom|` +
    String.raw`(?:min-|max-)?(?:width|height))\s*:`,
  "g",
);

test("the CSS has logical directions only, and takes its colours from the roles", () => {
  for (const file of readdirSync(css)) {
    const text = read(file);
    const physical = text.match(PHYSICAL) ?? [];
    assert.deepEqual(
      physical.filter((p) => !/(min|max)-(width|height)/.test(p) || !text.includes(`(${p.trim()}`)),
      [],
      file,
    );
    if (file !== TOKENS && file !== "base.css")
      assert.doesNotMatch(text, /oklch\(|#[0-9a-f]{3,8}\b|rgb\(/i, file);
  }
});
