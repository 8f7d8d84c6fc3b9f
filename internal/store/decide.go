package store

import (
	"cmp"
	"slices"
	"time"

	"parley/internal/access"
	"parley/internal/chat"
	"parley/internal/format"
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

// ErrNonceUsed refuses a nonce that its author has used for something else.
var ErrNonceUsed = &chat.Error{
	Code:    chat.NonceUsed,
	Message: "You have used this nonce for something else in this room. Make a new one for each command.",
}

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

// same reports whether a row repeats the first draft with its nonce: the same kind of
// event, about the same message, with the same emoji. Texts are not compared: the first
// one may be deleted by now.
func (b *batch) same(i int, use *FirstUse) bool {
	d := b.rows[i].Draft
	switch {
	case d.Is() != use.Kind || use.Emoji != "" && use.Emoji != d.Text:
		return false
	case d.Is().IsSaid() && d.Target != 0: // in a thread, which another reply may name too
		root, seq := b.root(i)
		return root.Kind != "" && seq == use.Target
	}
	return use.Target == d.Target
}

// root returns the first message of the thread that a row's draft belongs to, and its
// seq. A reply within a thread has no thread of its own. The message is missing if there
// is none.
func (b *batch) root(i int) (*Message, chat.Seq) {
	seq := b.rows[i].Draft.Target
	m := b.inRoom(i, seq)
	if m.Thread != 0 {
		seq = m.Thread
		m = b.inRoom(i, seq)
	}
	return m, seq
}

// unchanged answers a row that changes nothing, because the event seq has done the same already.
func (b *batch) unchanged(r *Row, seq chat.Seq, at time.Time) {
	d := r.Draft
	*r.Result = chat.Commit{Repeated: true, Event: chat.Event{
		Room: d.Room, Seq: seq, At: at, Kind: d.Is(), From: d.From, Text: d.Text, HTML: d.HTML, Target: d.Target,
	}}
	if d.Nonce == "" || IsOwnNonce(d.Nonce) {
		return
	}
	use := &FirstUse{Kind: d.Is(), Seq: seq, At: at, Target: d.Target}
	if use.Kind == chat.React || use.Kind == chat.Unreact {
		use.Emoji = d.Text
	}
	r.By.Answers = true
	r.Change = &Change{Answer: &Answer{Kind: string(use.Kind), Target: use.Target, Emoji: use.Emoji, Seq: seq}}
	b.known.Nonces[r.nonce()] = use
}

// say adds a message with more than a text.
func (b *batch) say(i int, at time.Time) error {
	r := &b.rows[i]
	d := r.Draft
	x := &chat.Attrs{}
	if d.Attrs != nil {
		*x = *d.Attrs
	}
	change := &Change{}
	if d.Target != 0 {
		root, seq := b.root(i)
		if err := access.MayChange(access.Answer, root.facts()); err != nil {
			return err
		}
		change.Target = seq
		change.Subscribers = []int64{r.By.Key, root.Author}
	}
	if x.ReplyTo != 0 {
		m := b.inRoom(i, x.ReplyTo)
		if err := access.MayChange(access.Answer, m.facts()); err != nil {
			return err
		}
		if m.Text != "" {
			x.Quote = &chat.Quote{From: m.From, Text: format.Preview(m.Text, chat.MaxQuote)}
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
	change.Attrs = AttrsOrNil(x)
	b.add(r, change, at)
	return nil
}

// source returns the message that a row's draft is a copy of.
func (b *batch) source(i int) (*Message, error) {
	d := b.rows[i].Draft
	m := b.message(i, d.Source)
	err := access.MayChange(access.Forward, m.facts())
	if err == nil && d.Text == "" { // the message was not there when its text was read
		err = access.ErrNoMessage
	}
	return m, err
}

// mentions sets in x the people whom a row's text names. It returns the keys of those for
// whom the mention counts: all of them but the author and, with @here, also those who were
// in the room.
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

// target returns the message that a row changes, and the facts about it on which access decides.
func (b *batch) target(i int) (*Message, access.Facts) {
	m := b.inRoom(i, b.rows[i].Draft.Target)
	f := m.facts()
	f.IsAuthor = m.Author == b.rows[i].By.Key
	return m, f
}

func (b *batch) edit(i int, at time.Time) error {
	r := &b.rows[i]
	m, f := b.target(i)
	f.IsDone, f.Edits = m.Text == r.Draft.Text, m.Edits
	if err := access.MayChange(access.Edit, f); err != nil {
		return err
	}
	if f.IsDone {
		b.unchanged(r, cmp.Or(m.Current, r.Draft.Target), at)
		return nil
	}
	x := &chat.Attrs{}
	if given := r.Draft.Attrs; given != nil { // an edit brings nothing but mentions
		x.Here, x.Present = given.Here, given.Present
	}
	change := &Change{Target: r.Draft.Target, Mentions: b.mentions(r, x)}
	change.Attrs = AttrsOrNil(x)
	b.add(r, change, at)
	m.Text, m.Current = r.Draft.Text, r.Seq
	m.Edits++
	m.Texts = append(m.Texts, m.Text)
	return nil
}

func (b *batch) delete(i int, at time.Time) error {
	r := &b.rows[i]
	m, f := b.target(i)
	if err := access.MayChange(access.Delete, f); err != nil {
		return err
	}
	if f.IsDeleted {
		b.unchanged(r, m.Current, at)
		return nil
	}
	b.add(r, &Change{Target: r.Draft.Target}, at)
	r.Result.DeletedTexts = m.Texts
	if m.Pin != 0 {
		b.known.room(r.Room).Pins--
	}
	m.Text, m.Texts, m.Current, m.Pin, m.Emoji, m.Reacted = "", nil, r.Seq, 0, nil, nil
	for n, use := range b.known.Nonces { // a retry of the message gets no text any more
		if n.Room == r.Room.Key && use.Event && use.Seq == r.Draft.Target {
			use.Text = ""
		}
	}
	return nil
}

func (b *batch) react(i int, at time.Time) error {
	r := &b.rows[i]
	m, f := b.target(i)
	mine := Reacted{r.Draft.Text, r.By.Key}
	seq := m.Reacted[mine]
	f.IsDone, f.OtherEmoji = seq != 0, len(m.Emoji)
	if m.Emoji[mine.Emoji] > 0 {
		f.OtherEmoji--
	}
	if err := access.MayChange(access.React, f); err != nil {
		return err
	}
	if f.IsDone {
		b.unchanged(r, seq, at)
		return nil
	}
	b.add(r, &Change{Target: r.Draft.Target}, at)
	m.addReaction(mine, r.Seq)
	return nil
}

func (b *batch) unreact(i int, at time.Time) error {
	r := &b.rows[i]
	m, f := b.target(i)
	mine := Reacted{r.Draft.Text, r.By.Key}
	if err := access.MayChange(access.Unreact, f); err != nil {
		return err
	}
	if m.Reacted[mine] == 0 {
		b.unchanged(r, r.Room.Head, at)
		return nil
	}
	b.add(r, &Change{Target: r.Draft.Target}, at)
	m.removeReaction(mine)
	return nil
}

func (b *batch) pin(i int, at time.Time) error {
	r := &b.rows[i]
	m, f := b.target(i)
	room := b.known.room(r.Room)
	f.IsDone, f.Pins = m.Pin != 0, room.Pins
	if err := access.MayChange(access.Pin, f); err != nil {
		return err
	}
	if f.IsDone {
		b.unchanged(r, m.Pin, at)
		return nil
	}
	b.add(r, &Change{Target: r.Draft.Target}, at)
	m.Pin = r.Seq
	room.Pins++
	return nil
}

func (b *batch) unpin(i int, at time.Time) error {
	r := &b.rows[i]
	m, f := b.target(i)
	if err := access.MayChange(access.Unpin, f); err != nil {
		return err
	}
	if m.Pin == 0 {
		b.unchanged(r, r.Room.Head, at)
		return nil
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
		b.unchanged(r, r.Room.Head, at)
		return nil
	}
	b.add(r, &Change{}, at)
	room.Topic = r.Draft.Text
	return nil
}
