// bookmarks-panel.js: the person's bookmarks or subscribed threads in the side panel.
/** @import { Api } from "../wire/api.js" */
/** @import { HitPage } from "./find-api.js" */
import { fromTemplate, part, setText } from "../ui/dom.js";
import { reason, t } from "../ui/i18n.js";
import { openPanel } from "../ui/side-panel.js";
import { saved, threads } from "./find-api.js";
import { addHits } from "./hits.js";
import { now } from "../wire/clock.js";

class BookmarksPanel extends HTMLElement {
  /** @param {(next: string) => Promise<HitPage>} read  @param {string} none  @param {boolean} areThreads */
  begin(read, none, areThreads) {
    this.append(fromTemplate("bookmarks-panel"));
    const more = part(this, ".more-hits", HTMLElement);
    const status = part(this, ".hits-status", HTMLElement);
    const page = async (/** @type {string} */ next) => {
      try {
        const answer = await read(next);
        addHits(this, answer.hits, now(), areThreads);
        setText(status, this.querySelector(".hits li") ? "" : none);
        more.hidden = !answer.next;
        more.onclick = () => page(answer.next);
      } catch (err) {
        setText(status, reason(err));
      }
    };
    setText(status, t("loading"));
    page("");
  }
}

customElements.define("bookmarks-panel", BookmarksPanel);

/** @param {{ what: string, api: Api }} context  `what`: "saved" or "threads" */
export function open({ what, api }) {
  const panel = new BookmarksPanel();
  if (what === "saved") panel.begin((next) => saved(api, next), t("saved.none"), false);
  else panel.begin((next) => threads(api, next), t("threads.none"), true);
  openPanel(what, panel, what === "saved" ? t("saved.title") : t("threads.title"));
}
