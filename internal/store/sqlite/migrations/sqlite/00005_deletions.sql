-- What deleted messages said is not kept any more, not even for the index of texts;
-- that is told which they are.

-- +goose Up
DROP TABLE erased;

-- The deletions, room by room, in order of seq.
CREATE INDEX event_deletion ON event (id) WHERE kind = 'delete';
