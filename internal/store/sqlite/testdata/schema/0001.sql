BEGIN TRANSACTION;
CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
INSERT INTO "goose_db_version" VALUES(1,0,1,'2023-11-14 22:13:20');
INSERT INTO "goose_db_version" VALUES(2,1,1,'2023-11-14 22:13:20');
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
INSERT INTO "message" VALUES(1,1,1700000000000,1,'Ada','Hello, **world**','nonce-1');
INSERT INTO "message" VALUES(1,2,1700000000001,2,'Grace','Hi
Ada',NULL);
CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "meta" VALUES('epoch','abcdefghijklm');
INSERT INTO "meta" VALUES('file','inode 1 of 1700000000.000000000');
INSERT INTO "meta" VALUES('start','2');
CREATE TABLE person (
    id         INTEGER PRIMARY KEY,
    public     TEXT NOT NULL UNIQUE, -- the id that everybody sees
    name       TEXT NOT NULL,        -- as it is now
    created_ms INTEGER NOT NULL
);
INSERT INTO "person" VALUES(1,'ada','Ada',1700000000000);
INSERT INTO "person" VALUES(2,'grace','Grace',1700000000000);
CREATE TABLE room (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE, -- in its canonical form
    created_ms INTEGER NOT NULL
);
INSERT INTO "room" VALUES(1,'lobby',1700000000000);
CREATE TABLE session (
    token_hash BLOB NOT NULL PRIMARY KEY, -- SHA-256: who reads this file can be nobody else
    person     INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    created_ms INTEGER NOT NULL,
    seen_ms    INTEGER NOT NULL           -- brought up to date once a day
) WITHOUT ROWID;
INSERT INTO "session" VALUES(X'006A7CE0E1E1E6903EBE8A0893B2E8F160127587DD11F26F37AB1EC379F64348',1,1700000000000,1700000000000);
CREATE INDEX session_person ON session (person);
CREATE UNIQUE INDEX message_nonce ON message (room, author, nonce) WHERE nonce IS NOT NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('goose_db_version',2);
COMMIT;
