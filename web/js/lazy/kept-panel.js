// kept-panel.js: messages that one has saved, and threads that one follows, in the side panel.
/** @import { Opening } from "../view/app-shell.js" */
/** @import { FoundPage } from "../found-api.js" */
import { saved, threads } from "../found-api.js";
import { reason, t } from "../i18n.js";
import { fromTemplate, part, setText } from "../view/dom.js";
import { openPanel } from "../view/side-panel.js";
import { addHits } from "./hits.js";

class KeptPanel extends HTMLElement {
  /** @param {(next: string) => Promise<FoundPage>} read  @param {string} none  @param {boolean} areThreads */
  begin(read, none, areThreads) {
    this.append(fromTemplate("kept-panel"));
    const more = part(this, ".more-hits", HTMLElement);
    const found = part(this, ".found", HTMLElement);
    const page = async (/** @type {string} */ next) => {
      try {
        const answer = await read(next);
        addHits(this, answer.found, Date.now(), areThreads);
        setText(found, this.querySelector(".hits li") ? "" : none);
        more.hidden = !answer.next;
        more.onclick = () => page(answer.next);
      } catch (err) {
        setText(found, reason(err));
      }
    };
    setText(found, t("loading"));
    page("");
  }
}

customElements.define("kept-panel", KeptPanel);

/** @param {Opening} opening */
export function open({ what, api }) {
  const panel = new KeptPanel();
  if (what === "saved") panel.begin((next) => saved(api, next), t("saved.none"), false);
  else panel.begin((next) => threads(api, next), t("threads.none"), true);
  openPanel(what, panel, what === "saved" ? t("saved.title") : t("threads.title"));
}
