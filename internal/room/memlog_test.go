package room

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"parley/internal/chat"
)

// memLog is a Log in memory. Like the store, it commits all drafts that are queued when its goroutine runs.
type memLog struct {
	mu     sync.Mutex
	more   sync.Cond
	rooms  map[chat.RoomName][]chat.Event
	queue  []queued
	ended  bool
	hold   bool // nothing is committed while it is true
	failed error
	copies map[chat.MessageRef]chat.MessageRef // source of each copy
}

type queued struct {
	draft chat.Draft
	done  func(chat.Commit)
}

func newMemLog() *memLog {
	l := &memLog{rooms: map[chat.RoomName][]chat.Event{}}
	l.more.L = &l.mu
	return l
}

func (l *memLog) Append(d chat.Draft, done func(chat.Commit)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = append(l.queue, queued{d, done})
	l.more.Signal()
}

// run commits until end is called.
func (l *memLog) run() {
	for {
		l.mu.Lock()
		for (len(l.queue) == 0 || l.hold) && !l.ended {
			l.more.Wait()
		}
		if l.ended {
			l.mu.Unlock()
			return
		}
		batch := l.queue
		l.queue = nil
		commits := make([]chat.Commit, len(batch))
		for i, q := range batch {
			commits[i] = l.commit(q.draft)
			commits[i].More = i < len(batch)-1
		}
		l.mu.Unlock()
		for i, q := range batch {
			q.done(commits[i])
		}
	}
}

func (l *memLog) commit(d chat.Draft) chat.Commit {
	if l.failed != nil {
		return chat.Commit{Err: l.failed}
	}
	events := l.rooms[d.Room]
	if d.Nonce != "" {
		for _, e := range events {
			if e.From.ID == d.From.ID && e.HTML == d.Nonce {
				return chat.Commit{Event: e, Repeated: true}
			}
		}
	}
	e := chat.Event{
		Room: d.Room, Seq: chat.Seq(len(events) + 1), At: time.Now(), Kind: d.Is(), From: d.From, Text: d.Text,
		Target: d.Target, Extra: d.Extra,
		HTML: d.Nonce, // stored here; the hub sets the real HTML
	}
	c := chat.Commit{Event: e}
	if e.Kind == chat.Delete {
		c.DeletedTexts = []string{events[e.Target-1].Text}
		events[e.Target-1].Text = ""
	}
	if d.Source.Seq != 0 {
		if l.text(d.Source) == "" {
			code := chat.Gone
			if from := l.rooms[d.Source.Room]; int(d.Source.Seq) > len(from) || !from[d.Source.Seq-1].Kind.IsSaid() {
				code = chat.NotFound
			}
			return chat.Commit{Err: &chat.Error{Code: code, Message: "Not there."}}
		}
		if l.copies == nil {
			l.copies = map[chat.MessageRef]chat.MessageRef{}
		}
		l.copies[chat.MessageRef{Room: e.Room, Seq: e.Seq}] = d.Source
	}
	l.rooms[d.Room] = append(events, e)
	return c
}

// text returns the text of a message. The caller holds l.mu.
func (l *memLog) text(at chat.MessageRef) string {
	if at.Seq < 1 || int(at.Seq) > len(l.rooms[at.Room]) {
		return ""
	}
	return l.rooms[at.Room][at.Seq-1].Text
}

func (l *memLog) Copies(_ context.Context, limit int) (due []chat.Draft, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for at, source := range l.copies {
		if l.text(source) == "" && l.text(at) != "" && len(due) < limit {
			due = append(due,
				chat.Draft{Room: at.Room, From: l.rooms[at.Room][at.Seq-1].From, Kind: chat.Delete, Target: at.Seq})
		}
	}
	return due, nil
}

func (l *memLog) setHold(hold bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hold = hold
	l.more.Signal()
}

func (l *memLog) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.more.Signal()
}

func (l *memLog) Head(_ context.Context, room chat.RoomName) (chat.Seq, time.Time, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head(room)
}

func (l *memLog) head(room chat.RoomName) (seq chat.Seq, at time.Time, err error) {
	if events := l.rooms[room]; len(events) > 0 {
		at = events[len(events)-1].At
	}
	return chat.Seq(len(l.rooms[room])), at, nil
}

func (l *memLog) After(_ context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	events := l.rooms[room]
	from := min(int(seq), len(events))
	return append([]chat.Event(nil), events[from:min(from+limit, len(events))]...), nil
}

func (l *memLog) At(_ context.Context, room chat.RoomName, seq chat.Seq) (at time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if events := l.rooms[room]; seq > 0 && int(seq) <= len(events) {
		at = events[seq-1].At
	}
	return at, nil
}

// Page knows no edits, reactions or threads.
func (l *memLog) Page(_ context.Context, room chat.RoomName, sel chat.PageQuery) (chat.Page, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var page chat.Page
	page.Head, page.At, _ = l.head(room)
	if sel.Around != 0 {
		page.Messages, page.More = l.some(room, chat.PageQuery{Before: sel.Around + 1, Limit: (sel.Limit + 1) / 2})
		rest, newer := l.some(room, chat.PageQuery{After: sel.Around, Oldest: true, Limit: sel.Limit / 2})
		page.Messages, page.Newer = append(page.Messages, rest...), newer
		return page, nil
	}
	page.Messages, page.More = l.some(room, sel)
	return page, nil
}

func (l *memLog) some(room chat.RoomName, sel chat.PageQuery) (found []chat.MessageState, more bool) {
	for _, e := range l.rooms[room] {
		if e.Kind == chat.Message && e.Seq > sel.After && (sel.Before == 0 || e.Seq < sel.Before) &&
			(sel.Seqs == nil || slices.Contains(sel.Seqs, e.Seq)) {
			found = append(found, chat.MessageState{Event: e})
		}
	}
	surplus := len(found) - sel.Limit
	switch {
	case sel.Seqs != nil || surplus <= 0:
		return found, false
	case sel.Oldest:
		return found[:sel.Limit], true
	}
	return found[surplus:], true
}

func (l *memLog) Versions(context.Context, chat.RoomName, chat.Seq) ([]chat.Event, error) {
	return nil, errors.New("nothing is edited here")
}
