package store

import (
	"cmp"
	"slices"
	"time"

	"parley/internal/chat"
)

// kinds are the rules for each kind of draft that is not a plain message. Each either
// adds the row's event, or answers with the event that has the same effect already, or
// returns a *chat.Error.
var kinds = map[chat.Kind]func(*batch, int, time.Time) error{
	chat.Message: (*batch).say,
	chat.Reply:   (*batch).say,
	chat.Edit:    (*batch).edit,
	chat.Delete:  (*batch).delete,
	chat.React:   (*batch).react,
	chat.Unreact: (*batch).unreact,
	chat.Pin:     (*batch).pin,
	chat.Unpin:   (*batch).unpin,
	chat.Topic:   (*batch).topic,
}

// Refusals.
var (
	ErrNoMessage = &chat.Error{Code: chat.NotFound, Message: "There is no such message in this room."}
	errDeleted   = &chat.Error{Code: chat.Gone, Message: "This message has been deleted."}
	ErrNonceUsed = &chat.Error{
		Code:    chat.NonceUsed,
		Message: "You have used this nonce for something else in this room. Make a new one for each command.",
	}
)

// decideRow decides what becomes of one row.
func (b *batch) decideRow(i int, at time.Time) error {
	r := &b.rows[i]
	if r.Draft.Nonce != "" {
		if use := b.known.Nonces[r.nonce()]; use != nil && use.Kind != "" {
			return b.repeat(i, use)
		}
	}
	if r.plain {
		b.add(r, nil, at)
		return nil
	}
	do := kinds[r.Draft.Is()]
	if do == nil {
		return errKind
	}
	return do(b, i, at)
}

// repeat answers a row whose author has used its nonce before with the first answer.
func (b *batch) repeat(i int, use *FirstUse) error {
	r := &b.rows[i]
	if !b.same(i, use) {
		return ErrNonceUsed
	}
	d := r.Draft
	e := chat.Event{Room: d.Room, Seq: use.Seq, At: use.At, Kind: use.Kind, From: d.From, Target: use.Target}
	if use.Event {
		e.From.Name, e.Text = use.Name, use.Text
	} else {
		e.Text = cmp.Or(use.Emoji, d.Text)
	}
	*r.Result = chat.Commit{Event: e, Repeated: true}
	return nil
}

// same reports whether a row asks for what was done with its nonce first: the same kind
// of event, about the same message, with the same emoji. Texts are not compared: the
// first one may be deleted by now.
func (b *batch) same(i int, use *FirstUse) bool {
	d := b.rows[i].Draft
	switch {
	case d.Is() != use.Kind || use.Emoji != "" && use.Emoji != d.Text:
		return false
	case d.Is().IsSaid() && d.Target != 0: // in a thread, which another reply may name too
		_, root, err := b.root(i)
		return err == nil && root == use.Target
	}
	return use.Target == d.Target
}

// root returns the first message of the thread that a row's draft belongs to, and its
// seq. A reply within a thread has no thread of its own.
func (b *batch) root(i int) (*Message, chat.Seq, error) {
	seq := b.rows[i].Draft.Target
	m, err := b.inRoom(i, seq)
	if err == nil && m.Thread != 0 {
		seq = m.Thread
		m, err = b.inRoom(i, seq)
	}
	return m, seq, err
}

// unchanged answers a row that asks for what is so already, since the event seq.
func (b *batch) unchanged(i int, seq chat.Seq, at time.Time) error {
	r := &b.rows[i]
	d := r.Draft
	*r.Result = chat.Commit{Repeated: true, Event: chat.Event{
		Room: d.Room, Seq: seq, At: at, Kind: d.Is(), From: d.From, Text: d.Text, HTML: d.HTML, Target: d.Target,
	}}
	if d.Nonce == "" {
		return nil
	}
	use := &FirstUse{Kind: d.Is(), Seq: seq, At: at, Target: d.Target}
	if use.Kind == chat.React || use.Kind == chat.Unreact {
		use.Emoji = d.Text
	}
	r.By.Answers = true
	r.Change = &Change{Answer: &Answer{Kind: string(use.Kind), Target: use.Target, Emoji: use.Emoji, Seq: seq}}
	b.known.Nonces[r.nonce()] = use
	return nil
}

