// room-header.js: the header of a room: who is there, the state of the connection, and whether another room needs
// attention.
/** @import { RoomSession } from "./room-session.js" */
import { showAvatar } from "../ui/avatar.js";
import { part, setText } from "../ui/dom.js";
import { t } from "../ui/i18n.js";

const BACK_MS = 2_000; // how long it says that the connection is back
const FACES = 4; // shown beside the number of people

/** Returns the title of the list of people. @param {RoomSession | undefined} session */
export const peopleTitle = (session) =>
  session?.joined ? t("people.here", { n: session.state.count }) : t("people.unknown");

export class RoomHeader {
  #wasLost = false;
  #backUntil = 0;
  /** @type {RoomSession["state"]["people"] | undefined} whose faces are shown */
  #people;

  /** @param {HTMLElement} view  @param {() => void} drawAgain */
  constructor(view, drawAgain) {
    this.view = view;
    this.drawAgain = drawAgain;
  }

  /** @param {RoomSession} session  @param {number} elsewhere what the title counts of the other rooms */
  draw(session, elsewhere) {
    const { state, joined } = session;
    const rooms = part(this.view, ".rooms-button", HTMLElement); // hidden on a wide screen
    rooms.classList.toggle("attention", elsewhere > 0);
    rooms.setAttribute("aria-label", elsewhere > 0 ? t("rooms.button-unread", { n: elsewhere }) : t("rooms.title"));
    setText(part(this.view, ".people-count", HTMLElement), joined ? String(state.count) : "–");
    setText(part(this.view, ".people-button .visually-hidden", HTMLElement), peopleTitle(session));
    this.#showStatus(session);
    if (state.people !== this.#people) this.#showFaces(state);
  }

  /** Shows the faces of some people, the others before oneself. @param {RoomSession["state"]} state */
  #showFaces({ people, me }) {
    this.#people = people;
    const all = [...(people?.values() ?? [])];
    const first = [...all.filter((p) => p.id !== me.id), ...all.filter((p) => p.id === me.id)].slice(0, FACES);
    part(this.view, ".people-button .faces", HTMLElement).replaceChildren(
      ...first.map((person) => {
        const face = document.createElement("span");
        face.className = "avatar";
        showAvatar(face, person);
        return face;
      }),
    );
  }

  /** @param {RoomSession} session */
  #showStatus(session) {
    const lost = session.connection.status === "waiting" || (this.#wasLost && !session.joined);
    if (this.#wasLost && session.joined) {
      this.#backUntil = performance.now() + BACK_MS;
      setTimeout(() => this.drawAgain(), BACK_MS + 50);
    }
    this.#wasLost = lost;
    const back = !lost && performance.now() < this.#backUntil;
    const pill = part(this.view, ".connection", HTMLElement);
    pill.dataset["state"] = lost ? "lost" : back ? "back" : "quiet";
    const unsent = session.sending.outbox.messages().filter((e) => !e.failed).length;
    setText(pill, lost ? (unsent ? t("room.lost-kept", { n: unsent }) : t("room.lost")) : back ? t("room.back") : "");
  }
}
