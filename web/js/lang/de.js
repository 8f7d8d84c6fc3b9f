// de.js: die Seite auf Deutsch. Angeredet wird mit Du; Wörter wie „Raum“ stehen im Glossar von docs/architecture.md.
/** @type {import("../i18n.js").Catalogue} */
export default {
  // Everywhere
  "close": "Schließen",
  "you": "du",
  "loading": "Wird geladen …",
  "share": "Teilen",
  "people.here": { one: "{n} Person hier", other: "{n} Personen hier" },
  "people.unknown": "Wer ist hier?",
  "people.many": "Zu viele, um alle aufzuzählen.",
    "messages.n": { one: "{n} Nachricht", other: "{n} Nachrichten" },
  "today": "Heute",
  "yesterday": "Gestern",

  // What goes wrong
  "error.silent": "Der Server antwortet nicht.",
  "error.status": "Der Server hat mit {status} geantwortet.",
  "error.nobody": "Der Server hat nicht gesagt, wer du bist.",
  "error.dots": "Der Name eines Raums braucht mehr als Punkte.",
  "error.retrying": "Der Server antwortet nicht. Neuer Versuch läuft …",
  "error.no-room": "Einen solchen Raum kann es nicht geben",
  "error.no-page": "Unter dieser Adresse ist nichts",
  "error.no-page-why": "Die Adresse eines Raums ist /r/ und sein Name.",
  "error.choose": "Raum wählen",
  "error.no-message": "Eine Nachricht {seq} gibt es hier nicht.",
  "error.not-durable": "Dieser Browser merkt sich nichts: Was nicht abgeschickt ist, geht mit dieser Seite verloren.",

  // Why the server refuses
  "refused.bad_room": "Der Name eines Raums besteht aus 1 bis 64 Buchstaben, Ziffern, „-“, „_“ und „.“.",
  "refused.bad_name": "Ein Name hat 1 bis 32 sichtbare Zeichen.",
  "refused.bad_text": "Darin steht nichts, was man lesen könnte.",
  "refused.too_long": "Das hat zu viele Zeichen.",
  "refused.too_large": "Das ist zu groß.",
  "refused.too_many": "Davon gibt es schon genug.",
  "refused.rate_limited": "Das war zu schnell. Bitte warte einen Augenblick.",
  "refused.not_yours": "Das darf nur, wer es geschrieben hat.",
  "refused.not_found": "Das gibt es nicht (mehr).",
  "refused.gone": "Diese Nachricht wurde gelöscht.",
  "refused.other": "Das kann der Server gerade nicht.",

  // The way in
  "front.lead": "Räume zum Reden. Wer den Link hat, ist dabei.",
  "front.name": "Dein Name",
  "front.room": "Raum",
  "front.hint": "Jeder Name ist ein Raum: Buchstaben, Ziffern, „-“, „_“ und „.“. Einen ausgedachten Namen kann niemand erraten.",
  "front.make-up": "Namen ausdenken",
  "front.enter": "Raum betreten",
  "front.visits": "Besuchte Räume",
  "front.forget": "{room} von dieser Liste streichen",
  "front.kept": "Was in einem Raum gesagt wird, bleibt auf diesem Server und geht nirgendwohin sonst. Welche Räume du besuchst, merkt sich nur dieser Browser.",
  "join.welcome": "Willkommen in {room}",
  "join.count": { one: "{n} Person ist gerade hier", other: "{n} Personen sind gerade hier" },
  "join.nobody": "Gerade ist niemand hier",
  "join.unwritten": "noch hat niemand geschrieben",
  "join.summary": "{here}; {written}.",

  // Around a room
  "room.skip": "Zum Nachrichtenfeld springen",
  "room.home": "Parley: alle Räume",
  "room.share": "Diesen Raum teilen",
  "room.share-note": "Wer diesen Link hat, kann hier lesen und schreiben.",
  "room.share-link": "Link zu diesem Raum",
  "room.share-copy": "Link kopieren",
  "room.share-send": "Senden an …",
  "room.copied": "Link kopiert",
  "room.not-copied": "Dieser Browser lässt die Seite nicht kopieren; der Link ist markiert.",
  "room.lost": "Verbindung wird wiederhergestellt …",
  "room.lost-kept": { one: "Verbindung wird wiederhergestellt … {n} Nachricht liegt hier bereit.", other: "Verbindung wird wiederhergestellt … {n} Nachrichten liegen hier bereit." },
  "room.back": "Wieder verbunden",

  // You
  "you.button": "Du bist {name}: Name oder Aussehen ändern",
  "you.title": "Du",
  "you.save": "Namen speichern",
  "theme": "Aussehen",
  "theme.system": "System",
  "theme.light": "Hell",
  "theme.dark": "Dunkel",

  // The panel at the side
  "rooms.title": "Räume",
  "panel.close": "Seitenleiste schließen",

  // Talk: the log
  "log.label": "Nachrichten",
  "log.loading": "Nachrichten werden geladen …",
  "log.empty": "Hier hat noch niemand geschrieben",
  "log.empty-note": "Sag das erste Wort, oder teile den Link mit denen, mit denen du reden willst.",
  "log.new": "Neu",
  "log.older": "Frühere Nachrichten werden geladen …",
  "log.newer": "Neuere Nachrichten werden geladen …",
  "log.beginning": "Hier beginnt der Raum.",
  "log.unread": { one: "{n} neue Nachricht", other: "{n} neue Nachrichten" },
  "log.newest": "Zum Neuesten",

  // Talk: a message
  "message.retry": "Noch einmal senden",
  "message.take-back": "Zurücknehmen",
  "message.copy": "Link zu dieser Nachricht kopieren",
  "message.copied": "Link zur Nachricht kopiert",
  "message.failed": "Nicht gesendet. {reason}",
  "message.unconfirmed": "Auf diesem Gerät aufgehoben, noch nicht bestätigt",
  "message.soon": "Auf diesem Gerät aufgehoben; wird gleich noch einmal gesendet",
  "message.later": "Auf diesem Gerät aufgehoben; der Server kann sie gerade nicht annehmen",
  "message.unsent": "Auf diesem Gerät aufgehoben, noch nicht gesendet",

  // Talk: the composer
  "composer.label": "Deine Nachricht",
  "composer.placeholder": "Nachricht an {room}",
  "composer.send": "Senden",
  "composer.over": { one: "{n} zu viel", other: "{n} zu viele" },
  "composer.left": { one: "{n} übrig", other: "{n} übrig" },
  "typing.one": "{name} schreibt …",
  "typing.two": "{name} und {other} schreiben …",
  "typing.many": "Mehrere Personen schreiben …",
};
