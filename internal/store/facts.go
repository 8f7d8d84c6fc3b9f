package store

import (
	"time"

	"parley/internal/access"
	"parley/internal/chat"
)

// A Room is a room as the transaction sees it.
type Room struct {
	Key  int64    // the database's own
	Head chat.Seq // of its newest event; 0: it has none
}

// An Author is a person who writes.
type Author struct {
	Key     int64 // the database's own
	Answers bool  // the database may hold answers to nonces of theirs
}

// Facts are what the rules have to know about a batch. The committer makes them with the
// questions, which are the keys of the maps. Load fills in the answers; an answer that it
// does not find keeps its zero value. The rules update them with each decision.
type Facts struct {
	Messages map[chat.MessageRef]*Message
	Rooms    map[*Room]*RoomFacts
	Nonces   map[Nonce]*FirstUse
	Names    map[Name][]Named
	People   map[chat.PersonID]int64 // keys of people
}

// A Message has the facts about a message that a draft changes or answers.
type Message struct {
	Needs Needs // questions

	Room    int64       // key
	Author  int64       // key
	From    chat.Person // the author, by the name of that time
	Kind    chat.Kind   // "": there is no such event
	Text    string      // as it is now; "": it has been deleted
	Thread  chat.Seq    // of the first message of its thread; 0: it is in none
	Current chat.Seq    // the newest edit, or the deletion; 0: neither
	Forward bool        // another person said it first

	Edits   int                  // for NeedEdits
	Texts   []string             // for NeedTexts: in all its versions
	Pin     chat.Seq             // for NeedPin: the event that pinned it; 0: it is not pinned
	Emoji   map[string]int       // for NeedEmoji: how many people have put each, or at least 1
	Reacted map[Reacted]chat.Seq // questions: the event by which a person has put an emoji; 0: none
}

// facts returns the facts about the message on which access decides.
func (m *Message) facts() access.Facts {
	return access.Facts{Exists: m.Kind != "", IsDeleted: m.Text == "", IsForward: m.Forward}
}

// addReaction adds a person's emoji to m with the event seq.
func (m *Message) addReaction(r Reacted, seq chat.Seq) {
	if m.Reacted == nil {
		m.Reacted = map[Reacted]chat.Seq{}
	}
	if m.Emoji == nil {
		m.Emoji = map[string]int{}
	}
	m.Reacted[r] = seq
	m.Emoji[r.Emoji]++
}

func (m *Message) removeReaction(r Reacted) {
	m.Reacted[r] = 0
	if m.Emoji[r.Emoji]--; m.Emoji[r.Emoji] <= 0 {
		delete(m.Emoji, r.Emoji)
	}
}

// Needs says which facts of a message are asked for, beside those that all have.
type Needs uint8

// The optional facts of a message.
const (
	NeedThread Needs = 1 << iota // the first message of its thread is a question too
	NeedEdits
	NeedTexts
	NeedPin
	NeedEmoji
	NeedCounts // Emoji has for each emoji of Reacted how many people, up to len(Reacted)+1
)

// Reacted is an emoji of one person on a message.
type Reacted struct {
	Emoji  string
	Person int64 // key
}

// RoomFacts are the facts about a room, except for its head.
type RoomFacts struct {
	NeedPins, NeedTopic bool // questions

	Pins  int // how many of its messages are pinned
	Topic string
}

// A Nonce is one that an author has used in a room; both by their keys.
type Nonce struct {
	Nonce        string
	Author, Room int64
}

// A FirstUse describes the first draft or write with a nonce.
type FirstUse struct {
	Answers bool // question: an answer without an event may be stored for it

	Kind   chat.Kind // "": the nonce is new
	Event  bool      // it made an event; else only its answer is stored
	Seq    chat.Seq
	At     time.Time
	Name   string // of an event: its author's
	Text   string // of an event
	Target chat.Seq
	Emoji  string
}

// A Name is one that a message may mention, in a room by its key.
type Name struct {
	Folded string
	Room   int64
}

// Named is a person whom a message mentions.
type Named struct {
	Key    int64
	Person chat.Person
}

// facts returns the questions about the rows from first on, nil if there are none. With
// nonces it asks for those of plain messages too.
func (b *batch) facts(first int, nonces bool) *Facts {
	b.known, b.named, b.unsure, b.asked = nil, nil, nil, nil
	for i := first; i < len(b.rows); i++ {
		r := &b.rows[i]
		r.plain = isPlain(r)
		if !r.plain || r.Draft.Nonce != "" && (nonces || r.By.Answers) {
			b.ask(r)
		}
	}
	return b.known
}

// isPlain reports whether a row's draft is a message that needs no facts.
func isPlain(r *Row) bool {
	d := r.Draft
	return d.Is() == chat.Message && d.Target == 0 && d.Attrs == nil && len(r.mentions) == 0 &&
		d.Source == (chat.MessageRef{})
}