// say adds a message with more than a text.
func (b *batch) say(i int, at time.Time) error {
	r := &b.rows[i]
	d := r.Draft
	x := &chat.Attrs{}
	if d.Extra != nil {
		*x = *d.Extra
	}
	change := &Change{}
	var root *Message
	var err error
	if d.Target != 0 {
		if root, change.Target, err = b.root(i); err != nil {
			return err
		}
	}
	if x.ReplyTo != 0 {
		m, err := b.inRoom(i, x.ReplyTo)
		if err != nil {
			return err
		}
		if m.Text != "" {
			x.Quote = &chat.Quote{From: m.From, Text: chat.Preview(m.Text, chat.MaxQuote)}
		}
	}
	if d.Source != (chat.MessageRef{}) {
		source, err := b.source(i)
		if err != nil {
			return err
		}
		change.Source = source.Room
	}
	change.Mentions = b.mentions(r, x)
	change.Extra = AttrsOrNil(x)
	b.add(r, change, at)
	if root != nil {
		change.Subscribers = []int64{r.By.Key, root.Author}
	}
	return nil
}

// source returns the message that a row's draft is a copy of.
func (b *batch) source(i int) (*Message, error) {
	d := b.rows[i].Draft
	if d.Source.Seq < 1 {
		return nil, ErrNoMessage
	}
	m, err := b.message(i, d.Source)
	switch {
	case err != nil:
		return nil, err
	case m.Text == "":
		return nil, errDeleted
	case d.Text == "": // the message was not there when its text was read
		return nil, ErrNoMessage
	}
	return m, nil
}

// mentions sets in x whom a row's text names, and returns the keys of those who are told
// of it: all of them but the author, and with @here those who were here.
func (b *batch) mentions(r *Row, x *chat.Attrs) (people []int64) {
	x.Mentions = nil
	for _, m := range b.named[r] {
		x.Mentions = append(x.Mentions, m.Person)
		people = append(people, m.Key)
	}
	for _, id := range x.Present {
		people = append(people, b.known.People[id])
	}
	slices.Sort(people)
	return slices.DeleteFunc(slices.Compact(people), func(p int64) bool { return p == r.By.Key || p == 0 })
}

// AttrsOrNil returns what is stored of x, nil if there is nothing in it.
func AttrsOrNil(x *chat.Attrs) *chat.Attrs {
	x.Present = nil
	if x.ReplyTo == 0 && !x.Action && x.Forward == nil && len(x.Mentions) == 0 && !x.Here {
		return nil
	}
	return x
}

// target returns the message that a row changes, errDeleted if it has no text any more.
func (b *batch) target(i int) (*Message, error) {
	m, err := b.inRoom(i, b.rows[i].Draft.Target)
	if err == nil && m.Text == "" {
		err = errDeleted
	}
	return m, err
}

func (b *batch) edit(i int, at time.Time) error {
	r := &b.rows[i]
	m, err := b.target(i)
	if err != nil {
		return err
	}
	switch {
	case m.Author != r.By.Key:
		return &chat.Error{Code: chat.NotYours, Message: "Only who wrote a message can edit it."}
	case m.Forward:
		return &chat.Error{Code: chat.NotYours, Message: "What somebody else said first cannot be edited."}
	case m.Text == r.Draft.Text:
		return b.unchanged(i, cmp.Or(m.Current, r.Draft.Target), at)
	case m.Edits >= chat.MaxEdits:
		return &chat.Error{
			Code: chat.TooMany, Message: "This message has been edited often enough; write a new one.",
		}
	}
	x := &chat.Attrs{}
	change := &Change{Target: r.Draft.Target, Mentions: b.mentions(r, x)}
	change.Extra = AttrsOrNil(x)
	b.add(r, change, at)
	m.Text, m.Current = r.Draft.Text, r.Seq
	m.Edits++
	m.Texts = append(m.Texts, m.Text)
	return nil
}

