-- The log: rooms, the people who write, what they wrote, and how they prove
-- who they are. Times are milliseconds since 1970 in UTC.

-- +goose Up
CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE room (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE, -- in its canonical form
    created_ms INTEGER NOT NULL
);

CREATE TABLE person (
    id         INTEGER PRIMARY KEY,
    public     TEXT NOT NULL UNIQUE, -- the id that everybody sees
    name       TEXT NOT NULL,        -- as it is now
    created_ms INTEGER NOT NULL
);

CREATE TABLE session (
    token_hash BLOB NOT NULL PRIMARY KEY, -- SHA-256: who reads this file can be nobody else
    person     INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    created_ms INTEGER NOT NULL,
    seen_ms    INTEGER NOT NULL           -- brought up to date once a day
) WITHOUT ROWID;

CREATE INDEX session_person ON session (person);

-- A room's messages lie side by side in order of seq, so that a page of history
-- is one stretch of the file. The references are deferred because a statement
-- that can fail in its middle for them would cost a journal of its own.
CREATE TABLE message (
    room   INTEGER NOT NULL REFERENCES room (id) DEFERRABLE INITIALLY DEFERRED,
    seq    INTEGER NOT NULL,
    at_ms  INTEGER NOT NULL,
    author INTEGER NOT NULL REFERENCES person (id) DEFERRABLE INITIALLY DEFERRED,
    name   TEXT NOT NULL, -- the author's when they wrote it: history does not change who said it
    text   TEXT NOT NULL,
    nonce  TEXT,          -- NULL if the sender cannot retry
    PRIMARY KEY (room, seq)
) WITHOUT ROWID;

CREATE UNIQUE INDEX message_nonce ON message (room, author, nonce) WHERE nonce IS NOT NULL;