// ask adds the questions about one row.
func (b *batch) ask(r *Row) {
	if b.known == nil {
		b.known = &Facts{
			Messages: map[chat.MessageRef]*Message{}, Rooms: map[*Room]*RoomFacts{}, Nonces: map[Nonce]*FirstUse{},
			Names: map[Name][]Named{}, People: map[chat.PersonID]int64{},
		}
		b.named, b.asked = map[*Row][]Named{}, map[Name]struct{}{}
	}
	f, d := b.known, r.Draft
	if d.Nonce != "" {
		f.Nonces[r.nonce()] = &FirstUse{Answers: r.By.Answers}
	}
	if r.plain {
		return
	}
	switch kind := d.Is(); kind {
	case chat.Message, chat.Reply:
		if d.Target != 0 {
			b.askMessage(r, d.Target, NeedThread)
		}
		if d.Attrs != nil && d.Attrs.ReplyTo != 0 {
			b.askMessage(r, d.Attrs.ReplyTo, 0)
		}
		if d.Source.Seq > 0 {
			f.message(d.Source, 0)
		}
		b.askNames(r)
	case chat.Edit:
		b.askMessage(r, d.Target, NeedEdits)
		b.askNames(r)
	case chat.Delete:
		b.askMessage(r, d.Target, NeedTexts|NeedPin)
	case chat.React, chat.Unreact:
		needs := NeedEmoji
		if kind == chat.Unreact {
			needs |= NeedCounts
		}
		if m := b.askMessage(r, d.Target, needs); m != nil {
			if m.Reacted == nil {
				m.Reacted = map[Reacted]chat.Seq{}
			}
			m.Reacted[Reacted{d.Text, r.By.Key}] = 0
		}
	case chat.Pin, chat.Unpin:
		b.askMessage(r, d.Target, NeedPin)
		f.room(r.Room).NeedPins = true
	case chat.Topic:
		f.room(r.Room).NeedTopic = true
	}
}

// askMessage asks for a message of a row's room. It returns nil if there can be no such
// event.
func (b *batch) askMessage(r *Row, seq chat.Seq, needs Needs) *Message {
	if seq < 1 {
		return nil
	}
	return b.known.message(chat.MessageRef{Room: r.Draft.Room, Seq: seq}, needs)
}

func (f *Facts) message(at chat.MessageRef, needs Needs) *Message {
	m := f.Messages[at]
	if m == nil {
		m = &Message{}
		f.Messages[at] = m
	}
	m.Needs |= needs
	return m
}

func (f *Facts) room(r *Room) *RoomFacts {
	x := f.Rooms[r]
	if x == nil {
		x = &RoomFacts{}
		f.Rooms[r] = x
	}
	return x
}

// askNames asks for the people whom a row's text may name, and for those who were in the
// room when it was sent.
func (b *batch) askNames(r *Row) {
	b.lookNames(r, func(n Name) { b.known.Names[n] = nil })
	if x := r.Draft.Attrs; x != nil {
		for _, id := range x.Present {
			b.known.People[id] = 0
		}
	}
}

// lookNames finds the people whom a row's text names. It calls missing for each name that
// is not known yet, and notes the row if it needs a name that has not been loaded.
func (b *batch) lookNames(r *Row, missing func(Name)) {
	unsure := false
	b.named[r] = namedIn(r.mentions, func(folded string) []Named {
		name := Name{folded, r.Room.Key}
		people, known := b.known.Names[name]
		if !known {
			missing(name)
			b.asked[name] = struct{}{}
		}
		_, asked := b.asked[name]
		unsure = unsure || asked
		return people
	})
	if unsure {
		b.unsure = append(b.unsure, r)
	}
}

// moreNames looks again at the texts whose names were not loaded, now that they are, and
// returns the names that have to be known too: a name that is found ends the search for
// shorter ones, and leaves room for others. With atOnce these are all names of a text, so
// that none is missing the next time.
func (b *batch) moreNames(atOnce bool) (more *Facts) {
	rows := b.unsure
	b.unsure = nil
	clear(b.asked)
	ask := func(n Name) {
		if more == nil {
			more = &Facts{Names: map[Name][]Named{}}
		}
		more.Names[n] = nil
	}
	for _, r := range rows {
		misses := false
		b.lookNames(r, func(n Name) {
			misses = true
			ask(n)
		})
		if atOnce && misses {
			eachName(r.mentions, func(folded string) {
				if n := (Name{folded, r.Room.Key}); !b.known.has(n) {
					ask(n)
				}
			})
		}
	}
	return more
}

func (f *Facts) has(n Name) bool {
	_, ok := f.Names[n]
	return ok
}
