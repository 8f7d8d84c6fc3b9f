package postgres

import (
	"encoding/json"
	"fmt"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// storedAttrs is the JSON of chat.Attrs in the database, the same in all databases.
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
func packAttrs(x *chat.Attrs) (*string, error) {
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
	return new(string(text)), nil
}

// unpackAttrs returns the attributes of an event; nil if there are none, for which text is nil.
func unpackAttrs(text []byte) (*chat.Attrs, error) {
	if len(text) == 0 {
		return nil, nil
	}
	var k storedAttrs
	if err := json.Unmarshal(text, &k); err != nil {
		return nil, fmt.Errorf("what an event has beside its text: %w", err)
	}
	x := &chat.Attrs{ReplyTo: k.ReplyTo, Action: k.Action, Mentions: k.Mentions, Here: k.Here}
	if f := k.Forward; f != nil {
		x.Forward = &chat.Forward{From: f.From, At: time.UnixMilli(f.AtMS).UTC()}
	}
	return x, nil
}

// withNewest returns a message's attributes after an edit: the mentions are those of the edit, all
// else is from the message.
func withNewest(first *chat.Attrs, edit []byte) (*chat.Attrs, error) {
	newest, err := unpackAttrs(edit)
	if err != nil {
		return nil, err
	}
	x := &chat.Attrs{}
	if first != nil {
		*x = *first
	}
	x.Mentions, x.Here = nil, false
	if newest != nil {
		x.Mentions, x.Here = newest.Mentions, newest.Here
	}
	return store.AttrsOrNil(x), nil
}

// quoteSQL returns SQL for what a message quotes, given SQL for the message's row: an array of the
// author's id, their name and the text of the quoted message. It is NULL if the message quotes none
// or the quoted one is missing; the text is empty if that is deleted.
func quoteSQL(m string) string {
	return `CASE WHEN ` + m + `.extra IS NOT NULL THEN (
			SELECT ARRAY[(SELECT p.public FROM person p WHERE p.id = q.author), q.name,
				coalesce((SELECT c.text FROM event c WHERE c.room = q.room AND c.seq = q.current), q.text)]
			FROM event q
			WHERE q.room = ` + m + `.room AND q.seq = (` + m + `.extra::json ->> 'reply_to')::bigint) END`
}

// setQuote sets the quote of x from a column of quoteSQL. It stays nil if the quoted message has
// been deleted.
func setQuote(x *chat.Attrs, column []string) {
	if x == nil || len(column) < 3 || column[2] == "" {
		return
	}
	x.Quote = &chat.Quote{
		From: chat.Person{ID: chat.PersonID(column[0]), Name: column[1]},
		Text: chat.Preview(column[2], chat.MaxQuote),
	}
}
