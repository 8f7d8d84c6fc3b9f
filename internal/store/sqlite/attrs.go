package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"parley/internal/chat"
	"parley/internal/store"
)

// optionalColumns are the columns that are NULL in most rows. A statement returns them as one
// column of JSON, because the driver works by the column.
type optionalColumns struct {
	Kind   chat.Kind
	Target chat.Seq
	Extra  string

	Newest   string    // extra of the newest version
	Current  chat.Kind // kind of the event that made it: an edit or a deletion
	Edited   chat.Seq
	EditedMS int64 `json:"edited_ms"`
}

// unpackOptional sets the event's fields from the optional columns. packed is nil for most rows.
func unpackOptional(e *chat.Event, packed []byte) (optional optionalColumns, err error) {
	if e.Kind = chat.Message; packed == nil {
		return optional, nil
	}
	if err := json.Unmarshal(packed, &optional); err != nil {
		return optional, fmt.Errorf("event %d of %s: %w", e.Seq, e.Room, err)
	}
	e.Kind, e.Target = cmp.Or(optional.Kind, chat.Message), optional.Target
	e.Attrs, err = store.UnpackAttrs([]byte(optional.Extra))
	return optional, err
}

// quoteText reads the author and the text of a quoted message. The text is empty if the message has
// been deleted.
var quoteText = `
	SELECT p.public, m.name, coalesce(c.text, m.text)
	FROM event m JOIN person p ON p.id = m.author LEFT JOIN event c ON c.id = m.current
	WHERE m.id = ` + namedSQL("$2")

// quote sets the quote of x. It stays nil if the quoted message has been deleted.
func quote(ctx context.Context, stmt *sql.Stmt, room chat.RoomName, x *chat.Attrs) error {
	var author chat.PersonID
	var name, text string
	err := stmt.QueryRowContext(ctx, string(room), int64(x.ReplyTo)).Scan(&author, &name, &text)
	if errors.Is(err, sql.ErrNoRows) { // a person has deleted the row by hand
		return nil
	}
	if err != nil {
		return fmt.Errorf("what is quoted of %s: %w", room, err)
	}
	x.Quote = store.QuoteOf(author, name, text)
	return nil
}
