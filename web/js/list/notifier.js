// notifier.js: alerts the person to messages: announced by a screen reader, with a sound, with a notification of the
// system, on the icons of tab and app. notification-rules.js decides whether to; only one of several tabs does it.
/** @import { Settings } from "../ui/settings.js" */
/** @import { ListUpdate, ReadMark } from "../wire/types.js" */
/** @import { PageSession } from "./page-session.js" */
import { announce } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { isolate } from "../ui/text.js";
import { uuid7 } from "../wire/uuid.js";
import { chime } from "./chime.js";
import { claimAlert, decide, holdsAlert } from "./notification-rules.js";
import { mentionsPerson } from "./list-changes.js";

const PAUSE_MS = 600; // time for another tab to alert, or for another device to read the message

export class Notifier {
  #tab = uuid7();
  /** @type {Map<string, { seq: number, timer: number }[]>} by room: alerts that are about to come */
  #pending = new Map();
  /** @type {Map<string, { seq: number, note: Notification }[]>} by room: notifications shown */
  #shown = new Map();
  #badge = -1;

  /** @param {PageSession} session  @param {Settings} settings  @param {(room: string, seq: number) => void} go */
  constructor(session, settings, go) {
    this.session = session;
    this.settings = settings;
    this.go = go;
  }

  /** @param {ListUpdate} update */
  receive(update) {
    if (update.kind === "delete") return this.#forget(update.room, (item) => item.seq === update.target);
    const { session } = this;
    const { store } = session.deps.memory;
    const now = new Date();
    const decision = decide(update, {
      me: session.me.id,
      entry: session.rooms.get(update.room),
      looking: this.#looking(update.room),
      choices: this.settings.all,
      minute: now.getHours() * 60 + now.getMinutes(),
    });
    // The person sees it here, so no other tab alerts.
    if (this.#looking(update.room)) claimAlert(store, update.room, update.seq, this.#tab);
    if (!decision.alerts || !claimAlert(store, update.room, update.seq, this.#tab)) return;
    const timer = window.setTimeout(() => {
      this.#drop(this.#pending, update.room, (p) => p.seq === update.seq);
      if (holdsAlert(store, update.room, update.seq, this.#tab)) this.#speak(update, decision);
    }, PAUSE_MS);
    put(this.#pending, update.room, { seq: update.seq, timer });
  }

  /** The person has read a room up to seq, here or on another device: its alerts end. @param {ReadMark} mark */
  read({ room, seq }) {
    this.#forget(room, (item) => item.seq <= seq);
  }

  /** Cancels pending alerts that match, and closes their notifications.
   * @param {string} room  @param {(item: { seq: number }) => boolean} matches */
  #forget(room, matches) {
    for (const { timer } of this.#drop(this.#pending, room, matches)) clearTimeout(timer);
    for (const { note } of this.#drop(this.#shown, room, matches)) note.close();
  }

  /** Shows a dot on the tab's icon and, in an installed app, the number on its icon. @param {number} n */
  badge(n) {
    if (n === this.#badge) return;
    this.#badge = n;
    const icon = document.querySelector("link[rel=icon]");
    icon?.setAttribute(
      "href",
      (icon.getAttribute("href") ?? "").replace(/parley(-unread)?\.svg$/, n > 0 ? "parley-unread.svg" : "parley.svg"),
    );
    if (!("setAppBadge" in navigator)) return;
    (n > 0 ? navigator.setAppBadge(n) : navigator.clearAppBadge()).catch(() => undefined); // the app is not installed
  }

  /** @param {string} room */
  #looking(room) {
    const here = this.session.room;
    return here?.deps.room === room && document.visibilityState === "visible" && document.hasFocus();
  }

  /** @param {ListUpdate} update  @param {{ sound: boolean, show: boolean }} how */
  #speak(update, { sound, show }) {
    if (this.#looking(update.room)) return;
    const named = mentionsPerson(update, this.session.me.id);
    const title = named
      ? t("notify.named", { name: isolate(update.from.name), room: isolate(update.room) })
      : t("notify.wrote", { name: isolate(update.from.name), room: isolate(update.room) });
    if (named) announce(title);
    if (sound) chime();
    if (!show || !("Notification" in window) || Notification.permission !== "granted") return;
    try {
      const note = new Notification(title, {
        body: update.text,
        tag: `${update.room} ${update.seq}`,
        icon: document.querySelector("link[rel=icon]")?.getAttribute("href") ?? "",
        silent: true,
      });
      note.onclick = () => {
        window.focus();
        note.close();
        this.go(update.room, update.seq);
      };
      put(this.#shown, update.room, { seq: update.seq, note });
    } catch {
      // Chrome on Android has Notification, but allows only service workers to make one
    }
  }

  /** Removes what matches from a map and returns it. @template V
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
