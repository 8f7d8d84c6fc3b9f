package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"parley/internal/chat"
)

// A copy lives no longer than the message that it was made from: when that is
// deleted, the copy is to be deleted too, and then the copies of the copy. A
// deletion only notes that it has copies, in its own transaction, so a crash
// forgets none; Copies tells whoever deletes them, and each of their deletions
// is an ordinary event of the copy's room.

// source returns the id of the message that a draft is a copy of. The error is
// an *chat.Error if that message has been deleted meanwhile or never was.
func (c *committer) source(ctx context.Context, d *chat.Draft) (id int64, err error) {
	if d.Source.Seq < 1 || d.Source.Seq > maxSeq {
		return 0, errNoMessage
	}
	var text string
	err = c.scan(ctx, []any{&id, &text}, `
		SELECT m.id, coalesce(c.text, m.text) FROM event m LEFT JOIN event c ON c.id = m.current
		WHERE m.id = (SELECT id << 36 | $2 FROM room WHERE name = $1) AND coalesce(m.kind, 'reply') = 'reply'`, string(d.Source.Room), int64(d.Source.Seq))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, errNoMessage
	case err != nil:
		return 0, err
	case text == "":
		return 0, errDeleted
	case d.Text == "": // it was not there when its text was to be read
		return 0, errNoMessage
	}
	return id, nil
}

// noteCopy notes from which message a copy was made.
func (c *committer) noteCopy(ctx context.Context, id, source int64) error {
	return c.exec(ctx, `INSERT INTO forward (copy, source) VALUES ($1, $2)`, id, source)
}

// deleted notes that a message is deleted: its copies are to be deleted, and if it
// was a copy itself that is done.
func (c *committer) deleted(ctx context.Context, id int64) error {
	err := c.exec(ctx, `INSERT INTO copies_due (source) SELECT $1 WHERE EXISTS (SELECT 1 FROM forward WHERE source = $1) ON CONFLICT DO NOTHING`, id)
	if err != nil {
		return err
	}
	var source int64
	err = c.scan(ctx, []any{&source}, `DELETE FROM forward WHERE copy = $1 RETURNING source`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.exec(ctx, `DELETE FROM copies_due WHERE source = $1 AND NOT EXISTS (SELECT 1 FROM forward WHERE source = $1)`, source)
}

// Copies returns deletions of copies that are to be made, at most limit: the
// messages that they were made from are deleted. Each is in the name of who
// forwarded the message, as only a message's author deletes it; whoever reads it
// learns nothing of the other room. To make one twice changes nothing.
func (s *Store) Copies(ctx context.Context, limit int) (due []chat.Draft, err error) {
	err = s.reads.each(ctx, `
		SELECT r.name, f.copy & 0xfffffffff, p.public, p.name
		FROM copies_due d JOIN forward f ON f.source = d.source
		JOIN event c ON c.id = f.copy JOIN person p ON p.id = c.author JOIN room r ON r.id = f.copy >> 36
		LIMIT $1`, []any{limit}, func(rows *sql.Rows) error {
		d := chat.Draft{Kind: chat.Delete}
		err := rows.Scan(&d.Room, &d.Target, &d.From.ID, &d.From.Name)
		due = append(due, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("copies of deleted messages: %w", err)
	}
	return due, nil
}
