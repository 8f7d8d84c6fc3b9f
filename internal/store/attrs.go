package store

import (
	"encoding/json"
	"fmt"
	"time"

	"parley/internal/chat"
	"parley/internal/format"
)

// storedAttrs is the JSON of chat.Attrs in a database.
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

// AttrsOrNil returns x without the fields that are not stored, or nil if no other field is set.
func AttrsOrNil(x *chat.Attrs) *chat.Attrs {
	x.Present = nil
	if x.ReplyTo == 0 && !x.Action && x.Forward == nil && len(x.Mentions) == 0 && !x.Here {
		return nil
	}
	return x
}

// PackAttrs returns x as a database stores it, or nil, which is NULL, if x is empty.
func PackAttrs(x *chat.Attrs) (*string, error) {
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

// UnpackAttrs returns what PackAttrs has packed, nil if text is empty.
func UnpackAttrs(text []byte) (*chat.Attrs, error) {
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

// EditedAttrs returns a message's attributes after an edit: the mentions are those of the edit, all else is from the
// message.
func EditedAttrs(first, edit *chat.Attrs) *chat.Attrs {
	x := &chat.Attrs{}
	if first != nil {
		*x = *first
	}
	x.Mentions, x.Here = nil, false
	if edit != nil {
		x.Mentions, x.Here = edit.Mentions, edit.Here
	}
	return AttrsOrNil(x)
}

// QuoteOf returns the quote of a message by its author, the author's name of that time and its newest text. It is nil
// if the message has been deleted.
func QuoteOf(author chat.PersonID, name, text string) *chat.Quote {
	if text == "" {
		return nil
	}
	return &chat.Quote{From: chat.Person{ID: author, Name: name}, Text: format.Preview(text, chat.MaxQuote)}
}
