-- The servers that use the database now. Each renews its row every two seconds. All times are of the
-- database's clock.

-- +goose Up
CREATE TABLE node (
    id    text COLLATE "C" PRIMARY KEY, -- a random word of the process; its connection is parley-<id>
    name  text COLLATE "C" NOT NULL,    -- by its operator; may be empty
    alone boolean NOT NULL,             -- it does not hear other servers
    since timestamptz NOT NULL,
    until timestamptz NOT NULL          -- from then on it counts as dead
);
