BEGIN TRANSACTION;
CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
INSERT INTO goose_db_version VALUES(1,0,1,'2023-11-14 22:13:20');
INSERT INTO goose_db_version VALUES(2,1,1,'2023-11-14 22:13:20');
INSERT INTO goose_db_version VALUES(3,2,1,'2023-11-14 22:13:20');
INSERT INTO goose_db_version VALUES(4,3,1,'2026-11-26 06:07:25');
INSERT INTO goose_db_version VALUES(5,4,1,'2026-11-29 20:58:06');
INSERT INTO goose_db_version VALUES(6,5,1,'2026-11-29 22:00:00');
INSERT INTO goose_db_version VALUES(7,6,1,'2026-11-30 01:00:00');
INSERT INTO goose_db_version VALUES(8,7,1,'2026-11-30 13:30:00');
CREATE TABLE IF NOT EXISTS "event" (
    id     INTEGER PRIMARY KEY, -- room << 36 | seq
    at_ms  INTEGER NOT NULL,
    author INTEGER NOT NULL,    -- a person's id
    name   TEXT NOT NULL,       -- the author's when they wrote it: history does not change who said it
    text   TEXT NOT NULL,
    nonce  BLOB,                -- a UUID as 16 bytes, others as text; NULL if the sender cannot retry
    room   INTEGER AS (id >> 36),
    seq    INTEGER AS (id & 0xfffffffff)
, kind TEXT, target INTEGER, extra TEXT, current INTEGER);
INSERT INTO event VALUES(68719476737,1700000000000,1,'Ada','Hello, **world**','nonce-1',NULL,NULL,NULL,NULL);
INSERT INTO event VALUES(68719476738,1700000000001,2,'Grace',replace('Hi\nAda','\n',char(10)),NULL,NULL,NULL,NULL,NULL);
CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO meta VALUES('epoch','leklzk66yknfp');
INSERT INTO meta VALUES('file','inode 9994701 of 1795985875.125606047');
INSERT INTO meta VALUES('start','6');
CREATE TABLE person (
    id         INTEGER PRIMARY KEY,
    public     TEXT NOT NULL UNIQUE, -- the id that everybody sees
    name       TEXT NOT NULL,        -- as it is now
    created_ms INTEGER NOT NULL
, folded TEXT NOT NULL DEFAULT '');
INSERT INTO person VALUES(1,'ada','Ada',1700000000000,'ada');
INSERT INTO person VALUES(2,'grace','Grace',1700000000000,'grace');
CREATE TABLE room (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE, -- in its canonical form
    created_ms INTEGER NOT NULL
, topic TEXT NOT NULL DEFAULT '', head INTEGER NOT NULL DEFAULT 0);
INSERT INTO room VALUES(1,'lobby',1700000000000,'',2);
CREATE TABLE session (
    token_hash BLOB NOT NULL PRIMARY KEY, -- SHA-256: who reads this file can be nobody else
    person     INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    created_ms INTEGER NOT NULL,
    seen_ms    INTEGER NOT NULL           -- brought up to date once a day
) WITHOUT ROWID;
INSERT INTO session VALUES(X'006a7ce0e1e1e6903ebe8a0893b2e8f160127587dd11f26f37ab1ec379f64348',1,1700000000000,1700000000000);
CREATE TABLE reaction (
    target INTEGER NOT NULL, -- the message's id
    emoji  TEXT NOT NULL,
    person INTEGER NOT NULL,
    event  INTEGER NOT NULL, -- the id of the reaction
    PRIMARY KEY (target, emoji, person)
) WITHOUT ROWID;
CREATE TABLE pin (
    target INTEGER PRIMARY KEY, -- the message's id
    event  INTEGER NOT NULL     -- the id of the pinning
);
CREATE TABLE member (
    person    INTEGER NOT NULL,
    room      INTEGER NOT NULL,
    read      INTEGER NOT NULL DEFAULT 0, -- the seq up to which they have read
    notify    TEXT NOT NULL DEFAULT 'all', -- all, mentions or none
    muted     INTEGER NOT NULL DEFAULT 0,
    favourite INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (person, room)
) WITHOUT ROWID;
INSERT INTO member VALUES(1,1,2,'all',0,0);
INSERT INTO member VALUES(2,1,2,'all',0,0);
CREATE TABLE mention (
    person INTEGER NOT NULL,
    event  INTEGER NOT NULL, -- the message's id
    PRIMARY KEY (person, event)
) WITHOUT ROWID;
CREATE TABLE saved (
    person INTEGER NOT NULL,
    event  INTEGER NOT NULL, -- the message's id
    at_ms  INTEGER NOT NULL,
    PRIMARY KEY (person, event)
) WITHOUT ROWID;
CREATE TABLE follow (
    target INTEGER NOT NULL, -- the id of the thread's first message
    person INTEGER NOT NULL,
    PRIMARY KEY (target, person)
) WITHOUT ROWID;
CREATE TABLE forward (
    copy   INTEGER PRIMARY KEY, -- the copy's id
    source INTEGER NOT NULL     -- the id of the message that was forwarded
);
CREATE TABLE copies_due (
    source INTEGER PRIMARY KEY -- the deleted message's id
);
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
CREATE TABLE awaited (
    person    INTEGER NOT NULL,
    room_name TEXT NOT NULL,               -- there is no row of room yet
    at_ms     INTEGER NOT NULL,            -- when the person entered it last
    notify    TEXT NOT NULL DEFAULT 'all', -- these three as in member
    muted     INTEGER NOT NULL DEFAULT 0,
    favourite INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (person, room_name)
) WITHOUT ROWID;
INSERT INTO awaited VALUES(2,'garden',1700000000000,'all',0,1);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('goose_db_version',8);
CREATE INDEX session_person ON session (person);
CREATE UNIQUE INDEX message_by_nonce ON "event" (nonce, author, room) WHERE nonce IS NOT NULL;
CREATE INDEX event_by_target ON event (target, kind, id) WHERE target IS NOT NULL;
CREATE INDEX person_by_folded ON person (folded);
CREATE INDEX mention_by_event ON mention (event);
CREATE INDEX follow_by_person ON follow (person);
CREATE INDEX forward_by_source ON forward (source);
CREATE INDEX answer_by_author ON answer (author);
CREATE INDEX event_deletion ON event (id) WHERE kind = 'delete';
CREATE INDEX awaited_by_room ON awaited (room_name);
COMMIT;
