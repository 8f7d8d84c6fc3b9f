-- A room's newest seq is a column, so that it stays what it is when the events that
-- it counts are removed.

-- +goose Up
ALTER TABLE room ADD COLUMN head INTEGER NOT NULL DEFAULT 0; -- the seq of the newest event

UPDATE room SET head = (SELECT coalesce(max(id) & 0xfffffffff, 0) FROM event WHERE id > room.id << 36 AND id < room.id + 1 << 36);
