package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"parley/internal/chat"
)

// keptExtra is the form in which a chat.Extra is kept.
type keptExtra struct {
	ReplyTo  chat.Seq      `json:"reply_to,omitempty"`
	Action   bool          `json:"action,omitempty"`
	Forward  *keptForward  `json:"forward,omitempty"`
	Mentions []chat.Person `json:"mentions,omitempty"`
	Here     bool          `json:"here,omitempty"`
}

type keptForward struct {
	From chat.Person `json:"from"`
	AtMS int64       `json:"at_ms"`
}

// packExtra returns x as it is kept: nil, which is NULL, if there is nothing in it.
func packExtra(x *chat.Extra) (any, error) {
	if x == nil {
		return nil, nil
	}
	k := keptExtra{ReplyTo: x.ReplyTo, Action: x.Action, Mentions: x.Mentions, Here: x.Here}
	if f := x.Forward; f != nil {
		k.Forward = &keptForward{From: f.From, AtMS: f.At.UnixMilli()}
	}
	text, err := json.Marshal(k)
	if err != nil || string(text) == "{}" {
		return nil, err
	}
	return string(text), nil
}

func unpackExtra(text string) (*chat.Extra, error) {
	if text == "" {
		return nil, nil
	}
	var k keptExtra
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		return nil, fmt.Errorf("what an event has beside its text: %w", err)
	}
	x := &chat.Extra{ReplyTo: k.ReplyTo, Action: k.Action, Mentions: k.Mentions, Here: k.Here}
	if f := k.Forward; f != nil {
		x.Forward = &chat.Forward{From: f.From, At: time.UnixMilli(f.AtMS).UTC()}
	}
	return x, nil
}

// quoteText is how a message is quoted: without its text where that is gone.
const quoteText = `
	SELECT p.public, m.name, coalesce(c.text, m.text)
	FROM event m JOIN person p ON p.id = m.author LEFT JOIN event c ON c.id = m.current
	WHERE m.id = (SELECT id << 36 | $2 FROM room WHERE name = $1)`

// quote fills in what the message says that x answers.
func quote(ctx context.Context, stmt *sql.Stmt, room chat.RoomName, x *chat.Extra) error {
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
