package torture_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"parley/internal/chat"
	"parley/internal/room"
)

// A committed records what was committed, over all starts of a server.
type committed struct {
	mu    sync.Mutex
	known map[message]chat.Seq
	texts map[messageRef]string // their texts, deleted or not
	first firstTimes
}

// A messageRef is an event's room and seq.
type messageRef struct {
	room chat.RoomName
	seq  chat.Seq
}

type message struct {
	room   chat.RoomName
	author chat.PersonID
	nonce  string
}

func (c *committed) seq(m message) (chat.Seq, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	seq, ok := c.known[m]
	return seq, ok
}

func (c *committed) said(at messageRef, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.texts == nil {
		c.texts = map[messageRef]string{}
	}
	c.texts[at] = text
}

func (c *committed) text(at messageRef) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.texts[at]
}

func (c *committed) add(m message, seq chat.Seq) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[message]chat.Seq{}
	}
	c.known[m] = seq
}

// A brokenLog stands between the hub and the store and has one fault. It predicts the seq of a
// draft, and holds drafts back for a while, so that a crash finds some.
type brokenLog struct {
	Store
	hub    *room.Hub
	breaks breakage
	kept   *committed

	mu       sync.Mutex
	heads    map[chat.RoomName]chat.Seq
	expected map[message]chat.Seq // of the drafts that are held back
	held     []func()             // gives a draft to the store
	dropped  []func()             // answers a draft that will not be stored
	calls    []func()             // calls into the hub, made on one goroutine
	wake     chan struct{}
	reads    int
	copies   map[chat.RoomName]headCopy
	same     map[message]bool // edits that changed nothing
}

// A headCopy is a room's head at some time.
type headCopy struct {
	head chat.Seq
	at   time.Time
}

const holdBack = 25 * time.Millisecond

func newBrokenLog(kept Store, breaks breakage, c *committed) *brokenLog {
	return &brokenLog{
		Store: kept, breaks: breaks, kept: c, heads: map[chat.RoomName]chat.Seq{},
		expected: map[message]chat.Seq{}, copies: map[chat.RoomName]headCopy{}, wake: make(chan struct{}, 1),
	}
}

// run makes the queued calls into the hub, and gives the held drafts to the store.
func (l *brokenLog) run(ctx context.Context) error {
	tick := time.NewTicker(holdBack)
	defer tick.Stop()
	for {
		l.mu.Lock()
		calls := l.calls
		l.calls = nil
		l.mu.Unlock()
		for _, call := range calls {
			call()
		}
		select {
		case <-tick.C:
			l.release()
		case <-l.wake:
		case <-ctx.Done():
			return nil
		}
	}
}

func (l *brokenLog) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, give := range l.held {
		give()
	}
	l.held, l.dropped = nil, nil
}

// crash drops the drafts that are held back.
func (l *brokenLog) crash() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, l.dropped...)
	l.held, l.dropped = nil, nil
}

// tell queues a call for run. The caller holds l.mu.
func (l *brokenLog) tell(call func()) {
	l.calls = append(l.calls, call)
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *brokenLog) Append(d chat.Draft, done func(chat.Commit)) {
	switch l.breaks {
	case ackEarly, publishEarly:
		l.mu.Lock()
		defer l.mu.Unlock()
		l.appendEarly(d, done)
	case takeRollback:
		l.Store.Append(d, l.succeeds(d, done))
	case forgetNonces:
		d.Nonce = ""
		l.Store.Append(d, done)
	case forgetSame:
		if m := (message{d.Room, d.From.ID, d.Nonce}); d.Kind == chat.Edit && l.isSame(m, d) {
			d.Nonce = ""
		}
		l.Store.Append(d, done)
	case showDeleted:
		l.Store.Append(d, func(c chat.Commit) {
			l.kept.said(messageRef{d.Room, c.Event.Seq}, d.Text)
			done(c)
		})
	default:
		l.Store.Append(d, done)
	}
}

// isSame reports whether an edit changes nothing, or changed nothing when it first came.
func (l *brokenLog) isSame(m message, d chat.Draft) bool {
	// after a failure it finds nothing
	page, err := l.Store.Page(context.Background(), d.Room, chat.PageQuery{Seqs: []chat.Seq{d.Target}})
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil && len(page.Messages) == 1 && page.Messages[0].Text == d.Text {
		if l.same == nil {
			l.same = map[message]bool{}
		}
		l.same[m] = true
	}
	return l.same[m]
}

// appendEarly reports too early that d is stored: to its sender or to everybody else. The caller
// holds l.mu.
func (l *brokenLog) appendEarly(d chat.Draft, done func(chat.Commit)) {
	m := message{d.Room, d.From.ID, d.Nonce}
	_, stored := l.kept.seq(m)
	seq, expected := l.expected[m]
	if stored || expected && l.breaks == publishEarly {
		l.hold(d, done, func(c chat.Commit) { done(c) })
		return
	}
	if !expected {
		if l.heads[d.Room] == 0 {
			l.heads[d.Room], _, _ = l.Store.Head(context.Background(), d.Room) // a failure shows as a wrong number
		}
		l.heads[d.Room]++
		seq = l.heads[d.Room]
		l.expected[m] = seq
	}
	e := chat.Event{
		Room: d.Room, Seq: seq, At: time.Now().UTC().Truncate(time.Millisecond), Kind: d.Is(), From: d.From,
		Text: d.Text, Target: d.Target,
	}
	if l.breaks == ackEarly {
		l.tell(func() { done(chat.Commit{Event: e, Repeated: true}) }) // the hub does not publish a repeated event
		if !expected {
			l.hold(d, nil, func(c chat.Commit) { l.publish(c.Event) })
		}
		return
	}
	l.tell(func() { l.publish(e) })
	l.hold(d, done, func(c chat.Commit) { done(c) })
}

