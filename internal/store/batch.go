package store

import (
	"context"
	"errors"
	"time"

	"parley/internal/chat"
)

// A Row is a draft on its way into the log.
type Row struct {
	Draft  *chat.Draft
	Room   *Room
	By     *Author
	Seq    chat.Seq     // of the event that the draft becomes; 0: it makes none
	Change *Change      // what is written beside a plain message's event; nil if nothing is
	Result *chat.Commit // for the draft's sender

	mentions [][]string // names that the draft's text may mention: see chat.PossibleMentions
	plain    bool       // a message that needs no facts
}

// MakesRoom reports whether the row's room is made if there is none. A change of a
// message makes no room.
func (r *Row) MakesRoom() bool { return r.Draft.Target == 0 }

// ListsRoom reports whether the row's author gets the room in their list, unless the
// draft's nonce is known: who repeats a draft may have left the room since. A deletion
// puts a room in nobody's list.
func (r *Row) ListsRoom() bool { return r.Draft.Is() != chat.Delete }

func (r *Row) nonce() Nonce { return Nonce{r.Draft.Nonce, r.By.Key, r.Room.Key} }

// A Change lists what a row writes in addition to its event. The kind of its draft says
// what that means:
//
//   - Message, Reply: Mentions of the new message, Subscribers of Target, Source.
//   - Edit: the event is Target's current version; Target's mentions become Mentions.
//   - Delete: the event is Target's current version; Target's versions lose their texts
//     and extras, and Target its mentions, reactions and pin. Its copies become due. If
//     Target is a copy, it is one no more.
//   - React, Unreact, Pin, Unpin, Topic: the reaction, pin or topic.
type Change struct {
	Target chat.Seq    // of the event
	Attrs  *chat.Attrs // of the event

	Mentions    []int64 // keys of people
	Subscribers []int64 // keys of people
	Source      int64   // key of the room of the draft's Source; 0: it has none
	Answer      *Answer // without an event: what a retry with the same nonce gets
}

// An Answer is kept for a nonce that made no event.
type Answer struct {
	Kind   string
	Target chat.Seq // 0: none
	Emoji  string   // of a reaction
	Seq    chat.Seq
}

// A batch is the rows of a transaction and what is known about them.
type batch struct {
	rows  []Row            // sorted by room
	known *Facts           // nil if no row needs any
	named map[*Row][]Named // whom texts mention

	unsure []*Row            // whose names have not all been loaded
	asked  map[Name]struct{} // names that the next load brings
}

// load asks the engine for the facts about the rows from first on. With nonces these
// include the nonces of plain messages. With atOnce the second load brings all names that
// may be needed.
func (b *batch) load(ctx context.Context, e Engine, first int, nonces, atOnce bool) error {
	f := b.facts(first, nonces)
	if err := e.Load(ctx, f); err != nil || f == nil {
		return err
	}
	for more := b.moreNames(atOnce); more != nil; more = b.moreNames(atOnce) {
		if err := e.Load(ctx, more); err != nil {
			return err
		}
		for name, people := range more.Names {
			f.Names[name] = people
		}
	}
	return nil
}

// decide decides the results of the rows from first on. A refusal is a row's result;
// an error is the whole transaction's.
func (b *batch) decide(first int, at time.Time) error {
	at = time.UnixMilli(at.UnixMilli()).UTC()
	for i := first; i < len(b.rows); i++ {
		r := &b.rows[i]
		if r.plain && (r.Draft.Nonce == "" || b.known == nil) {
			b.add(r, nil, at)
			continue
		}
		if err := b.decideRow(i, at); err != nil {
			var refused *chat.Error
			if !errors.As(err, &refused) {
				return attempt(err, r.Draft)
			}
			*r.Result = chat.Commit{Err: refused}
		}
	}
	return nil
}

// undo takes back the decisions about the rows from first on.
func (b *batch) undo(first int) {
	for i := first; i < len(b.rows); i++ {
		r := &b.rows[i]
		if r.Seq != 0 {
			r.Room.Head--
		}
		r.Seq, r.Change, *r.Result = 0, nil, chat.Commit{}
	}
}

// add gives a row's event the room's next seq.
func (b *batch) add(r *Row, change *Change, at time.Time) {
	r.Room.Head++
	r.Seq, r.Change = r.Room.Head, change
	d := r.Draft
	e := chat.Event{
		Room: d.Room, Seq: r.Seq, At: at, Kind: chat.Message, From: d.From, Text: d.Text, HTML: d.HTML,
	}
	if change != nil {
		e.Kind, e.Target, e.Attrs = d.Is(), change.Target, change.Attrs
	}
	*r.Result = chat.Commit{Event: e}
	if b.known != nil && d.Nonce != "" {
		use := &FirstUse{
			Kind: e.Kind, Event: true, Seq: e.Seq, At: at, Name: d.From.Name, Text: d.Text, Target: e.Target,
		}
		if e.Kind == chat.React || e.Kind == chat.Unreact {
			use.Emoji = d.Text
		}
		b.known.Nonces[r.nonce()] = use
	}
}

// message returns a message that the row at i is about. Its Kind is "" if it is missing
// or was not written by a person.
func (b *batch) message(i int, at chat.MessageRef) *Message {
	m := b.known.Messages[at]
	if m == nil || m.Kind == "" {
		m = b.added(i, at)
	}
	if m == nil || !m.Kind.IsSaid() {
		return &Message{}
	}
	return m
}

// inRoom returns a message of the room of the row at i, as message does.
func (b *batch) inRoom(i int, seq chat.Seq) *Message {
	r := &b.rows[i]
	if seq < 1 || seq > r.Room.Head {
		return &Message{}
	}
	return b.message(i, chat.MessageRef{Room: r.Draft.Room, Seq: seq})
}

// added returns a message that a row before the one at i has added, nil if none has.
func (b *batch) added(i int, at chat.MessageRef) *Message {
	for i--; i >= 0 && at.Seq > 0; i-- {
		r := &b.rows[i]
		if r.Seq != at.Seq || r.Draft.Room != at.Room {
			continue
		}
		m := &Message{
			Room: r.Room.Key, Author: r.By.Key, From: r.Draft.From, Kind: r.Draft.Is(), Text: r.Draft.Text,
			Texts: []string{r.Draft.Text},
		}
		if c := r.Change; c != nil {
			m.Thread, m.Forward = c.Target, c.Attrs != nil && c.Attrs.Forward != nil
		}
		b.known.Messages[at] = m
		return m
	}
	return nil
}
