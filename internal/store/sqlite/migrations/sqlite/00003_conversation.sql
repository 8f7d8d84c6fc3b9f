-- What people do with messages, as events of the same log; what each person
-- keeps of a room; and what the index of texts has to be told.

-- +goose Up
-- The log holds more than messages now. A message's own row is never changed but
-- by its deletion; what it says now is in the row that current names.
ALTER TABLE message RENAME TO event;
ALTER TABLE event ADD COLUMN kind TEXT;       -- chat.Kind; NULL for a message, which nearly all are
ALTER TABLE event ADD COLUMN target INTEGER;  -- the id of the message that it changes, or whose thread it is in
ALTER TABLE event ADD COLUMN extra TEXT;      -- chat.Extra as JSON; NULL for nearly all
ALTER TABLE event ADD COLUMN current INTEGER; -- of what was said: the id of its newest edit, or of its deletion

-- All that was done to a message, and its thread, by kind and in order.
CREATE INDEX event_by_target ON event (target, kind, id) WHERE target IS NOT NULL;

ALTER TABLE room ADD COLUMN topic TEXT NOT NULL DEFAULT '';

-- The reactions that stand: one for each person and emoji.
CREATE TABLE reaction (
    target INTEGER NOT NULL, -- the message's id
    emoji  TEXT NOT NULL,
    person INTEGER NOT NULL,
    event  INTEGER NOT NULL, -- the id of the reaction
    PRIMARY KEY (target, emoji, person)
) WITHOUT ROWID;

-- The pins that stand. A room's are side by side.
CREATE TABLE pin (
    target INTEGER PRIMARY KEY, -- the message's id
    event  INTEGER NOT NULL     -- the id of the pinning
);

-- A name as it is looked for: case-folded.
ALTER TABLE person ADD COLUMN folded TEXT NOT NULL DEFAULT '';
UPDATE person SET folded = fold_name(name); -- chat.FoldName
CREATE INDEX person_by_folded ON person (folded);

-- Who has been in a room or has written to it, and what the room is to them.
CREATE TABLE member (
    person    INTEGER NOT NULL,
    room      INTEGER NOT NULL,
    read      INTEGER NOT NULL DEFAULT 0, -- the seq up to which they have read
    notify    TEXT NOT NULL DEFAULT 'all', -- all, mentions or none
    muted     INTEGER NOT NULL DEFAULT 0,
    favourite INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (person, room)
) WITHOUT ROWID;

-- Whoever has written to a room is a member from the start, and has read what
-- there is: nobody finds years of messages unread.
INSERT INTO member (person, room, read)
SELECT w.author, r.id, (SELECT max(id) & 0xfffffffff FROM event WHERE id BETWEEN r.id << 36 AND (r.id << 36) + 0xfffffffff)
FROM room r, (SELECT DISTINCT author, room FROM event) w WHERE w.room = r.id;

-- Whom messages name: by person, in the order of the rooms' logs.
CREATE TABLE mention (
    person INTEGER NOT NULL,
    event  INTEGER NOT NULL, -- the message's id
    PRIMARY KEY (person, event)
) WITHOUT ROWID;

CREATE INDEX mention_by_event ON mention (event);

-- What people keep for themselves.
CREATE TABLE saved (
    person INTEGER NOT NULL,
    event  INTEGER NOT NULL, -- the message's id
    at_ms  INTEGER NOT NULL,
    PRIMARY KEY (person, event)
) WITHOUT ROWID;

-- Whom a thread's new replies are told.
CREATE TABLE follow (
    target INTEGER NOT NULL, -- the id of the thread's first message
    person INTEGER NOT NULL,
    PRIMARY KEY (target, person)
) WITHOUT ROWID;

CREATE INDEX follow_by_person ON follow (person);

-- What deleted messages said, until the index of texts has taken it out too.
CREATE TABLE erased (
    target INTEGER NOT NULL, -- the deleted message's id
    event  INTEGER NOT NULL, -- the id of the message or of the edit that said it
    text   TEXT NOT NULL,
    PRIMARY KEY (target, event)
) WITHOUT ROWID;
