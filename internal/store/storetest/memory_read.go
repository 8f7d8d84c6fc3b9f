package storetest

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"time"

	"parley/internal/access"
	"parley/internal/chat"
	"parley/internal/format"
	"parley/internal/store"
)

// Head implements room.Log.
func (m *Memory) Head(_ context.Context, name chat.RoomName) (seq chat.Seq, at time.Time, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	seq, at = m.head(name)
	return seq, at, nil
}

func (m *Memory) head(name chat.RoomName) (chat.Seq, time.Time) {
	r := m.byName[name]
	if r == nil || len(r.events) == 0 {
		return 0, time.Time{}
	}
	last := r.events[len(r.events)-1]
	return last.Seq, last.At
}

// At implements room.Log.
func (m *Memory) At(_ context.Context, name chat.RoomName, seq chat.Seq) (at time.Time, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.event(chat.MessageRef{Room: name, Seq: seq}); e != nil {
		at = e.At
	}
	return at, nil
}

// After implements room.Log.
func (m *Memory) After(_ context.Context, name chat.RoomName, seq chat.Seq, limit int) (found []chat.Event, err error) {
	defer func() { err = m.fault("After", name) }()
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.byName[name]
	if r == nil || limit <= 0 {
		return nil, nil
	}
	from := min(max(int(seq), 0), len(r.events))
	for _, e := range r.events[from:min(from+limit, len(r.events))] {
		e.Attrs = r.quoting(e.Attrs)
		found = append(found, e.Event)
	}
	return found, nil
}

// quoting returns x with a quote of the message that it answers.
func (r *room) quoting(x *chat.Attrs) *chat.Attrs {
	if x == nil || x.ReplyTo < 1 || int(x.ReplyTo) > len(r.events) {
		return x
	}
	of := &r.events[x.ReplyTo-1]
	quoting := *x
	if text := r.textOf(of); text != "" {
		quoting.Quote = &chat.Quote{From: of.From, Text: format.Preview(text, chat.MaxQuote)}
	}
	return &quoting
}

// Page implements room.Archive.
func (m *Memory) Page(_ context.Context, name chat.RoomName, q chat.PageQuery) (page chat.Page, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	page.Head, page.At = m.head(name)
	r := m.byName[name]
	if r == nil {
		return page, nil
	}
	switch {
	case q.Seqs == nil && q.Limit <= 0:
	case q.Around != 0:
		older, newer := q, q
		older.Before, older.Limit = q.Around+1, (q.Limit+1)/2
		newer.After, newer.Limit, newer.Oldest = q.Around, q.Limit/2, true
		older.Bytes, newer.Bytes = (q.Bytes+1)/2, (q.Bytes+1)/2
		page.Messages, page.More = m.states(r, older)
		rest, more := m.states(r, newer)
		page.Messages, page.Newer = append(page.Messages, rest...), more
	default:
		page.Messages, page.More = m.states(r, q)
	}
	if root, _ := m.states(r, chat.PageQuery{Seqs: []chat.Seq{q.Thread}}); len(root) > 0 {
		page.Root = &root[0]
	}
	return page, nil
}

// states returns the messages that q asks for.
func (m *Memory) states(r *room, q chat.PageQuery) (found []chat.MessageState, more bool) {
	matching := r.matching(q)
	if q.Seqs != nil {
		for _, e := range matching {
			found = append(found, m.state(r, e))
		}
		return found, false
	}
	if !q.Oldest {
		slices.Reverse(matching)
	}
	size := 0
	for _, e := range matching {
		if len(found) == q.Limit || q.Bytes > 0 && size >= q.Bytes {
			more = true
			break
		}
		found = append(found, m.state(r, e))
		size += len(r.textOf(e))
	}
	if !q.Oldest {
		slices.Reverse(found)
	}
	return found, more
}

// matching returns all messages that q is about, in order.
func (r *room) matching(q chat.PageQuery) (found []*event) {
	if q.Pinned && q.Seqs == nil {
		return r.pinned(q.Before)
	}
	for i := range r.events {
		e := &r.events[i]
		is := e.Kind == chat.Message
		switch {
		case q.Seqs != nil:
			is = e.Kind.IsSaid() && slices.Contains(q.Seqs, e.Seq)
		case q.Thread != 0:
			is = e.Kind.IsSaid() && e.Target == q.Thread
		}
		isSince := !q.Oldest || q.Thread != 0 || !e.At.Before(q.Since)
		if is && (q.Seqs != nil || isSince && e.Seq > q.After && (q.Before <= 0 || e.Seq < q.Before)) {
			found = append(found, e)
		}
	}
	return found
}

