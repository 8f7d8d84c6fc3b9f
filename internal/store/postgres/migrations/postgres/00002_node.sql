-- The servers that use the database now. Each renews its row every two seconds. All times are of the
-- database's clock.

-- +goose Up
CREATE TABLE node (
    id    text COLLATE "C" PRIMARY KEY, -- a random word of the process; its connection is parley-<id>
    name  text COLLATE "C" NOT NULL,    -- by its operator; may be empty
    alone boolean NOT NULL,             -- it is in no cluster
    hears integer NOT NULL DEFAULT 0,   -- so many other nodes
    since timestamptz NOT NULL,
    until timestamptz NOT NULL          -- from then on it counts as dead
);
