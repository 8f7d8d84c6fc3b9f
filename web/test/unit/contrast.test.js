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

/** @typedef {[number, number, number]} Lch */

/** Returns lightness, chroma and hue of a colour in one scheme.
 * @param {Record<string, string>} theme  @param {string} value  @param {"light" | "dark"} scheme  @returns {Lch} */
function resolve(theme, value, scheme) {
  const variable = /^var\((--[\w-]+)\)$/.exec(value)?.[1];
  if (variable) return resolve(theme, theme[variable] ?? "", scheme);
  const both = /^light-dark\((.+\)|var\(.+?\)),\s*(.+)\)$/.exec(value);
  if (both) return resolve(theme, (scheme === "light" ? both[1] : both[2]) ?? "", scheme);
  const mix = /^color-mix\(in oklch, (\S+) (\d+)%, (\S+)\)$/.exec(value);
  if (mix) {
    const [one, two] = [
      resolve(theme, mix[1] ?? "", scheme),
      mix[3] === "transparent" ? resolve(theme, "var(--paper)", scheme) : resolve(theme, mix[3] ?? "", scheme),
    ];
    const part = Number(mix[2]) / 100;
    return [one[0] * part + two[0] * (1 - part), one[1] * part + two[1] * (1 - part), part > 0.5 ? one[2] : two[2]];
  }
  const lch = /^oklch\(([\d.]+) ([\d.]+) ([\d.]+)/.exec(value);
  assert.ok(lch, `no colour: ${value}`);
  return [Number(lch[1]), Number(lch[2]), Number(lch[3])];
}

/** Relative luminance: oklch to linear sRGB (https://bottosson.github.io/posts/oklab/), then Rec. 709's weights.
 * @param {Lch} colour */
function luminance([l, c, h]) {
  const [a, b] = [c * Math.cos((h * Math.PI) / 180), c * Math.sin((h * Math.PI) / 180)];
  const [x, y, z] = [
    l + 0.3963377774 * a + 0.2158037573 * b,
    l - 0.1055613458 * a - 0.0638541728 * b,
    l - 0.0894841775 * a - 1.291485548 * b,
  ].map((v) => v ** 3);
  const [p = 0, q = 0, r = 0] = [x, y, z];
  const rgb = [
    4.0767416621 * p - 3.3077115913 * q + 0.2309699292 * r,
    -1.2684380046 * p + 2.6097574011 * q - 0.3413193965 * r,
    -0.0041960863 * p - 0.7034186147 * q + 1.707614701 * r,
  ];
  const [red = 0, green = 0, blue = 0] = rgb.map((v) => Math.min(1, Math.max(0, v)));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** @param {Record<string, string>} theme  @param {string} text  @param {string} surface
 * @param {"light" | "dark"} scheme */
function ratio(theme, text, surface, scheme) {
  const [one, two] = [text, surface].map((role) => luminance(resolve(theme, `var(${role})`, scheme)));
  const [low = 0, high = 0] = [one ?? 0, two ?? 0].sort((m, n) => m - n);
  return (high + 0.05) / (low + 0.05);
}

const SURFACES = [
  "--surface",
  "--surface-raised",
  "--surface-sunken",
  "--surface-mark",
  "--surface-hover",
  "--surface-press",
  "--surface-hit",
  "--accent-soft",
];
/** Which text may stand on which surface. @type {[string, string[]][]} */
const PAIRS = [
  ["--text", SURFACES],
  [
    "--text-soft",
    [
      "--surface",
      "--surface-raised",
      "--surface-sunken",
      "--surface-mark",
      "--surface-hover",
      "--surface-press",
      "--accent-soft",
    ],
  ],
  [
    "--accent",
    ["--surface", "--surface-raised", "--surface-sunken", "--surface-mark", "--surface-hover", "--accent-soft"],
  ],
  ["--accent-strong", ["--surface", "--surface-raised", "--surface-sunken", "--surface-mark", "--accent-soft"]],
  ["--danger", ["--surface", "--surface-raised", "--surface-sunken", "--surface-mark", "--surface-hover"]],
  ["--on-accent", ["--accent", "--accent-strong"]],
  ["--on-calling", ["--calling"]],
  ["--surface", ["--text"]], // the toast
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
