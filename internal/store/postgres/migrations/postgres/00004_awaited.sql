-- Rooms that a person has entered before anybody wrote to them. They are in the
-- person's list, and become rows of member with the room's first event.

-- +goose Up
CREATE TABLE awaited (
    person    bigint NOT NULL,
    room_name text COLLATE "C" NOT NULL,               -- there is no row of room yet
    at_ms     bigint NOT NULL,                         -- when the person entered it last
    notify    text COLLATE "C" NOT NULL DEFAULT 'all', -- these three as in member
    muted     boolean NOT NULL DEFAULT false,
    favourite boolean NOT NULL DEFAULT false,
    PRIMARY KEY (person, room_name)
);

CREATE INDEX awaited_room ON awaited (room_name);
