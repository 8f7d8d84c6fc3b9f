-- Which messages are copies of which, so that a copy is deleted with what it
-- repeats; and the answers that a retry gets again and that are no events.

-- +goose Up
-- The message from which each forwarded copy was made. No door shows it: to know
-- a room's name is to be able to enter it. A copy that is deleted leaves.
CREATE TABLE forward (
    copy   INTEGER PRIMARY KEY, -- the copy's id
    source INTEGER NOT NULL     -- the id of the message that was forwarded
);

CREATE INDEX forward_by_source ON forward (source);

-- Deleted messages that have copies which are not deleted yet.
CREATE TABLE copies_due (
    source INTEGER PRIMARY KEY -- the deleted message's id
);

-- What was asked for with a nonce and made no event: it was so already, or it is
-- one person's own. A retry gets this answer and does nothing.
CREATE TABLE answer (
    nonce  BLOB NOT NULL,    -- as in event
    author INTEGER NOT NULL, -- a person's id
    room   INTEGER NOT NULL, -- a room's id; 0 for what is in no room
    kind   TEXT NOT NULL,    -- chat.Kind, or what was done with one's own
    target INTEGER NOT NULL, -- the id of the message that it is about; 0 for none
    emoji  TEXT NOT NULL,    -- of a reaction; else empty
    seq    INTEGER NOT NULL, -- that was answered
    at_ms  INTEGER NOT NULL,
    PRIMARY KEY (nonce, author, room)
) WITHOUT ROWID;

CREATE INDEX answer_by_author ON answer (author);