// state returns a message as it is now.
func (m *Memory) state(r *room, e *event) chat.MessageState {
	s := chat.MessageState{Event: e.Event, Pinned: e.pin != 0, Pin: e.pin}
	if e.current != 0 && r.events[e.current-1].Kind == chat.Edit {
		edit := &r.events[e.current-1]
		s.Text, s.Edited, s.EditedAt = edit.Text, edit.Seq, edit.At
		s.Attrs = store.EditedAttrs(e.Attrs, edit.Attrs)
	}
	s.Attrs = r.quoting(s.Attrs)
	for _, put := range e.reactions {
		i := slices.IndexFunc(s.Reactions, func(x chat.Reaction) bool { return x.Emoji == put.Emoji })
		if i < 0 {
			i = len(s.Reactions)
			s.Reactions = append(s.Reactions, chat.Reaction{Emoji: put.Emoji})
		}
		s.Reactions[i].People = append(s.Reactions[i].People, m.people[put.Person-1].Person)
	}
	for _, seq := range e.replies {
		if reply := &r.events[seq-1]; r.textOf(reply) != "" {
			if s.Replies == nil {
				s.Replies = &chat.Replies{}
			}
			*s.Replies = chat.Replies{Count: s.Replies.Count + 1, Last: seq, At: reply.At, From: reply.From}
		}
	}
	return s
}

// Versions implements room.Archive.
func (m *Memory) Versions(_ context.Context, name chat.RoomName, seq chat.Seq) (versions []chat.Event, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.event(chat.MessageRef{Room: name, Seq: seq})
	if e == nil || !e.Kind.IsSaid() {
		return nil, access.ErrNoMessage
	}
	r := m.byName[name]
	for _, seq := range append([]chat.Seq{seq}, e.edits...) {
		if v := r.events[seq-1].Event; v.Text != "" {
			v.Attrs = nil
			versions = append(versions, v)
		}
	}
	return versions, nil
}

// Copies implements room.Archive.
func (m *Memory) Copies(_ context.Context, limit int) (due []chat.Draft, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for at, source := range m.copies {
		if m.byName[source.Room].textOf(m.event(source)) == "" && len(due) < limit {
			due = append(due, chat.Draft{Room: at.Room, From: m.event(at).From, Kind: chat.Delete, Target: at.Seq})
		}
	}
	return due, nil
}

// Heads implements search.Source.
func (m *Memory) Heads(context.Context) (heads map[chat.RoomName]chat.Seq, err error) {
	defer func() { err = m.fault("Heads", "") }()
	m.mu.Lock()
	defer m.mu.Unlock()
	heads = map[chat.RoomName]chat.Seq{}
	for _, r := range m.rooms {
		heads[r.name] = chat.Seq(len(r.events))
	}
	return heads, nil
}

// HeadsOf returns those of rooms that exist, with their newest seqs.
func (m *Memory) HeadsOf(ctx context.Context, rooms []chat.RoomName) (map[chat.RoomName]chat.Seq, error) {
	heads, err := m.Heads(ctx)
	maps.DeleteFunc(heads, func(name chat.RoomName, _ chat.Seq) bool { return !slices.Contains(rooms, name) })
	return heads, err
}

// Texts implements search.Source.
func (m *Memory) Texts(_ context.Context, at []chat.MessageRef) (events []chat.Event, err error) {
	defer func() { err = m.fault("Texts", "") }()
	m.mu.Lock()
	defer m.mu.Unlock()
	events = make([]chat.Event, len(at))
	for i, ref := range at {
		e := m.event(ref)
		if e == nil || !e.Kind.IsSaid() {
			continue
		}
		if text := m.byName[ref.Room].textOf(e); text != "" {
			events[i] = chat.Event{
				Room: ref.Room, Seq: ref.Seq, At: e.At, Kind: e.Kind, From: e.From, Text: text, Target: e.Target,
			}
		}
	}
	return events, nil
}

// Deletions implements search.Source.
func (m *Memory) Deletions(_ context.Context, name chat.RoomName, seq chat.Seq,
	limit int,
) (found []chat.Event, err error) {
	defer func() { err = m.fault("Deletions", name) }()
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.byName[name]
	if r == nil {
		return nil, nil
	}
	for _, e := range r.events {
		if e.Kind == chat.Delete && e.Seq > seq && len(found) < limit {
			found = append(found, chat.Event{Room: name, Seq: e.Seq, Kind: chat.Delete, Target: e.Target})
		}
	}
	return found, nil
}

// NewGuest makes a person and a session. If key is a person's session, they are returned
// as they are.
func (m *Memory) NewGuest(_ context.Context, name, key string) (chat.Person, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	session := key
	if session == "" {
		session = rand.Text()
	}
	p := m.sessions[session]
	if p == nil {
		p = m.makePerson(chat.Person{ID: chat.PersonID(strings.ToLower(rand.Text())), Name: name})
		m.sessions[session] = p
	}
	return p.Person, session, nil
}

// Person returns whose session it is; a *chat.Error with code BadSession if nobody's.
func (m *Memory) Person(_ context.Context, session string) (chat.Person, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.sessions[session]; p != nil {
		return p.Person, nil
	}
	return chat.Person{}, &chat.Error{Code: chat.BadSession, Message: "This session is unknown."}
}

// Rename gives a person another name. It does not know nonces.
func (m *Memory) Rename(_ context.Context, id chat.PersonID, name, _ string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.byID[id]
	if p == nil {
		return "", &chat.Error{Code: chat.BadSession, Message: "There is no such person."}
	}
	p.Name = name
	return name, nil
}

// Forget ends a session.
func (m *Memory) Forget(_ context.Context, session string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.sessions, session)
	return nil
}
