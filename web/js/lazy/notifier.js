// notifier.js: says that something came: aloud to a screen reader, by a sound, by the system's notifications, on the app's icon.
// Whether to, notify.js decides; of all tabs one does.
/** @import { News, ReadMark } from "../list-protocol.js" */
/** @import { PageSession } from "../page-session.js" */
/** @import { Settings } from "../settings.js" */
import { isolate } from "../text.js";
import { t } from "../i18n.js";
import { claim, decide, holds } from "../notify.js";
import { names } from "../rooms.js";
import { uuid7 } from "../uuid.js";
import { chime } from "../view/chime.js";

const PAUSE_MS = 600; // time for another tab to speak first, and for another device to have read it

export class Notifier {
  #tab = uuid7();
  /** @type {Map<string, { seq: number, timer: number }[]>} by room: what is about to be said */
  #pending = new Map();
  /** @type {Map<string, { seq: number, note: Notification }[]>} by room: what is shown */
  #shown = new Map();
  #badge = -1;

  /** @param {PageSession} session  @param {Settings} settings  @param {(room: string, seq: number) => void} go */
  constructor(session, settings, go) {
    this.session = session;
    this.settings = settings;
    this.go = go;
  }

  /** @param {News} news */
  heard(news) {
    if (news.kind === "delete") return this.#forget(news.room, (said) => said.seq === news.target);
    const { session } = this;
    const { store } = session.deps.remembered;
    const now = new Date();
    const decision = decide(news, {
      me: session.me.id, entry: session.rooms.get(news.room), looking: this.#looking(news.room),
      choices: this.settings.all, minute: now.getHours() * 60 + now.getMinutes(),
    });
    if (this.#looking(news.room)) claim(store, news.room, news.seq, this.#tab); // no other tab needs to say what is seen here
    if (!decision.calls || !claim(store, news.room, news.seq, this.#tab)) return;
    const timer = window.setTimeout(() => {
      this.#drop(this.#pending, news.room, (p) => p.seq === news.seq);
      if (holds(store, news.room, news.seq, this.#tab)) this.#speak(news, decision);
    }, PAUSE_MS);
    put(this.#pending, news.room, { seq: news.seq, timer });
  }

  /** The person has read a room up to there, here or elsewhere: what tells of it is out of date. @param {ReadMark} mark */
  read({ room, seq }) {
    this.#forget(room, (said) => said.seq <= seq);
  }

  /** Says nothing more of what matches, and takes back what is shown. @param {string} room  @param {(said: { seq: number }) => boolean} matches */
  #forget(room, matches) {
    for (const { timer } of this.#drop(this.#pending, room, matches)) clearTimeout(timer);
    for (const { note } of this.#drop(this.#shown, room, matches)) note.close();
  }

  /** A dot on the tab's icon, and the number on the app's where there is such a thing. @param {number} n */
  badge(n) {
    if (n === this.#badge) return;
    this.#badge = n;
    const icon = document.querySelector("link[rel=icon]");
    icon?.setAttribute("href", (icon.getAttribute("href") ?? "").replace(/parley(-news)?\.svg$/, n > 0 ? "parley-news.svg" : "parley.svg"));
    if (!("setAppBadge" in navigator)) return;
    (n > 0 ? navigator.setAppBadge(n) : navigator.clearAppBadge()).catch(() => undefined); // not installed
  }

  /** @param {string} room */
  #looking(room) {
    const here = this.session.room;
    return here?.deps.room === room && document.visibilityState === "visible" && document.hasFocus();
  }

  /** @param {News} news  @param {{ sound: boolean, show: boolean }} how */
  #speak(news, { sound, show }) {
    if (this.#looking(news.room)) return;
    const named = names(news, this.session.me.id);
    const title = named ? t("notify.named", { name: isolate(news.from.name), room: isolate(news.room) }) : t("notify.wrote", { name: isolate(news.from.name), room: isolate(news.room) });
    if (named) announce(title);
    if (sound) chime();
    if (!show || !("Notification" in window) || Notification.permission !== "granted") return;
    try {
      const note = new Notification(title, { body: news.text, tag: `${news.room} ${news.seq}`, icon: document.querySelector("link[rel=icon]")?.getAttribute("href") ?? "", silent: true });
      note.onclick = () => {
        window.focus();
        note.close();
        this.go(news.room, news.seq);
      };
      put(this.#shown, news.room, { seq: news.seq, note });
    } catch {
      // Chrome on Android has Notification but lets only a service worker make one
    }
  }

  /** Takes out of a map what matches, and returns it. @template V
   * @param {Map<string, V[]>} map  @param {string} room  @param {(v: V) => boolean} matches */
  #drop(map, room, matches) {
    const all = map.get(room) ?? [];
    const left = all.filter((v) => !matches(v));
    if (left.length > 0) map.set(room, left);
    else map.delete(room);
    return all.filter(matches);
  }
}

/** @template V  @param {Map<string, V[]>} map  @param {string} room  @param {V} value */
const put = (map, room, value) => map.set(room, [...(map.get(room) ?? []), value]);

/** For a screen reader: politely, and not seen. @param {string} text */
function announce(text) {
  const place = document.querySelector("#announcer");
  if (place) place.textContent = text;
}
