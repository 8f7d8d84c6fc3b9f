// person-card.js: what a press on a person opens, on their face, their name or a mention: who they are, and what can be
// done. It is a menu, so its keys are those of all menus.
/** @import { PageSession } from "../list/page-session.js" */
/** @import { Person } from "../wire/json.js" */
import { showAvatar, showName } from "../ui/avatar.js";
import { emit, fromTemplate, part, setText } from "../ui/dom.js";
import { t } from "../ui/i18n.js";
import { openMenu } from "../ui/menu.js";
import { isolate } from "../ui/text.js";

/** @param {HTMLElement} anchor  what was pressed; the focus comes back to it  @param {Person} person
 * @param {PageSession} session */
export function openPersonCard(anchor, person, session) {
  const { room, me } = session;
  const isMe = person.id === me.id;
  const head = part(fromTemplate("person-head"), ".person-head", HTMLElement);
  showAvatar(part(head, ".avatar", HTMLElement), person);
  showName(part(head, ".name", HTMLElement), person);
  const about = isMe ? t("person.me") : presence(room?.state.people, person.id);
  setText(part(head, ".about", HTMLElement), about);
  head.classList.toggle("lone", about === "");
  const messages = {
    label: t(isMe ? "person.my-messages" : "person.messages"),
    icon: "search",
    does: () => emit(anchor, "find", `from:${quoted(person.name)} `),
  };
  const mention = {
    label: t("person.mention"),
    icon: "at",
    does: () => emit(anchor, "mention", person.name),
  };
  const rename = { label: t("person.rename"), icon: "settings", does: () => emit(anchor, "open", "settings") };
  openMenu(anchor, t("person.card", { name: isolate(person.name) }), isMe ? [messages, rename] : [mention, messages], {
    head,
  });
}

/** @param {ReadonlyMap<string, Person> | null | undefined} people  who is in the room, if that is known
 * @param {string} id */
const presence = (people, id) => (people ? t(people.has(id) ? "person.here" : "person.away") : "");

/** Returns a name as the search takes it. @param {string} name */
const quoted = (name) => (/[\s"“”„«»]/.test(name) ? `"${name.replace(/["“”„«»]/g, " ")}"` : name);
