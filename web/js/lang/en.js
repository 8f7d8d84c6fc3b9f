// en.js: what the page says, in English: the catalogue that all others follow. A sentence has a key, values stand in it as
// {name}, and one that counts has a form per plural category of the language (Intl.PluralRules), chosen by {n}.
// Sections are by place on the page; a key is added here and in each other file of this folder.
export default {
  // Everywhere
  "close": "Close",
  "you": "you",
  "loading": "Loading…",
  "share": "Share",
  "people.here": { one: "{n} person here", other: "{n} people here" },
  "people.unknown": "Who is here?",
  "people.many": "Too many to list them all.",
    "messages.n": { one: "{n} message", other: "{n} messages" },
  "today": "Today",
  "yesterday": "Yesterday",

  // What goes wrong
  "error.silent": "The server does not answer.",
  "error.status": "The server answered with {status}.",
  "error.nobody": "The server did not say who you are.",
  "error.dots": "A room's name needs more than dots.",
  "error.retrying": "The server does not answer. Trying again…",
  "error.no-room": "There can be no such room",
  "error.no-page": "There is nothing at this address",
  "error.no-page-why": "A room's address is /r/ and its name.",
  "error.choose": "Choose a room",
  "error.no-message": "There is no message {seq} here.",
  "error.not-durable": "This browser keeps nothing: an unsent message is lost with this page.",

  // Why the server refuses; in English it says so itself, and in more detail
  "refused.bad_room": "A room's name is made of 1 to 64 letters, digits, “-”, “_” and “.”.",
  "refused.bad_name": "A name has 1 to 32 visible characters.",
  "refused.bad_text": "There is nothing in it that could be read.",
  "refused.too_long": "That has too many characters.",
  "refused.too_large": "That is too large.",
  "refused.too_many": "There are enough of these.",
  "refused.rate_limited": "That was too fast. Please wait a moment.",
  "refused.not_yours": "Only who wrote it may do that.",
  "refused.not_found": "That is not there (any more).",
  "refused.gone": "That message has been deleted.",
  "refused.other": "The server cannot do that right now.",

  // The way in
  "front.lead": "Rooms to talk in. Whoever has the link is in.",
  "front.name": "Your name",
  "front.room": "Room",
  "front.hint": "Any name is a room: letters, digits, “-”, “_” and “.”. A made-up name cannot be guessed.",
  "front.make-up": "Make up a name",
  "front.enter": "Enter the room",
  "front.visits": "Rooms you visited",
  "front.forget": "Remove {room} from this list",
  "front.kept": "What is said in a room is kept on this server and goes nowhere else. Which rooms you visit, only this browser remembers.",
  "join.welcome": "Welcome to {room}",
  "join.count": { one: "{n} person is here now", other: "{n} people are here now" },
  "join.nobody": "Nobody is here right now",
  "join.unwritten": "nobody has written yet",
  "join.summary": "{here}; {written}.",

  // Around a room
  "room.skip": "Skip to the message field",
  "room.home": "Parley: all rooms",
  "room.share": "Share this room",
  "room.share-note": "Whoever has this link can read and write here.",
  "room.share-link": "Link to this room",
  "room.share-copy": "Copy link",
  "room.share-send": "Send to…",
  "room.copied": "Link copied",
  "room.not-copied": "This browser does not let the page copy; the link is selected.",
  "room.lost": "Reconnecting…",
  "room.lost-kept": { one: "Reconnecting… {n} message kept here.", other: "Reconnecting… {n} messages kept here." },
  "room.back": "Back online",

  // You
  "you.button": "You are {name}: change your name or the theme",
  "you.title": "You",
  "you.save": "Save name",
  "theme": "Theme",
  "theme.system": "System",
  "theme.light": "Light",
  "theme.dark": "Dark",

  // The panel at the side
  "rooms.title": "Rooms",
  "panel.close": "Close panel",

  // Talk: the log
  "log.label": "Messages",
  "log.loading": "Loading messages…",
  "log.empty": "Nobody has written here yet",
  "log.empty-note": "Say the first word, or share the link with whom you want to talk.",
  "log.new": "New",
  "log.older": "Loading earlier messages…",
  "log.newer": "Loading newer messages…",
  "log.beginning": "This is where the room begins.",
  "log.unread": { one: "{n} new message", other: "{n} new messages" },
  "log.newest": "Jump to newest",

  // Talk: a message
  "message.retry": "Send again",
  "message.take-back": "Take back",
  "message.copy": "Copy link to this message",
  "message.copied": "Link to the message copied",
  "message.failed": "Not sent. {reason}",
  "message.unconfirmed": "Kept on this device, not confirmed yet",
  "message.soon": "Kept on this device; sending again in a moment",
  "message.later": "Kept on this device; the server cannot take it right now",
  "message.unsent": "Kept on this device, not sent yet",

  // Talk: the composer
  "composer.label": "Your message",
  "composer.placeholder": "Message {room}",
  "composer.send": "Send",
  "composer.over": { one: "{n} too many", other: "{n} too many" },
  "composer.left": { one: "{n} left", other: "{n} left" },
  "typing.one": "{name} is typing…",
  "typing.two": "{name} and {other} are typing…",
  "typing.many": "Several people are typing…",
};
