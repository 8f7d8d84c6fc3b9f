// search-panel.js: the search in all rooms of the list, in the side panel. It searches a short time after each change
// of the text.
/** @import { Key } from "../lang/en.js" */
/** @import { PageSession } from "../list/page-session.js" */
/** @import { Api } from "../wire/api.js" */
/** @import { IndexGap } from "./find-api.js" */
import { bdi, fromTemplate, part, setText } from "../ui/dom.js";
import { reason, t } from "../ui/i18n.js";
import { openPanel } from "../ui/side-panel.js";
import { shortTime } from "../ui/time.js";
import { search } from "./find-api.js";
import { addHits } from "./hits.js";
import { now } from "../wire/clock.js";

const WAIT_MS = 250;

/** The operators of the search. @type {[string, Key][]} */
const OPERATORS = [
  ['"…"', "search.phrase"],
  ["wor*", "search.beginning"],
  ["from:Ada", "search.from"],
  ["in:lobby", "search.in"],
  ["has:link", "search.has"],
  ["after:2026-01-31", "search.after"],
  ["before:2026-01-31", "search.before"],
];

class SearchPanel extends HTMLElement {
  #timer = 0;
  #asked = 0; // counts requests, so that only the last answer is shown
  #next = "";
  #room = "";

  /** @param {Api} api */
  begin(api) {
    this.api = api;
    this.append(fromTemplate("search-panel"));
    part(this, "#search-help", HTMLElement).append(...OPERATORS.flatMap(explained));
    const { form } = this;
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      this.#search(false);
    });
    this.#clearButton.addEventListener("click", () => {
      this.ask("");
      this.field.focus();
    });
    form.addEventListener("input", () => {
      this.#clearButton.hidden = this.field.value === "";
      clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => this.#search(true), WAIT_MS);
    });
    part(this, ".more-hits", HTMLElement).addEventListener("click", () => this.#ask(this.#next, false));
    this.#everywhere.addEventListener("click", () => {
      this.#here.checked = false;
      this.field.focus(); // the button goes
      this.#search(false);
    });
  }

  get form() {
    return part(this, "form", HTMLFormElement);
  }

  get field() {
    return part(this, "input[name=q]", HTMLInputElement);
  }

  get #clearButton() {
    return part(this, ".clear", HTMLButtonElement);
  }

  /** Searches in all rooms, if there is nothing in this one. */
  get #everywhere() {
    return part(this, ".everywhere", HTMLButtonElement);
  }

  get #here() {
    return part(this, "[name=here]", HTMLInputElement);
  }

  /** Offers to search in this room alone, and does so until the person chooses otherwise.
   * @param {string} room "" if none is open */
  within(room) {
    const other = room !== this.#room;
    if (other && !this.field.value) this.#here.checked = room !== "";
    this.#room = room;
    part(this, ".here", HTMLElement).hidden = room === "";
    part(this, ".here .label", HTMLElement).replaceChildren(bdi(room));
    if (other && this.#here.checked) this.#search(false); // the last hits were of another room
  }

  /** Searches for words in all rooms. @param {string} words */
  ask(words) {
    this.field.value = words;
    this.#clearButton.hidden = words === "";
    if (words) this.#here.checked = false;
    this.#search(false);
  }

  /** @param {boolean} typing the last word is not complete yet */
  #search(typing) {
    clearTimeout(this.#timer);
    this.#ask("", typing);
  }

  /** @param {string} cursor "" for the first page  @param {boolean} typing */
  async #ask(cursor, typing) {
    const asked = ++this.#asked;
    const words = this.field.value.trim();
    const here = this.#here.checked && this.#room && !/(^|\s)in:/.test(words);
    const q = here && words ? `${words} in:${this.#room}` : words;
    const sort = new FormData(this.form).get("sort") === "relevance" ? "relevance" : "time";
    if (!q || /^in:\S+$/.test(q)) return this.#clear("");
    try {
      const page = await search(/** @type {Api} */ (this.api), { q, sort, typing, cursor });
      if (asked !== this.#asked) return;
      if (!cursor) part(this, ".hits", HTMLElement).replaceChildren();
      addHits(this, page.hits, now());
      this.#next = page.next;
      part(this, ".more-hits", HTMLElement).hidden = !page.next;
      const n = this.querySelectorAll(".hits li").length;
      this.#everywhere.hidden = n > 0 || !here;
      const result = n === 0 ? t("search.none") : page.next ? t("search.first", { n }) : t("search.found", { n });
      this.#say([result, ...gapSentence(page.gap, now())].join(" "));
    } catch (err) {
      if (asked === this.#asked) this.#clear(reason(err));
    }
  }

  /** @param {string} sentence */
  #clear(sentence) {
    part(this, ".hits", HTMLElement).replaceChildren();
    part(this, ".more-hits", HTMLElement).hidden = true;
    this.#everywhere.hidden = true;
    this.#say(sentence);
  }

  /** @param {string} sentence */
  #say(sentence) {
    setText(part(this, ".hits-status", HTMLElement), sentence);
  }
}

customElements.define("search-panel", SearchPanel);

/** Returns a sentence about what the search index lacks, or none. @param {IndexGap | null} gap  @param {number} now */
function gapSentence(gap, now) {
  if (!gap) return [];
  return [gap.since === null ? t("search.lacks") : t("search.lacksSince", { time: shortTime(gap.since, now) })];
}

/** @param {[string, Key]} operator */
function explained([word, key]) {
  const dt = document.createElement("dt");
  const dd = document.createElement("dd");
  dt.append(Object.assign(document.createElement("code"), { textContent: word }));
  dd.textContent = t(key);
  return [dt, dd];
}

/** The panel keeps the last search. @type {SearchPanel | undefined} */
let panel;

/** @param {{ session: PageSession, api: Api, at?: string }} context  `at`: words to search for in all rooms */
export function open({ session, api, at }) {
  if (!panel) {
    panel = new SearchPanel();
    panel.begin(api);
  }
  panel.within(session.room?.deps.room ?? "");
  openPanel("search", panel, t("search.title"));
  if (at) panel.ask(at);
  panel.field.setSelectionRange(panel.field.value.length, panel.field.value.length);
}
