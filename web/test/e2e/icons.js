// icons.js: makes the icons that installers need from parley.svg: npm run icons. A maskable icon, and Apple's, fills
// the whole square, since the system cuts its corners off as it likes; what matters is within the middle 80 %.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { LAUNCH } from "./helper.js";

const ICONS = new URL("../../icons/", import.meta.url);
const svg = readFileSync(new URL("parley.svg", ICONS), "utf8");
const ground = /fill="(#\w+)"/.exec(svg)?.[1] ?? "";

const browser = await chromium.launch(LAUNCH);
const page = await browser.newPage();
for (const { file, size, whole } of [
  { file: "parley-192.png", size: 192, whole: false },
  { file: "parley-512.png", size: 512, whole: false },
  { file: "parley-maskable-192.png", size: 192, whole: true },
  { file: "parley-maskable-512.png", size: 512, whole: true },
  { file: "parley-apple-180.png", size: 180, whole: true },
]) {
  await page.setViewportSize({ width: size, height: size });
  const inner = whole ? size * 0.82 : size;
  await page.setContent(`<!doctype html><style>
    body { margin: 0; display: grid; place-items: center; block-size: 100vh; background: ${whole ? ground : "none"}; }
    svg { inline-size: ${inner}px; block-size: ${inner}px; }</style>${svg}`);
  await page.screenshot({ path: fileURLToPath(new URL(file, ICONS)), omitBackground: true });
}
await browser.close();
