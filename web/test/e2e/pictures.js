// pictures.js: makes the pictures of the README and the guide anew: npm run pictures. Three people talk in a real
// server, and the page of one of them is photographed. Where pngquant is installed the pictures are made small by it.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { chromium } from "playwright-core";
import { LAUNCH, Server, joined } from "./helper.js";

/** @import { Page } from "playwright-core" */
/** @typedef {"Ada" | "Grace" | "Linus"} Name */

const DOCS = resolve(import.meta.dirname, "../../../docs");
const ROOM = "repair-café";

const server = await new Server().start();
const browser = await chromium.launch(LAUNCH);
const sessions = {
  Ada: await server.guest("Ada"),
  Grace: await server.guest("Grace"),
  Linus: await server.guest("Linus"),
};

/** Says something and returns its seq.
 * @param {Name} who  @param {string} text  @param {Record<string, unknown>} [extra]  @param {string} [room] */
async function say(who, text, extra, room = ROOM) {
  const path = `/api/rooms/${encodeURIComponent(room)}/messages`;
  const answer = await server.post(path, { text, ...extra }, sessions[who]);
  return Number(answer["seq"]);
}
/** @param {number} seq  @param {string} emoji  @param {Name[]} names */
async function react(seq, emoji, ...names) {
  const path = `/api/rooms/${encodeURIComponent(ROOM)}/messages/${seq}/reactions/${encodeURIComponent(emoji)}`;
  for (const who of names) await server.put(path, sessions[who]);
}
/** Opens a room in a browser of somebody's own. @param {Name} name  @param {string} room */
async function enter(name, room) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    colorScheme: "light",
    locale: "en-GB",
    reducedMotion: "reduce",
  });
  await context.addCookies([
    { name: `parley_session_${new URL(server.url).port}`, value: sessions[name], url: server.url },
  ]);
  await context.addInitScript((n) => localStorage.setItem("parley:name", JSON.stringify(n)), name);
  const page = await context.newPage();
  await page.goto(`${server.url}/r/${encodeURIComponent(room)}`);
  await joined(page);
  return page;
}
/** @param {Page} page  @param {string} name */
async function picture(page, name) {
  const path = resolve(DOCS, name);
  await page.waitForTimeout(500); // what was loaded last is drawn
  await page.screenshot({ path });
  spawnSync("pngquant", ["--force", "--skip-if-larger", "--ext", ".png", "192", path]);
  process.stdout.write(`docs/${name}\n`);
}

await server.put(`/api/rooms/${encodeURIComponent(ROOM)}/topic`, sessions.Ada, {
  text: "Every first Saturday, 14:00, in the old library",
});
const list = await say(
  "Ada",
  "Saturday’s list so far:\n\n| what | whose | who helps |\n| --- | --- | --- |\n| toaster | Mrs Novak | Linus |\n" +
    "| two bicycles | the school | Grace |\n| radio, 1962 | Mr Amadi | **nobody yet** |",
);
await server.put(`/api/rooms/${encodeURIComponent(ROOM)}/pins/${list}`, sessions.Ada);
await say("Grace", "I can look at the radio, if somebody takes one of the bicycles.", { reply_to: list });
const bicycles = await say("Linus", "Gladly! I have not trued a wheel since school, so it will be *slow*.");
await react(bicycles, "🚲", "Ada", "Grace");
await react(bicycles, "👏", "Grace");
const tools = await say("Ada", "Do we have all the tools?");
await say("Grace", "A spoke key, yes. The soldering iron is broken, of all things.", { thread: tools });
await say("Linus", "Then that is repair number one. What does it do?", { thread: tools });
await say("Grace", "Nothing at all. It gets no warmer than my hand.", { thread: tools });
await say("Ada", "Sounds like the cable at the handle. I’ll bring a new one.", { thread: tools });
await say("Linus", "And I’ll bring the multimeter 👍", { thread: tools });
const shopping = await say(
  "Grace",
  "Still to get before Saturday:\n\n- [x] solder, lead-free\n- [x] inner tubes, 28 inch\n" +
    "- [ ] contact spray\n- [ ] coffee, and more cake than last time",
);
await react(shopping, "🍰", "Ada", "Linus");
await react(shopping, "👍", "Linus");
await say(
  "Linus",
  "The labels for the shelf come out of `labels.py` now:\n\n" +
    "```python\nfor number, item in enumerate(items, start=1):\n" +
    "    print(f\"{number:02}  {item.name}  →  {item.helper}\")\n```",
);

for (const [room, who, text] of /** @type {const} */ ([
  ["choir", "Grace", "The rehearsal begins at seven today"],
  ["garden", "Linus", "The tomatoes can go out now"],
  ["bike-tour", "Grace", "Route along the river: https://example.org/river"],
  ["library", "Linus", "New opening hours: until eight on Thursdays"],
  ["kitchen", "Ada", "There is cake in the fridge"],
  ["flea-market", "Ada", "We have table 12, beside the fountain"],
])) await say(who, text, {}, room);

// Ada has been everywhere; then things happen where she is not.
const ada = await enter("Ada", "choir");
for (const room of ["garden", "bike-tour", "library", "kitchen", "flea-market", ROOM]) {
  await ada.goto(`${server.url}/r/${encodeURIComponent(room)}`);
  await joined(ada);
  await ada.waitForTimeout(1500); // it counts as read a moment later
}
await server.put("/api/me/rooms/kitchen", sessions.Ada, { favourite: true });
await server.put("/api/me/rooms/library", sessions.Ada, { muted: true });
await say("Grace", "@Ada can you bring the second folder of scores?", {}, "choir");
await say("Linus", "Who waters on Sunday?", {}, "garden");
await say("Grace", "I can, if it does not rain", {}, "garden");
const grace = await enter("Grace", ROOM);
await enter("Linus", ROOM);

await say("Ada", "Splendid. The posters are up; the baker’s window has one, too.");
await ada.waitForTimeout(1000);
await grace.getByLabel("Your message").pressSequentially("Then we will need the big room, ");
await ada.getByText(/Grace.* is typing…/).waitFor();
await picture(ada, "parley.png");
await grace.getByLabel("Your message").fill("");

await ada.getByRole("button", { name: /replies/ }).click();
await ada.locator("thread-panel").getByText("multimeter").waitFor();
await ada.mouse.move(640, 780);
await picture(ada, "guide/wide.png");

await ada.locator("side-panel").getByRole("button", { name: "Close panel" }).click();
const message = ada.locator(`room-view .message[data-seq='${shopping}']`);
await message.scrollIntoViewIfNeeded();
await message.locator(".meta").hover();
await message.getByRole("button", { name: "More actions" }).click();
await picture(ada, "guide/messages.png");
await ada.keyboard.press("Escape");

await ada.locator(".search-button").click();
await ada.locator("search-panel").getByRole("searchbox").fill("bring");
await ada.keyboard.press("Enter");
await ada.locator("search-panel mark").first().waitFor();
await picture(ada, "guide/search.png");
await browser.close();
await server.kill();
