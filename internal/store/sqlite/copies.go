package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"parley/internal/chat"
)

// A copy lives no longer than the message that it was made from: when that is
// deleted, the copy is to be deleted too, and then the copies of the copy. A
// deletion only notes that it has copies, in its own transaction, so a crash
// forgets none; Copies tells whoever deletes them, and each of their deletions
// is an ordinary event of the copy's room.

// Copies returns deletions of copies that are to be made, at most limit: the
// messages that they were made from are deleted. Each is in the name of who
// forwarded the message, as only a message's author deletes it; whoever reads it
// learns nothing of the other room. To make one twice changes nothing.
func (s *Store) Copies(ctx context.Context, limit int) (due []chat.Draft, err error) {
	err = s.reads.each(ctx, `
		SELECT r.name, `+seqSQL("f.copy")+`, p.public, p.name
		FROM copies_due d JOIN forward f ON f.source = d.source
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
