package tui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"parley/client"
)

// renderedMessage returns what is below a message's author: the quote, the text, and notes such as reactions, as me
// looks at it. isOpen says whether its spoilers are uncovered.
func renderedMessage(m client.Message, me string, width int, isOpen bool) (b body) {
	soft := func(text string) { b.lines = append(b.lines, styleSoft.Render(ansi.Truncate(text, width, "…"))) }
	if m.Gone {
		soft("(deleted)")
		return b
	}
	switch {
	case m.Quote != nil:
		soft("│ " + cleanLine(m.Quote.From.Name) + ": " + cleanLine(m.Quote.Text))
	case m.ReplyTo != 0:
		soft("│ (deleted)")
	case m.Thread != 0:
		soft("│ in a thread")
	}
	if m.Forward != nil {
		soft("│ said first by " + cleanLine(m.Forward.From.Name))
	}
	text := newMarkup(m, me, isOpen)
	b.lines = append(b.lines, text.lines(m, width)...)
	b.hides = text.hides
	if notes := notesOf(m); notes != "" {
		soft(notes)
	}
	return b
}

// notesOf summarises a message's edits, reactions, thread and pin in one line.
func notesOf(m client.Message) string {
	var notes []string
	if m.Edited != nil {
		notes = append(notes, "edited")
	}
	if m.Pinned {
		notes = append(notes, "pinned")
	}
	for _, r := range m.Reactions {
		notes = append(notes, fmt.Sprintf("%s %d", cleanLine(r.Emoji), len(r.People)))
	}
	if r := m.Replies; r != nil && r.Count > 0 {
		notes = append(notes, fmt.Sprintf("%d in its thread", r.Count))
	}
	if len(notes) == 0 {
		return ""
	}
	return "(" + strings.Join(notes, " · ") + ")"
}

// apply updates the room's messages with an event of its log.
func (t *timeline) apply(e client.Event) {
	switch e := e.(type) {
	case client.Edit:
		delete(t.open, e.Target) // what it hides now is something else
		t.change(e.Target, func(m *client.Message) {
			if !e.Gone && (m.Edited == nil || m.Edited.Seq < e.Seq) {
				m.Text, m.HTML, m.Mentions, m.AtHere = e.Text, e.HTML, e.Mentions, e.AtHere
				m.Edited = &client.Edited{Seq: e.Seq, At: e.At}
			}
		})
	case client.Delete:
		t.change(e.Target, func(m *client.Message) {
			*m = client.Message{Room: m.Room, Seq: m.Seq, At: m.At, From: m.From, Gone: true}
		})
		for _, m := range t.messages {
			if m.ReplyTo == e.Target && m.Quote != nil {
				t.change(m.Seq, func(m *client.Message) { m.Quote = nil })
			}
		}
	case client.Reaction:
		t.change(e.Target, func(m *client.Message) { react(m, e) })
	case client.Pin:
		t.change(e.Target, func(m *client.Message) { m.Pinned = !e.Removed })
	case client.Reply:
		t.replied(e.Message)
	case client.Message:
		t.replied(e)
	}
}

// replied counts a reply in its thread.
func (t *timeline) replied(reply client.Message) {
	if reply.Thread == 0 || reply.Gone {
		return
	}
	t.change(reply.Thread, func(m *client.Message) {
		var r client.Replies
		if m.Replies != nil {
			r = *m.Replies
		}
		if r.Seq >= reply.Seq { // already counted
			return
		}
		r.Count++
		r.Seq, r.At, r.From = reply.Seq, reply.At, reply.From
		m.Replies = &r
	})
}

// react adds a reaction to a message or removes it. It copies slices before it changes them,
// because the message may share them with a page.
func react(m *client.Message, e client.Reaction) {
	reactions := slices.Clone(m.Reactions)
	i := slices.IndexFunc(reactions, func(r client.Emoji) bool { return r.Emoji == e.Emoji })
	if i < 0 {
		i = len(reactions)
		reactions = append(reactions, client.Emoji{Emoji: e.Emoji})
	}
	people := slices.DeleteFunc(slices.Clone(reactions[i].People),
		func(p client.Person) bool { return p.ID == e.From.ID })
	if !e.Removed {
		people = append(people, e.From)
	}
	reactions[i].People = people
	m.Reactions = slices.DeleteFunc(reactions, func(r client.Emoji) bool { return len(r.People) == 0 })
}
