// What a user wrote is never markup. Hostile text goes through every place that shows it; the page's policy would
// stop most of it, so the tests also fail on whatever the policy had to stop.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PHONE } from "./axe.js";
import { Server, joined, told, visitor, write } from "./helper.js";
import { enter, field, message, press, pressHeader } from "./people.js";

/** @import { Page } from "playwright-core" */

const TEXTS = [
  `<script>window.ran = 1</script>`,
  `<img src=x onerror="window.ran = 2">`,
  `<svg/onload=window.ran=3><iframe srcdoc="<script>parent.ran=4</script>">`,
  `[click](javascript:window.ran=5) <a href="javascript:window.ran=6">x</a> javascript:window.ran=7`,
  `[data](data:text/html,<script>window.ran=8</script>) [vb](vbscript:x) [tab](java\tscript:window.ran=9)`,
  `&lt;script&gt;window.ran = 10&lt;/script&gt; &#60;b&#62; &amp;amp;`,
  `**bold <img src=x onerror=window.ran=11>** \`<b>\` ` +
    `[<img src=x onerror=window.ran=12>](https://example.org/"onmouseover="window.ran=13)`,
  "```html\n<script>window.ran = 14</script>\n</code></pre><img src=x onerror=window.ran=15>\n```",
  `"><style>*{display:none}</style><form action=/ ><input autofocus onfocus=window.ran=16>`,
  `\u202Edesrever si siht\u202D \u2066isolated\u2067 and open \u202B\u202E`,
  "W".repeat(3000),
  `https://example.org/${"a".repeat(2000)}`,
  "😀".repeat(4000),
  Array.from("zalgo", (c) => c + "\u0335\u0321\u0316\u0301\u0302\u0303".repeat(60)).join(""),
  "```\n" + "x".repeat(3000) + "\n```",
  "> ".repeat(60) + "deep",
  Array.from({ length: 60 }, (_, i) => " ".repeat(i * 2) + "- deep").join("\n"),
  "\u0007\u001b[31m \ufffe \ud83d",
  "{{constructor.constructor('window.ran=17')()}} ${window.ran=18} __proto__",
];

const NAMES = [
  `<img src=x onerror=ran=1>`,
  `"><script>ran=2</script>`,
  `<b>&amp;&lt;b&gt;</b>`,
  "W".repeat(32),
  "😀".repeat(32),
  "שלום עליכם (abc) مرحبا",
  "javascript:window.ran=3",
];

const ROOMS = [
  "𝒜bc.def-ghi_jkl",
  "w".repeat(64),
  "مرحبا-بالعالم-123",
  "z\u0335\u0321\u0316a\u0335\u0321\u0316l",
  "__proto__",
  "constructor",
];

const server = await new Server().start();

/** Notes what the page's policy stopped. @param {Page} page */
const watchPolicy = (page) =>
  page.addInitScript(() => {
    const stopped = /** @type {string[]} */ ([]);
    Object.assign(globalThis, { stopped });
    document.addEventListener("securitypolicyviolation", (e) =>
      stopped.push(`${e.violatedDirective}: ${e.blockedURI} ${e.sample}`),
    );
  });

/** Nothing ran, nothing was stopped, nothing sticks out, nothing but the allowed elements is in a message.
 * @param {Page} page  @param {string} where */
