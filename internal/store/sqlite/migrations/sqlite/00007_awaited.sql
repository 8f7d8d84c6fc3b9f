-- Rooms that a person has entered before anybody wrote to them. They are in the
-- person's list, and become rows of member with the room's first event.

-- +goose Up
CREATE TABLE awaited (
    person    INTEGER NOT NULL,
    room_name TEXT NOT NULL,               -- there is no row of room yet
    at_ms     INTEGER NOT NULL,            -- when the person entered it last
    notify    TEXT NOT NULL DEFAULT 'all', -- these three as in member
    muted     INTEGER NOT NULL DEFAULT 0,
    favourite INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (person, room_name)
) WITHOUT ROWID;

CREATE INDEX awaited_by_room ON awaited (room_name);