func (b *batch) delete(i int, at time.Time) error {
	r := &b.rows[i]
	m, err := b.inRoom(i, r.Draft.Target)
	switch {
	case err != nil:
		return err
	case m.Author != r.By.Key:
		return &chat.Error{Code: chat.NotYours, Message: "Only who wrote a message can delete it."}
	case m.Text == "":
		return b.unchanged(i, m.Current, at)
	}
	b.add(r, &Change{Target: r.Draft.Target}, at)
	r.Result.DeletedTexts = m.Texts
	if m.Pin != 0 {
		b.known.room(r.Room).Pins--
	}
	m.Text, m.Texts, m.Current, m.Pin, m.Emoji, m.Reacted = "", nil, r.Seq, 0, nil, nil
	return nil
}

func (b *batch) react(i int, at time.Time) error {
	r := &b.rows[i]
	m, err := b.target(i)
	if err != nil {
		return err
	}
	mine := Reacted{r.Draft.Text, r.By.Key}
	if seq := m.Reacted[mine]; seq != 0 {
		return b.unchanged(i, seq, at)
	}
	if _, there := m.Emoji[mine.Emoji]; !there && len(m.Emoji) >= chat.MaxEmoji {
		return &chat.Error{
			Code: chat.TooMany, Message: "This message has enough different emoji; add to one that is there.",
		}
	}
	b.add(r, &Change{Target: r.Draft.Target}, at)
	m.react(mine, r.Seq)
	return nil
}

// react notes that somebody has put an emoji on m with the event seq.
func (m *Message) react(mine Reacted, seq chat.Seq) {
	if m.Reacted == nil {
		m.Reacted = map[Reacted]chat.Seq{}
	}
	if m.Emoji == nil {
		m.Emoji = map[string]int{}
	}
	m.Reacted[mine] = seq
	m.Emoji[mine.Emoji]++
}

func (b *batch) unreact(i int, at time.Time) error {
	r := &b.rows[i]
	m, err := b.target(i)
	if err != nil {
		return err
	}
	mine := Reacted{r.Draft.Text, r.By.Key}
	if m.Reacted[mine] == 0 {
		return b.unchanged(i, r.Room.Head, at)
	}
	b.add(r, &Change{Target: r.Draft.Target}, at)
	m.Reacted[mine] = 0
	if m.Emoji[mine.Emoji]--; m.Emoji[mine.Emoji] <= 0 {
		delete(m.Emoji, mine.Emoji)
	}
	return nil
}

func (b *batch) pin(i int, at time.Time) error {
	r := &b.rows[i]
	m, err := b.target(i)
	if err != nil {
		return err
	}
	if m.Pin != 0 {
		return b.unchanged(i, m.Pin, at)
	}
	room := b.known.room(r.Room)
	if room.Pins >= chat.MaxPins {
		return &chat.Error{Code: chat.TooMany, Message: "This room has enough pins; take one away first."}
	}
	b.add(r, &Change{Target: r.Draft.Target}, at)
	m.Pin = r.Seq
	room.Pins++
	return nil
}

func (b *batch) unpin(i int, at time.Time) error {
	r := &b.rows[i]
	m, err := b.inRoom(i, r.Draft.Target)
	if err != nil {
		return err
	}
	if m.Pin == 0 {
		return b.unchanged(i, r.Room.Head, at)
	}
	b.add(r, &Change{Target: r.Draft.Target}, at)
	m.Pin = 0
	b.known.room(r.Room).Pins--
	return nil
}

func (b *batch) topic(i int, at time.Time) error {
	r := &b.rows[i]
	room := b.known.room(r.Room)
	if room.Topic == r.Draft.Text {
		return b.unchanged(i, r.Room.Head, at)
	}
	b.add(r, &Change{}, at)
	room.Topic = r.Draft.Text
	return nil
}
