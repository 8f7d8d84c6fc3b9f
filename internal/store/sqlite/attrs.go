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

// storedAttrs is the form in which a chat.Extra is kept.
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

// packAttrs returns x as it is kept: nil, which is NULL, if there is nothing in it.
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

// optionalColumns is what few rows have, as one column of JSON.
type optionalColumns struct {
	Kind   chat.Kind
	Target chat.Seq
	Extra  string

	Newest   string    // the extra of the newest version
	Current  chat.Kind // what made that: an edit, or a deletion
	Edited   chat.Seq
	EditedMS int64 `json:"edited_ms"`
}

// unpackOptional gives an event what its row has beside the usual; packed is nil for
// nearly all.
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

// quoteText is how a message is quoted: without its text where that is gone.
var quoteText = `
	SELECT p.public, m.name, coalesce(c.text, m.text)
	FROM event m JOIN person p ON p.id = m.author LEFT JOIN event c ON c.id = m.current
	WHERE m.id = ` + namedSQL("$2")

// quote fills in what the message says that x answers.
func quote(ctx context.Context, stmt *sql.Stmt, room chat.RoomName, x *chat.Attrs) error {
	q := &chat.Quote{}
	err := stmt.QueryRowContext(ctx, string(room), int64(x.ReplyTo)).Scan(&q.From.ID, &q.From.Name, &q.Text)
	if errors.Is(err, sql.ErrNoRows) { // somebody has taken it out by hand
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