async function assertHarmless(page, where, stopped = /** @type {string[]} */ ([])) {
  // What slides in is beside the page for a moment; only somebody's typing moves all the time.
  await page.waitForFunction(() =>
    document.getAnimations().every((a) => a.playState !== "running" || a.effect?.getTiming().iterations === Infinity),
  );
  const found = await page.evaluate(() => {
    const scope = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (globalThis));
    const allowed =
      "p, br, strong, em, del, code, pre, ul, ol, li, blockquote, a, bdi, h3, h4, h5, h6, hr, " +
      "table, thead, tbody, tr, th, td, input, span, " +
      ".table, .code-block, .code-bar, .code-bar button, .spoiler button";
    const inside = [
      ...document.querySelectorAll(
        ".message .body *, .message .author *, .people .name *, .room-name *, room-list li .name *",
      ),
    ];
    const elements = [...document.querySelectorAll("#app *")];
    return {
      ran: scope["ran"],
      stopped: scope["stopped"],
      foreign: inside.filter((e) => !e.matches(allowed)).map((e) => e.outerHTML.slice(0, 80)),
      handlers: elements.flatMap((e) => [...e.attributes].filter((a) => a.name.startsWith("on")).map((a) => a.name)),
      hrefs: elements
        .map((e) => e.getAttribute("href") ?? "")
        .filter((h) => h && !/^(https?:\/\/|mailto:|\/|#)/.test(h)),
      wide: document.documentElement.scrollWidth - innerWidth,
      log: (document.querySelector(".log")?.scrollWidth ?? 0) - (document.querySelector(".log")?.clientWidth ?? 0),
      sticking: elements
        .filter((e) => {
          const box = e.getBoundingClientRect();
          return (
            box.width > 1 &&
            !e.closest("pre, svg, .visually-hidden, .author, .name, textarea") &&
            (box.right > innerWidth + 1 || box.left < -1)
          );
        })
        .map((e) => e.className || e.tagName)
        .slice(0, 5),
    };
  });
  assert.deepEqual(
    found,
    { ran: undefined, stopped, foreign: [], handlers: [], hrefs: [], wide: 0, log: 0, sticking: [] },
    where,
  );
}

for (const [size, viewport] of Object.entries({
  wide: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
})) {
  test(`hostile messages stay text: ${size}`, async () => {
    const { page, wrong } = await visitor(server, "Ada", { viewport });
    await watchPolicy(page);
    const room = `messages-${size}`;
    const other = await server.guest("Grace");
    for (const text of TEXTS) await server.say(room, other, text.toWellFormed()); // as history …
    await page.goto(`${server.url}/r/${room}`);
    await joined(page);
    await page.locator(`[data-seq='${TEXTS.length}']`).waitFor();
    await assertHarmless(page, "history");
    for (const [i, text] of TEXTS.entries()) {
      await write(page, text); // … and as one's own, first in the outbox, then stored
      await page.locator(`[data-seq='${TEXTS.length + i + 1}']`).waitFor();
      await assertHarmless(page, text.slice(0, 60));
    }
    await page.locator(".log").evaluate((log) => {
      log.scrollTop = 0;
    });
    await assertHarmless(page, "scrolled up");
    assert.equal(await page.locator("[data-seq='1'] .body").textContent(), TEXTS[0], "the text itself is there");
    // A row of towering marks stays in its row.
    const zalgo = page.locator("[data-seq='14']");
    assert.ok(((await zalgo.boundingBox())?.height ?? 0) < 400);
    assert.equal(await zalgo.evaluate((m) => getComputedStyle(m).overflowY), "clip");
    assert.deepEqual(wrong, []);
  });
}

test("hostile names stay text wherever a name is shown", async () => {
  const { page, wrong } = await visitor(server, "Ada");
  await watchPolicy(page);
  await page.goto(`${server.url}/r/names`);
  await joined(page);
  for (const name of NAMES) {
    const guest = await visitor(server, name, { viewport: { width: 390, height: 844 } });
    await watchPolicy(guest.page);
    await guest.page.goto(`${server.url}/r/names`);
    await joined(guest.page);
    await guest.page.getByLabel("Your message").pressSequentially("I am");
    await told(page, /typing/);
    await assertHarmless(page, `${name} types`);
    await guest.page.getByLabel("Your message").press("Enter");
    await page.locator(".message .author", { hasText: name }).waitFor();
    await page.locator(".people .name", { hasText: name }).waitFor();
    await guest.page.locator(".rooms-button").click();
    await guest.page.getByRole("button", { name: /^You are/ }).click();
    await guest.page.getByRole("button", { name: "Change", exact: true }).click();
    assert.equal(await guest.page.getByRole("textbox", { name: "Your name" }).inputValue(), name);
    await assertHarmless(guest.page, `${name} looks at themselves`);
    await assertHarmless(page, `${name} is here`);
    assert.deepEqual(guest.wrong, []);
    await guest.context.close();
  }
  for (const name of ["\u202Eevil", "a\u0000b", "\u200b", "z" + "\u0335".repeat(20)]) {
    await page.getByRole("button", { name: /^You are/ }).click();
    await page.getByRole("button", { name: "Change", exact: true }).click();
    await page.getByRole("textbox", { name: "Your name" }).fill(name);
    await page.getByRole("button", { name: "Save name" }).click();
    await page.locator("#you-name-error", { hasText: /name/i }).waitFor();
    await page.getByRole("button", { name: "Close", exact: true }).click();
  }
  assert.deepEqual(wrong, []);
});

test("hostile room names stay text in the address, the title, the list and the refusal", async () => {
  const { page, wrong } = await visitor(server, "Ada", { viewport: { width: 390, height: 844 } });
  await watchPolicy(page);
  for (const room of ROOMS) {
    await page.goto(`${server.url}/r/${encodeURIComponent(room)}`);
    await joined(page);
    await assertHarmless(page, room);
    await write(page, "here");
    await page.locator("[data-seq='1']").waitFor();
  }
  for (const [given, room] of Object.entries({
    "<script>ran=1<": "script-ran-1",
    '"onload="ran=2': "onload-ran-2",
    "\u202Eevil": "evil",
    ["z" + "\u0335".repeat(9)]: "z" + "\u0335".repeat(3),
    "{{7*7}}": "7-7",
  })) {
    await page.goto(`${server.url}/r/${encodeURIComponent(given)}`);
    await joined(page);
    assert.equal(decodeURIComponent(new URL(page.url()).pathname), `/r/${room}`);
    await assertHarmless(page, room);
  }
  // What stands in the browser's storage is no more to be trusted than the rest.
  await page.evaluate(() =>
    localStorage.setItem(
      "parley:visits",
      JSON.stringify([
        { room: `<img src=x onerror=ran=3>`, at: 1 },
        { room: "w".repeat(64), at: 1 },
        { room: "\u202Eevil", at: 1 },
        { room: 7 },
        null,
      ]),
    ),
  );
  await page.routeWebSocket(/\/ws$/, () => undefined); // before the server has said what is in the list
  await page.goto(server.url);
  await page.locator("room-list li").first().waitFor();
  assert.equal(await page.locator("room-list li").count(), 3);
  await assertHarmless(page, "visits");
  assert.deepEqual(wrong, []);
});

test("a hostile draft and outbox stay text, and damaged storage does not stop the page", async () => {
  const { page, wrong } = await visitor(server, "Ada");
  await watchPolicy(page);
  await page.goto(`${server.url}/r/draft`);
  await joined(page);
  for (const text of TEXTS.map((t) => t.toWellFormed())) {
    await page.getByLabel("Your message").fill(text);
    const before = await page.getByLabel("Your message").inputValue();
    await page.reload();
    await joined(page);
    assert.equal(await page.getByLabel("Your message").inputValue(), before);
    await assertHarmless(page, text.slice(0, 60));
  }
  await page.getByLabel("Your message").fill("");
  await page.evaluate(() => {
    localStorage.setItem("parley:read:draft", "{{{");
    localStorage.setItem("parley:visits", "7");
    localStorage.setItem("parley:theme", `"<img>"`);
    localStorage.setItem("parley:outbox:draft:1", "not json");
    localStorage.setItem("parley:outbox:draft:2", `{"nonce": 7}`);
  });
  await page.reload();
  await joined(page);
  await write(page, "still works");
  await page.locator("[data-seq='1']").waitFor();
  assert.deepEqual(wrong, []);
});

test("formatting that no server should send is not shown either", async () => {
  const { page, wrong } = await visitor(server, "Ada");
  await watchPolicy(page);
  const html =
    TEXTS.join("\n") +
    `<p onclick="ran=1" style="position:fixed" class="x">p</p><a href="javascript:ran=2">js</a>` +
    `<a href=" java&#10;script:ran=3">js</a><code class="language-js evil" id="app">c</code>` +
    `<math><mi xlink:href="javascript:ran=4">m</mi></math><template><img src=x onerror=ran=5></template>` +
    `<base href="https://example.org/"><ol start="-5"><li>x</li></ol>`;
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
  await page.locator("[data-seq='1'] .body p").first().waitFor();
  // The browser reports each handler and style that it finds in HTML that is parsed but not shown. Nothing else may be
  // reported.
  const said = wrong.filter((w) => !/inline (event handler|style) violates/.test(w));
  const noted = await page.evaluate(
    () => /** @type {{ stopped: string[] }} */ (/** @type {unknown} */ (globalThis)).stopped,
  );
  assert.deepEqual(
    noted.filter((s) => !/^(script|style)-src-attr: inline/.test(s)),
    [],
  );
  await assertHarmless(page, "forged html", noted);
  assert.deepEqual(
    await page.locator("[data-seq='1'] .body [class], [data-seq='1'] .body [style], [data-seq='1'] .body [id]").count(),
    0,
  );
  assert.deepEqual(said, []);
});

const SHORT = [
  `<img src=x onerror="window.ran=1">`,
  `"><script>window.ran=2</script>`,
  "[x](javascript:window.ran=3) **<b>**",
  "W".repeat(250),
  "\u2066open \u202Btext",
  "{{constructor}} ${window.ran=4}",
];

for (const [size, options] of Object.entries({ wide: {}, phone: PHONE })) {
  test(`hostile text stays text in topics, quotes, threads, pins, versions and suggestions: ${size}`, async () => {
    const room = `hostile-${size}`;
    const ada = await enter(server, room, "Ada", options);
    const { page } = ada;
    const evil = await server.guest(`<img src=x onerror=ran=5>`);
    const call = (/** @type {string} */ method, /** @type {string} */ path, /** @type {object} */ body) =>
      fetch(`${server.url}/api/rooms/${room}${path}`, {
        method,
        headers: { "Content-Type": "application/json", Authorization: `Bearer ${evil}` },
        body: JSON.stringify(body),
      })
        .then((r) => r.json())
        .then((a) => Number(/** @type {{ seq: number }} */ (a).seq));
    const harmless = async (/** @type {string} */ where) => {
      const found = await page.evaluate(() => ({
        ran: /** @type {{ ran?: number }} */ (/** @type {unknown} */ (globalThis)).ran,
        foreign: document.querySelectorAll("img, script:not([src]), iframe, [onerror], [onload]").length,
        wide: document.documentElement.scrollWidth - innerWidth,
      }));
      assert.deepEqual(found, { ran: undefined, foreign: 0, wide: 0 }, where);
    };
    for (const text of SHORT) {
      await call("PUT", "/topic", { text });
      const root = await call("POST", "/messages", { text: `${text} @Ada` });
      await call("POST", "/messages", { text, reply_to: root });
      await call("POST", "/messages", { text: `/me ${text}`, thread: root, echo: true });
      await call("POST", "/messages", { text, thread: root });
      await call("POST", "/messages", { forward: { room, seq: root } });
      const emoji = await fetch(
        `${server.url}/api/rooms/${room}/messages/${root}/reactions/${encodeURIComponent(text)}`,
        { method: "PUT", headers: { Authorization: `Bearer ${evil}` } },
      );
      assert.equal(emoji.ok, false, "no emoji");
      await call("PUT", `/pins/${root}`, {});
      const head = await call("PATCH", `/messages/${root}`, { text: `${text} again` });
      await message(page, root).locator(".edited").waitFor();
      await harmless(`room: ${text.slice(0, 30)}`);
      await message(page, root).locator(".edited").click();
      await page.getByRole("dialog", { name: "Earlier versions" }).locator("li").nth(1).waitFor();
      await harmless("versions");
      await page.keyboard.press("Escape");
      await press(message(page, root), "r");
      await harmless("replying");
      await page.keyboard.press("Escape");
      await press(message(page, root), "t");
      await page.locator("thread-panel .message").nth(2).waitFor();
      await harmless("thread");
      await page.getByRole("button", { name: "Close panel" }).click();
      assert.ok(head > root);
    }
    await pressHeader(page, "Pinned messages");
    await page
      .locator("pins-panel li")
      .nth(SHORT.length - 1)
      .waitFor();
    await harmless("pins");
    await page.getByRole("button", { name: "Close panel" }).click();
    await field(page).pressSequentially("@");
    await page.getByRole("option").first().waitFor();
    await harmless("suggestions");
    assert.deepEqual(ada.wrong, []);
  });
}
