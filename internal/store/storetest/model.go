package storetest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"parley/internal/chat"
	"parley/internal/store"
)

// Clients rely on this: a page to which the events after its head are applied is the same
// as a page that is read then. The pages are read while the log grows.
func testAPageAndWhatFollowsItAreThePresent(t *testing.T, open Open) {
	s := open(t)
	room := 0
	rapid.Check(t, func(t *rapid.T) {
		room++
		c := &clients{s: s, room: chat.RoomName(fmt.Sprint("room-", room)), t: t}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if rapid.IntRange(0, 3).Draw(t, "step") == 0 {
				c.read()
			} else {
				c.post()
			}
		}
		c.posted.Wait()
		c.read()
		c.check()
	})
}

// clients post in a room and read pages of it.
type clients struct {
	s      *Subject
	room   chat.RoomName
	t      *rapid.T
	sent   chat.Seq // events there can be
	posted sync.WaitGroup
	pages  []chat.Page
}

// post sends a draft and waits for its answer or not.
func (c *clients) post() {
	from := rapid.SampledFrom([]chat.Person{Ada, Grace, {ID: "eve", Name: "Eve"}}).Draw(c.t, "from")
	target := chat.Seq(rapid.IntRange(1, int(c.sent)+1).Draw(c.t, "target"))
	text := rapid.SampledFrom([]string{"a", "b", "hi @Ada", "@grace, @Eve!", "c"}).Draw(c.t, "text")
	d := chat.Draft{Room: c.room, From: from, Text: text, Target: target}
	d.Kind = rapid.SampledFrom([]chat.Kind{
		chat.Message, chat.Message, chat.Message, chat.Reply, chat.Reply, chat.Edit, chat.Edit, chat.Edit, chat.Delete,
		chat.React, chat.React, chat.React, chat.Unreact, chat.Pin, chat.Unpin,
	}).Draw(c.t, "kind")
	switch d.Kind {
	case chat.Message:
		switch rapid.IntRange(0, 3).Draw(c.t, "message") {
		case 0: // in a thread, too
		case 1:
			d.Target, d.Attrs = 0, &chat.Attrs{ReplyTo: target, Action: text == "a"}
		default:
			d.Target = 0
		}
	case chat.React, chat.Unreact:
		d.Text = rapid.SampledFrom([]string{"👍", "🎉"}).Draw(c.t, "emoji")
	case chat.Delete, chat.Pin, chat.Unpin:
		d.Text = ""
	}
	c.sent++
	c.posted.Add(1)
	c.s.Append(d, func(chat.Commit) { c.posted.Done() })
	if rapid.Bool().Draw(c.t, "wait") {
		c.posted.Wait()
	}
}

func (c *clients) read() {
	at := chat.Seq(rapid.IntRange(1, int(c.sent)+1).Draw(c.t, "at"))
	sel := rapid.SampledFrom([]chat.PageQuery{
		{Limit: 200},
		{Limit: 3},
		{Limit: 4, Around: at},
		{Limit: 3, Before: at},
		{Limit: 3, After: at, Oldest: true},
		{Limit: 50, Thread: at},
		{Seqs: []chat.Seq{at}},
	}).Draw(c.t, "selection")
	page, err := c.s.Page(c.t.Context(), c.room, sel)
	if err != nil {
		c.t.Fatal(err)
	}
	if page.Root != nil {
		page.Messages = append(page.Messages, *page.Root)
	}
	c.pages = append(c.pages, page)
}

func (c *clients) check() {
	events, err := c.s.After(c.t.Context(), c.room, 0, 1000)
	if err != nil {
		c.t.Fatal(err)
	}
	thread := map[chat.Seq]chat.Seq{} // of replies
	for _, e := range events {
		if e.Kind.IsSaid() {
			thread[e.Seq] = e.Target
		}
	}
	for _, page := range c.pages {
		for _, m := range page.Messages {
			if m.Seq > page.Head {
				c.t.Fatalf("message %d in a page whose head is %d", m.Seq, page.Head)
			}
			shrunk := false // a reply is gone: the rest of its thread is to be read again
			for _, e := range events[page.Head:] {
				shrunk = shrunk || e.Kind == chat.Delete && thread[e.Target] == m.Seq
				apply(&m, e)
			}
			now, err := c.s.Page(c.t.Context(), c.room, chat.PageQuery{Seqs: []chat.Seq{m.Seq}})
			if err != nil || len(now.Messages) != 1 {
				c.t.Fatal(now, err)
			}
			want := now.Messages[0]
			if shrunk {
				m.Replies, want.Replies = nil, nil
			}
			byEmoji(m.Reactions)
			byEmoji(want.Reactions)
			if diff := gocmp.Diff(want, m); diff != "" {
				c.t.Errorf("message %d, read at %d and brought to %d (-is +was made):\n%s", m.Seq, page.Head, now.Head,
					diff)
			}
		}
	}
}

func byEmoji(all []chat.Reaction) {
	slices.SortFunc(all, func(a, b chat.Reaction) int { return cmp.Compare(a.Emoji, b.Emoji) })
}

// apply does to a message what an event says, as a client does.
func apply(m *chat.MessageState, e chat.Event) {
	x := chat.Attrs{}
	if m.Attrs != nil {
		x = *m.Attrs
	}
	if e.Kind.IsSaid() && e.Target == m.Seq && !e.IsDeleted() { // of one that is gone the deletion follows
		r := chat.Replies{}
		if m.Replies != nil {
			r = *m.Replies
		}
		m.Replies = &chat.Replies{Count: r.Count + 1, Last: e.Seq, At: e.At, From: e.From}
	}
	if x.Quote != nil && x.ReplyTo == e.Target {
		switch {
		case e.Kind == chat.Edit && !e.IsDeleted():
			x.Quote = &chat.Quote{From: x.Quote.From, Text: e.Text}
		case e.Kind == chat.Delete:
			x.Quote = nil
		}
		m.Attrs = &x
	}
	if e.Target != m.Seq {
		return
	}
	switch e.Kind {
	case chat.Edit:
		if e.IsDeleted() {
			return
		}
		m.Text, m.Edited, m.EditedAt = e.Text, e.Seq, e.At
		x.Mentions, x.Here = nil, false
		if e.Attrs != nil {
			x.Mentions = e.Attrs.Mentions
		}
		m.Attrs = store.AttrsOrNil(&x)
	case chat.Delete:
		m.Text, m.Edited, m.EditedAt, m.Attrs, m.Reactions, m.Pinned, m.Pin = "", 0, time.Time{}, nil, nil, false, 0
	case chat.Pin, chat.Unpin:
		m.Pinned, m.Pin = e.Kind == chat.Pin, 0
		if m.Pinned {
			m.Pin = e.Seq
		}
	case chat.React, chat.Unreact:
		m.Reactions = reacted(m.Reactions, e)
	}
}

func reacted(before []chat.Reaction, e chat.Event) (after []chat.Reaction) {
	people := map[string][]chat.Person{}
	for _, r := range before {
		people[r.Emoji] = slices.Clone(r.People)
	}
	people[e.Text] = slices.DeleteFunc(people[e.Text], func(p chat.Person) bool { return p.ID == e.From.ID })
	if e.Kind == chat.React {
		people[e.Text] = append(people[e.Text], e.From)
	}
	for _, emoji := range slices.Sorted(maps.Keys(people)) {
		if len(people[emoji]) > 0 {
			after = append(after, chat.Reaction{Emoji: emoji, People: people[emoji]})
		}
	}
	return after
}
