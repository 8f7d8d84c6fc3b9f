package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"parley/internal/chat"
)

// storedAttrs is the JSON of chat.Attrs in the database.
type storedAttrs struct {
	ReplyTo  chat.Seq       `json:"reply_to,omitempty"`
	Action   bool           `json:"action,omitempty"`
	Forward  *storedForward `json:"forward,omitempty"`
	Mentions []chat.Person  `json:"mentions,omitempty"`
	Here     bool           `json:"here,omitempty"`
}

type storedForward struct {
	From chat.Person `json:"from"`
	AtMS int64       `json:"at_ms"`
}

// packAttrs returns x as JSON, or nil, which is NULL, if x is empty.
func packAttrs(x *chat.Attrs) (any, error) {
	if x == nil {
		return nil, nil
	}
	k := storedAttrs{ReplyTo: x.ReplyTo, Action: x.Action, Mentions: x.Mentions, Here: x.Here}
	if f := x.Forward; f != nil {
		k.Forward = &storedForward{From: f.From, AtMS: f.At.UnixMilli()}
	}
	text, err := json.Marshal(k)
	if err != nil || string(text) == "{}" {
		return nil, err
	}
	return string(text), nil
}

func unpackAttrs(text string) (*chat.Attrs, error) {
	if text == "" {
		return nil, nil
	}
	var k storedAttrs
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		return nil, fmt.Errorf("what an event has beside its text: %w", err)
	}
	x := &chat.Attrs{ReplyTo: k.ReplyTo, Action: k.Action, Mentions: k.Mentions, Here: k.Here}
	if f := k.Forward; f != nil {
		x.Forward = &chat.Forward{From: f.From, At: time.UnixMilli(f.AtMS).UTC()}
	}
	return x, nil
}

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
func unpackOptional(e *chat.Event, packed []byte) (few optionalColumns, err error) {
	if e.Kind = chat.Message; packed == nil {
		return few, nil
	}
	if err := json.Unmarshal(packed, &few); err != nil {
		return few, fmt.Errorf("event %d of %s: %w", e.Seq, e.Room, err)
	}
	e.Kind, e.Target = cmp.Or(few.Kind, chat.Message), few.Target
	e.Extra, err = unpackAttrs(few.Extra)
	return few, err
}

// quoteText reads the author and the text of a quoted message. The text is empty if the message has
// been deleted.
var quoteText = `
	SELECT p.public, m.name, coalesce(c.text, m.text)
	FROM event m JOIN person p ON p.id = m.author LEFT JOIN event c ON c.id = m.current
	WHERE m.id = ` + namedSQL("$2")

// quote sets the quote of x. It stays nil if the quoted message has been deleted.
func quote(ctx context.Context, stmt *sql.Stmt, room chat.RoomName, x *chat.Attrs) error {
	q := &chat.Quote{}
	err := stmt.QueryRowContext(ctx, string(room), int64(x.ReplyTo)).Scan(&q.From.ID, &q.From.Name, &q.Text)
	if errors.Is(err, sql.ErrNoRows) { // a person has deleted the row by hand
		return nil
	}
	if err != nil {
		return fmt.Errorf("what is quoted of %s: %w", room, err)
	}
	if q.Text != "" {
		q.Text = chat.Preview(q.Text, chat.MaxQuote)
		x.Quote = q
	}
	return nil
}
