// A message's formatting: how it looks, by keyboard, for a screen reader, and when a server sends what it should not.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { Server, joined, row, told, visitor, write } from "./helper.js";

/** @import { Page } from "playwright-core" */
/** @import { Axe } from "./axe.js" */

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const CODE = "package main // comment\n\nfunc f(x int) string { return `text` + string(1) }\n";
const TEXTS = [
  "# First\n## Second\n###### Sixth\nwords\n---\nmore",
  "| Name | Price |\n|:-----|------:|\n| *Tea* | 3 |\n| Coffee | 4 |",
  "- [ ] buy tea\n- [x] boil **water**\n- no task",
  "It ends with ||the *butler* 🔪 [here](https://example.org/end)|| and that is that",
  "[the map](https://example.org/map), [https://bank.example](https://evil.example/), " +
    "[example.org](https://example.org/x), ![a cat](https://example.org/cat.png)",
  "```go\n" + CODE + "```",
  '```html\n<!-- comment --><a href="b">&amp;</a><script>let d = 1;</script>\n```',
  "```diff\n@@ -1 +1 @@\n-a\n+b\n```",
  "```js\nconst re = /a/, s = `b${1}`; @c class D { static #e = super.f(this); }\n```",
  '```python\n@a\ndef f(x):\n    """b"""\n    return len(x) + self.y # c\n```',
  "```\nno language\n```",
];
const server = await new Server().start();
const grace = await server.guest("Grace");
for (const text of TEXTS) await server.say("formatted", grace, text);
await coloured();

/** Waits until the server has coloured all code. It takes a bounded time for that, and tries again at the next reading.
 * A page that is read then gets all colours from its cache. */
