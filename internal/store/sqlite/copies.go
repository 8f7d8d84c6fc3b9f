package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"parley/internal/chat"
)

// A copy is deleted when its source is, and then the copies of the copy. The deletion of a source
// only stores, in its own transaction, that copies are due, so that a crash loses nothing. Copies
// returns the due deletions; each is an ordinary event of the copy's room.

// Copies returns at most limit due deletions of copies. Each is in the name of the person who
// forwarded the message, because only a message's author may delete it, and because it then tells
// its readers nothing of the other room. A deletion that is made twice changes nothing. CROSS JOIN
// makes SQLite begin with what is due, not with all copies.
func (s *Store) Copies(ctx context.Context, limit int) (due []chat.Draft, err error) {
	err = s.reads.each(ctx, `
		SELECT r.name, `+seqSQL("f.copy")+`, p.public, p.name
		FROM copies_due d CROSS JOIN forward f ON f.source = d.source
		JOIN event c ON c.id = f.copy JOIN person p ON p.id = c.author JOIN room r ON r.id = `+roomSQL("f.copy")+`
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