// hold gives d to the store later, and calls told then. After a crash, lost, unless nil, is called
// instead. The caller holds l.mu.
func (l *brokenLog) hold(d chat.Draft, lost, told func(chat.Commit)) {
	m := message{d.Room, d.From.ID, d.Nonce}
	l.held = append(l.held, func() {
		l.Store.Append(d, func(c chat.Commit) {
			c.More = false
			if c.Err == nil {
				l.kept.add(m, c.Event.Seq)
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			if c.Err != nil {
				delete(l.heads, d.Room) // it got no seq
			}
			l.tell(func() { told(c) })
		})
	})
	if lost != nil {
		l.dropped = append(l.dropped,
			func() { lost(chat.Commit{Err: &chat.Error{Code: chat.Stopping, Message: "Gone."}}) })
	}
}

// publish delivers an event to readers although it is not stored, as if another process had stored it.
func (l *brokenLog) publish(e chat.Event) { l.hub.Arrive(chat.Commit{Event: e}, nil) }

// succeeds returns what calls done as if a transaction that failed had been committed.
func (l *brokenLog) succeeds(d chat.Draft, done func(chat.Commit)) func(chat.Commit) {
	return func(c chat.Commit) {
		l.mu.Lock()
		defer l.mu.Unlock()
		switch chat.CodeOf(c.Err) {
		case "":
			l.heads[d.Room] = max(l.heads[d.Room], c.Event.Seq)
		case chat.Unavailable, chat.Internal:
			l.heads[d.Room]++
			e := chat.Event{
				Room: d.Room, Seq: l.heads[d.Room], At: time.Now().UTC().Truncate(time.Millisecond), Kind: d.Is(),
				From: d.From, Text: d.Text, Target: d.Target,
			}
			c = chat.Commit{Event: e, Repeated: true, More: c.More}
		}
		done(c)
	}
}

// After serves resumes; pages of history ask for more events, and a hub that fills a gap for fewer.
func (l *brokenLog) After(ctx context.Context, name chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	if l.breaks == skipGaps && limit == eventsOfGap {
		return nil, nil
	}
	events, err := l.Store.After(ctx, name, seq, limit)
	if l.breaks == oldReplica && limit != chat.MaxPage && limit != eventsOfGap {
		return slices.DeleteFunc(events, func(e chat.Event) bool { return time.Since(e.At) < replicaLag }), err
	}
	if limit == chat.MaxPage || len(events) < 3 {
		return events, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch l.breaks {
	case skipOnResume:
		if l.reads++; l.reads%3 == 0 {
			events = append(events[:1:1], events[2:]...)
		}
	case showDeleted:
		for i, e := range events {
			if e.IsDeleted() {
				events[i].Text = l.kept.text(messageRef{name, e.Seq})
			}
		}
	}
	return events, err
}

// Page returns a page, perhaps with an old head, and perhaps without a change of one message.
func (l *brokenLog) Page(ctx context.Context, name chat.RoomName, sel chat.PageQuery) (chat.Page, error) {
	page, err := l.Store.Page(ctx, name, sel)
	if err != nil {
		return page, err
	}
	page.Head = l.old(name, page.Head)
	for i := range page.Messages {
		m := &page.Messages[i]
		switch {
		case l.breaks == forgetEdits && m.Edited != 0 && m.Seq%5 == 0:
			versions, err := l.Store.Versions(ctx, name, m.Seq)
			if err != nil {
				return page, err
			}
			m.Text = versions[max(0, len(versions)-2)].Text
		case l.breaks == doubleMarks && len(m.Reactions) > 0 && m.Seq%5 == 0:
			r := &m.Reactions[0]
			r.People = append(r.People, r.People[0])
		}
	}
	return page, nil
}

// MarkRead sometimes reports a read mark as stored that is not.
func (l *brokenLog) MarkRead(who chat.PersonID, at chat.MessageRef, exact bool, nonce string,
	done func(chat.ListEntry, error),
) {
	if l.breaks != forgetReads || at.Seq%3 != 0 {
		l.Store.MarkRead(who, at, exact, nonce, done)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tell(func() { done(chat.ListEntry{Room: at.Room, Read: at.Seq}, nil) })
}

// Head is the end of a page of the log. The hub itself calls it, when it opens a room, with a
// context that does not end.
func (l *brokenLog) Head(ctx context.Context, name chat.RoomName) (chat.Seq, time.Time, error) {
	head, at, err := l.Store.Head(ctx, name)
	if err == nil && ctx.Done() != nil {
		head = l.old(name, head)
	}
	if err == nil && l.breaks == trustPlaces && head > 0 {
		at = l.kept.first.of(messageRef{name, head}, at)
	}
	return head, at, err
}

func (l *brokenLog) old(name chat.RoomName, head chat.Seq) chat.Seq {
	if l.breaks != readOld {
		return head
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.copies[name]; time.Since(c.at) < 2*time.Second {
		return c.head
	}
	l.copies[name] = headCopy{head, time.Now()}
	return head
}