async function coloured() {
  const named = TEXTS.filter((text) => /```\w/.test(text)).length;
  for (let tries = 0; tries < 100; tries++) {
    const page = await (await fetch(`${server.url}/api/rooms/formatted/messages`)).json();
    const all = /** @type {{ html?: string }[]} */ (page.messages).map((m) => m.html ?? "");
    if (all.filter((html) => html.includes("language-") && html.includes("<span")).length === named) return;
  }
  assert.fail("code has no colours");
}

/** @param {Page} page */
async function enter(page) {
  await page.goto(`${server.url}/r/formatted`);
  await joined(page);
  await page.locator(`[data-seq='${TEXTS.length}']`).waitFor();
}

/** @param {Page} page  @param {number} n */
const body = (page, n) => page.locator(`[data-seq='${n}'] .body`);

test("headings, rules, tables and tasks are what they look like", async () => {
  const { page, wrong } = await visitor(server, "Ada");
  await enter(page);
  assert.deepEqual(
    await body(page, 1)
      .locator("> *")
      .evaluateAll((all) => all.map((e) => e.tagName)),
    ["H3", "H4", "H5", "P", "HR", "P"],
  );
  await page.getByRole("heading", { name: "First", level: 3 }).waitFor();

  const table = page.getByRole("table");
  assert.deepEqual(await table.getByRole("columnheader").allTextContents(), ["Name", "Price"]);
  const price = table.getByRole("cell", { name: "3", exact: true });
  assert.equal(await price.evaluate((cell) => getComputedStyle(cell).textAlign.replace("-webkit-", "")), "right");
  assert.equal(await table.locator("em").textContent(), "Tea");

  const boxes = body(page, 3).getByRole("checkbox");
  assert.deepEqual(
    await boxes.evaluateAll((all) =>
      all.map((b) => [/** @type {HTMLInputElement} */ (b).checked, /** @type {HTMLInputElement} */ (b).disabled]),
    ),
    [
      [false, true],
      [true, true],
    ],
  );
  await body(page, 3).getByRole("checkbox", { name: "Done" }).waitFor();
  assert.deepEqual(wrong, []);
});

test("a wide table and long code stay within their message, and can be moved by keyboard", async () => {
  const { page, wrong } = await visitor(server, "Ada", { viewport: { width: 390, height: 844 } });
  await server.say("wide", grace, `${"| column ".repeat(20)}|\n${"|-".repeat(20)}|\n${"| word ".repeat(20)}|`);
  await server.say("wide", grace, "```js\n" + "x + ".repeat(90) + "1\n```");
  await page.goto(`${server.url}/r/wide`);
  await page.locator("[data-seq='2']").waitFor();
  for (const scroller of [page.getByRole("group", { name: "Table" }), page.locator("pre")]) {
    await scroller.focus();
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => (document.activeElement?.scrollLeft ?? 0) > 0);
  }
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  assert.equal(await page.locator(".log").evaluate((log) => log.scrollWidth - log.clientWidth), 0);
  assert.deepEqual(wrong, []);
});

test("a link under another name says where it leads", async () => {
  const { page, wrong } = await visitor(server, "Ada");
  await enter(page);
  const links = await page.locator(".message .body a").evaluateAll((all) =>
    all.map((a) => ({
      name: a.textContent,
      host: a.nextElementSibling?.matches(".host") ? a.nextElementSibling.textContent?.trim() : "",
      leads: new URL(/** @type {HTMLAnchorElement} */ (a).href).host,
    })),
  );
  assert.deepEqual(links.slice(-4), [
    { name: "the map", host: "(example.org)", leads: "example.org" },
    { name: "https://bank.example", host: "(evil.example)", leads: "evil.example" },
    { name: "example.org", host: "", leads: "example.org" },
    { name: "a cat", host: "(example.org)", leads: "example.org" },
  ]);
  assert.deepEqual(wrong, [], "and nothing was fetched from there");
});

test("a spoiler is neither seen nor heard until somebody asks, by keyboard or by pointer", async () => {
  const { page, context, wrong } = await visitor(server, "Ada");
  await enter(page);
  const spoiler = body(page, 4).locator(".spoiler");
  const button = body(page, 4).getByRole("button", { name: "Spoiler" });
  const secret = body(page, 4).getByText("butler");
  const cdp = await context.newCDPSession(page);
  const heard = async () =>
    (await cdp.send("Accessibility.getFullAXTree")).nodes
      .filter((n) => !n.ignored && String(n.name?.value).includes("butler"))
      .map((n) => n.role?.value);

  await button.waitFor();
  assert.equal(await secret.isVisible(), false);
  assert.deepEqual(await heard(), []);
  assert.equal(await button.getAttribute("aria-expanded"), "false");

  await page.locator("[data-seq='4']").focus();
  for (let i = 0; i < 4 && !(await button.evaluate((b) => b === document.activeElement)); i++)
    await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await secret.waitFor();
  assert.equal(await button.getAttribute("aria-expanded"), "true");
  assert.equal(await button.evaluate((b) => b === document.activeElement), true, "the focus stays");
  assert.ok((await heard()).length > 0);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "here", "what was covered is next");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Space");
  assert.equal(await secret.isVisible(), false, "and it can be covered again");

  const box = await spoiler.boundingBox();
  assert.ok(box);
  await page.mouse.click(box.x + box.width - 12, box.y + box.height / 2); // where the link is: it is not followed
  await secret.waitFor();
  assert.equal(context.pages().length, 1);
  assert.deepEqual(wrong, []);
});

test("code has its language, its colours and a button that copies it", async () => {
  const { page, wrong } = await visitor(server, "Ada", { permissions: ["clipboard-read", "clipboard-write"] });
  await enter(page);
  const block = body(page, 6).locator(".code-block");
  assert.equal(await block.locator("code").textContent(), CODE);
  await block.getByText("go", { exact: true }).waitFor();
  const colour = (/** @type {string} */ selector) =>
    block
      .locator(selector)
      .first()
      .evaluate((e) => getComputedStyle(e).color);
  const colours = new Set(await Promise.all(["code", ".k", ".s", ".m", ".c", ".nf"].map(colour)));
  assert.equal(colours.size, 6, "each is another");

  await page.locator("[data-seq='6']").focus();
  const button = block.getByRole("button", { name: "Copy code" });
  for (let i = 0; i < 4 && !(await button.evaluate((b) => b === document.activeElement)); i++)
    await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await told(page, "Code copied");
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), CODE.trimEnd());
  assert.deepEqual(wrong, []);
});

test("one's own message is formatted when it comes back", async () => {
  const { page, wrong } = await visitor(server, "Ada");
  await page.goto(`${server.url}/r/own`);
  await joined(page);
  await write(page, "||secret|| and [a](https://example.org/)");
  await row(page, "example.org").getByRole("button", { name: "Spoiler" }).waitFor();
  assert.deepEqual(wrong, []);
});

for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
  for (const contrast of /** @type {const} */ (["no-preference", "more"])) {
    test(`axe finds nothing in formatting: ${colorScheme}, contrast ${contrast}`, async () => {
      const { page, wrong } = await visitor(server, "Ada", {
        colorScheme,
        contrast,
        viewport: { width: 1280, height: 2400 },
      });
      await enter(page);
      await page.getByRole("button", { name: "Spoiler" }).first().press("Enter");
      await page.evaluate(AXE); // by the debugger, which the page's policy does not bind
      const found = await page.evaluate(async () => {
        const { axe } = /** @type {{ axe: Axe }} */ (/** @type {unknown} */ (globalThis));
        const { violations, passes } = await axe.run({ resultTypes: ["violations", "passes"] });
        return {
          violations: violations.map(
            (v) => `${v.id}: ${v.nodes.map((n) => `${n.html.slice(0, 120)} ${n.failureSummary}`).join(" | ")}`,
          ),
          colours:
            passes
              .find((p) => p.id === "color-contrast")
              ?.nodes.filter((n) => /<span class="(?:c|k|s|m|n.|g.)"/.test(n.html)).length ?? 0,
        };
      });
      assert.deepEqual(found.violations, []);
      assert.ok(found.colours > 20, `the contrast of ${found.colours} coloured words was measured`);
      assert.deepEqual(wrong, []);
    });
  }
}

test("only what is listed comes through, whatever a server sends", async () => {
  const { page, wrong } = await visitor(server, "Ada");
  const html =
    `<p>a<span class="message failed">b</span><span class="k evil">c</span><span style="color:red">d</span></p>` +
    `\n    <input type="text" name="x" value="e"><input type="checkbox" onclick="ran=1" form="f" checked>` +
    `<h1>f</h1><h2>g</h2><h3 id="app" class="x">h</h3>` +
    `\n    <table style="position:fixed" background="x"><tr><td align="justify" colspan="999">i</td>` +
    `<th align="center" onclick="ran=2">j</th></tr></table>` +
    `\n    <span class="spoiler" onclick="ran=3"><img src="x" onerror="ran=4">k` +
    `<a href="javascript:ran=5">l</a></span><button>m</button><pre class="x"><code class="language-a b">n</code></pre>`;
  await page.routeWebSocket(/\/ws$/, (ws) => {
    const upstream = ws.connectToServer();
    upstream.onMessage((m) => {
      const message = JSON.parse(String(m));
      ws.send(JSON.stringify(message.op === "event" ? { ...message, html } : message));
    });
  });
  await page.goto(`${server.url}/r/forged`);
  await joined(page);
  await write(page, "innocent");
  await page.locator("[data-seq='1'] .body h3").waitFor();
  const found = await page.locator("[data-seq='1'] .body").evaluate((element) => ({
    ran: /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (globalThis))["ran"],
    elements: [...new Set([...element.querySelectorAll("*")].map((e) => e.tagName.toLowerCase()))].sort().join(" "),
    classes: [...new Set([...element.querySelectorAll("[class]")].map((e) => e.className))].sort(),
    attributes: [...new Set([...element.querySelectorAll("*")].flatMap((e) => e.getAttributeNames()))].sort().join(" "),
    inputs: [...element.querySelectorAll("input")].map((i) => i.outerHTML),
    align: [...element.querySelectorAll("[align]")].map((e) => e.outerHTML),
  }));
  assert.deepEqual(found, {
    ran: undefined,
    elements: "button code div h3 input p pre span table tbody td th tr",
    classes: ["code-bar", "code-block", "link", "secret", "spoiler", "table"],
    attributes: "align aria-expanded aria-label checked class data-rove disabled inert role tabindex type",
    inputs: ['<input type="checkbox" disabled="" checked="" aria-label="Done">'],
    align: ['<th align="center">j</th>'],
  });
  assert.deepEqual(
    wrong.filter((w) => !/inline (event handler|style) violates/.test(w)),
    [],
  );
});
