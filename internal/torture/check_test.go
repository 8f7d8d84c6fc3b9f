package torture

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// story is a small correct history: Ada sends a1 and a2, Bob b1, and there are two readers.
func story() Evidence {
	events := []Event{
		{Seq: 1, Kind: Message, Author: "ada", Text: "a1"},
		{Seq: 2, Kind: Message, Author: "bob", Text: "b1"},
		{Seq: 3, Kind: Message, Author: "ada", Text: "a2"},
	}
	return Evidence{
		Attempts: []Attempt{
			{Author: "ada", Room: "r", Nonce: "1", Conn: 1, Kind: Message, Text: "a1", Called: 1, Answered: 4, Seq: 1},
			{Author: "bob", Room: "r", Nonce: "1", Conn: 2, Kind: Message, Text: "b1", Called: 2, Answered: 5, Seq: 2},
			{Author: "ada", Room: "r", Nonce: "2", Conn: 1, Kind: Message, Text: "a2", Called: 3, Answered: 6, Seq: 3},
		},
		Looks: []HeadRead{
			{Reader: "cy", Room: "r", Called: 3, Answered: 5, Head: 1},
			{Reader: "cy", Room: "r", Called: 7, Answered: 8, Head: 3},
		},
		Runs: []Observed{
			{
				Reader: "ada", Room: "r", Complete: true,
				Parts: []ObservedPart{{Conn: 1, Epoch: "e", Events: slices.Clone(events)}},
			},
			{Reader: "bob", Room: "r", Complete: true, Parts: []ObservedPart{
				{Conn: 2, Epoch: "e", Events: slices.Clone(events[:1])},
				{Conn: 3, Epoch: "e", After: 1, Events: slices.Clone(events[1:])},
			}},
		},
		Histories: []History{{Room: "r", Epoch: "e", Head: 3, Events: slices.Clone(events), Messages: []MessageState{
			{Seq: 1, Author: "ada", Text: "a1"},
			{Seq: 2, Author: "bob", Text: "b1"},
			{Seq: 3, Author: "ada", Text: "a2"},
		}}},
	}
}

// changed is story with further events: a2 is edited to "new" and gets reactions, one of which is
// removed; then a1, which both readers have seen, is deleted. A client read a page in between, and
// later readers are not shown a1's text. Bob has read a1, and perhaps a2: that request had no
// answer.
func changed() Evidence {
	e := story()
	changes := []Event{
		{Seq: 4, Kind: Edit, Author: "ada", Target: 3, Text: "new"},
		{Seq: 5, Kind: React, Author: "bob", Target: 3, Text: "👍"},
		{Seq: 6, Kind: React, Author: "ada", Target: 3, Text: "👍"},
		{Seq: 7, Kind: Unreact, Author: "ada", Target: 3, Text: "👍"},
		{Seq: 8, Kind: Delete, Author: "ada", Target: 1},
	}
	for i, c := range changes {
		at := Tick(10 + 2*i)
		e.Attempts = append(e.Attempts, Attempt{
			Author: c.Author, Room: "r", Nonce: strconv.Itoa(3 + i), Conn: 1, Kind: c.Kind, Target: c.Target,
			Text: c.Text, Called: at, Answered: at + 1, Seq: c.Seq,
		})
	}
	e.Runs[0].Parts[0].Events = append(e.Runs[0].Parts[0].Events, changes...)
	e.Runs[1].Parts[1].Events = append(e.Runs[1].Parts[1].Events, changes...)
	h := &e.Histories[0]
	h.Events[0].Text, h.Events[0].Deleted = "", true
	h.Events, h.Head = append(h.Events, changes...), 8
	e.Runs = append(e.Runs,
		Observed{
			Reader: "cy", Room: "r", Complete: true,
			Parts: []ObservedPart{{Conn: 4, Called: 20, Epoch: "e", Events: slices.Clone(h.Events)}},
		})
	e.Pages = []Page{{Reader: "dee", Room: "r", Head: 6, Messages: []MessageState{
		{Seq: 2, Author: "bob", Text: "b1"},
		{Seq: 3, Author: "ada", Text: "new", Marks: []string{"👍 by ada", "👍 by bob"}},
	}}}
	e.Reads = []ReadMark{
		{Person: "bob", Room: "r", Asked: 1, Called: 21, Answered: 22, Read: 1},
		{Person: "bob", Room: "r", Asked: 3, Called: 23},
		{Person: "bob", Room: "r", Last: true, Called: 24, Answered: 25, Read: 1, Unread: 1},
	}
	h.Messages[0].Text, h.Messages[0].Gone = "", true
	h.Messages[2].Text, h.Messages[2].Marks = "new", []string{"👍 by bob"}
	return e
}

// same is changed with a3 edited to its present text, then to "newer"; then the first edit is sent
// again. It makes no event, and gets the answer of the first edit.
func same() Evidence {
	e := changed()
	newer := Event{Seq: 9, Kind: Edit, Author: "ada", Target: 3, Text: "newer"}
	for i, a := range []Attempt{
		{Nonce: "same", Text: "new", Same: true, Seq: 4},
		{Nonce: "newer", Text: "newer", Seq: 9},
		{Nonce: "same", Text: "new", Same: true, Seq: 4},
	} {
		a.Author, a.Room, a.Conn, a.Kind, a.Target = "ada", "r", 1, Edit, 3
		a.Called, a.Answered = Tick(30+2*i), Tick(31+2*i)
		e.Attempts = append(e.Attempts, a)
	}
	h := &e.Histories[0]
	h.Events, h.Head = append(h.Events, newer), 9
	h.Messages[2].Text = "newer"
	for i := range e.Runs {
		p := &e.Runs[i].Parts[len(e.Runs[i].Parts)-1]
		p.Events = append(p.Events, newer)
	}
	return e
}

func TestCheckAcceptsCorrectEvidence(t *testing.T) {
	for name, e := range map[string]Evidence{
		"nothing": {}, "a story": story(), "changes": changed(),
		"no answer, stored": with(story(), func(e *Evidence) { e.Attempts[2].Answered, e.Attempts[2].Seq = 0, 0 }),
		"no answer, not stored": with(story(), func(e *Evidence) {
			e.Attempts = append(e.Attempts,
				Attempt{Author: "bob", Room: "r", Nonce: "2", Kind: Message, Text: "b2", Called: 7})
		}),
		"a repeat that is answered late": with(story(), func(e *Evidence) {
			again := e.Attempts[0]
			again.Conn, again.Called, again.Answered = 3, 7, 9
			e.Attempts = append(e.Attempts, again)
		}),
		"refused, then stored": with(story(), func(e *Evidence) {
			e.Attempts = append(e.Attempts,
				Attempt{
					Author: "ada", Room: "r", Nonce: "2", Conn: 1, Kind: Message, Text: "a2", Called: 2, Answered: 3,
					Refused: "unavailable",
				})
		}),
		"a reader from now on": with(story(), func(e *Evidence) { e.Runs[1].Parts = e.Runs[1].Parts[1:] }),
		"a reader that left": with(story(),
			func(e *Evidence) { e.Runs[1].Parts, e.Runs[1].Complete = e.Runs[1].Parts[:1], false }),
		"one edit without an answer": with(changed(),
			func(e *Evidence) { e.Attempts[3].Answered, e.Attempts[3].Seq = 0, 0 }),
		"a deleted edit without an answer": with(changed(), func(e *Evidence) {
			h := &e.Histories[0]
			h.Events, h.Head = append(h.Events, Event{Seq: 9, Kind: Delete, Author: "ada", Target: 3}), 9
			e.Attempts = append(e.Attempts,
				Attempt{Author: "ada", Room: "r", Nonce: "9", Kind: Delete, Target: 3, Called: 30})
			e.Attempts[3].Answered, e.Attempts[3].Seq = 0, 0
			h.Events[2].Text, h.Events[2].Deleted = "", true
			h.Events[3].Text, h.Events[3].Deleted = "", true
			h.Messages[2] = MessageState{Seq: 3, Author: "ada", Gone: true}
			for i := range e.Runs {
				e.Runs[i].Complete = false
			}
			e.Reads = nil
		}),
		"an edit to the same, again after another": same(),
		"an edit to the same without an answer": with(same(), func(e *Evidence) {
			for i := range e.Attempts {
				if e.Attempts[i].Same {
					e.Attempts[i].Answered, e.Attempts[i].Seq = 0, 0
				}
			}
		}),
		"read, though no answer came": with(changed(), func(e *Evidence) { e.Reads[2].Read, e.Reads[2].Unread = 3, 0 }),
		"quoted before it was deleted": with(changed(), func(e *Evidence) {
			e.Histories[0].Events[1].ReplyTo, e.Runs[2].Parts[0].Events[1].ReplyTo = 1, 1
			for i := range 2 {
				p := &e.Runs[i].Parts[i]
				m := &p.Events[1-i]
				m.ReplyTo, m.Quote = 1, "a1"
			}
			e.Pages[0].Messages[0].ReplyTo, e.Pages[0].Messages[0].Quote = 1, "a1"
		}),
		"a change that came too late": with(changed(), func(e *Evidence) {
			e.Attempts = append(e.Attempts,
				Attempt{
					Author: "ada", Room: "r", Nonce: "9", Kind: Edit, Target: 1, Text: "late", Called: 30, Answered: 31,
					Refused: "gone",
				})
		}),
		"shown before its deletion was acknowledged": with(changed(), func(e *Evidence) {
			e.Runs[2].Parts[0].Called, e.Runs[2].Parts[0].Events[0] = 18, story().Histories[0].Events[0]
		}),
		"another node shows a deleted text for a moment": with(changed(), func(e *Evidence) {
			onNodes(e, 9*time.Second)
			e.Runs[2].Parts[0].Events[0] = story().Histories[0].Events[0]
		}),
		"another node has not heard of the newest": with(story(), func(e *Evidence) {
			e.Looks[1].Node, e.Looks[1].Head = 2, 1
		}),
		"an empty room has no history": {
			Histories: []History{{Room: "r", Epoch: "e"}}, Runs: []Observed{{Reader: "ada", Room: "r", Complete: true}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if found := Check(e); len(found) > 0 {
				t.Errorf("found %v", found)
			}
		})
	}
}

// onNodes says that Ada's client is on node 1, which deletes a1 at second 0, and that Cy joins node 2 at a later time.
func onNodes(e *Evidence, later time.Duration) {
	e.Forgets = 10 * time.Second
	e.Times = make([]time.Duration, 100)
	for i := range e.Attempts {
		e.Attempts[i].Node = 1
	}
	p := &e.Runs[2].Parts[0]
	p.Node = 2
	e.Times[p.Called] = later
}

func with(e Evidence, change func(*Evidence)) Evidence {
	change(&e)
	return e
}

// say adds a message to the history that is in no other evidence.
func say(e *Evidence, seq int64, author, text string) {
	h := &e.Histories[0]
	h.Events, h.Head = append(h.Events, Event{Seq: seq, Kind: Message, Author: author, Text: text}), seq
	h.Messages = append(h.Messages, MessageState{Seq: seq, Author: author, Text: text})
}

func TestCheckFindsEachBrokenPromise(t *testing.T) {
	drop := func(e *Evidence, n int64) { // the last n events are not in the history
		h := &e.Histories[0]
		h.Events, h.Head = h.Events[:n], n
		h.Messages = slices.DeleteFunc(h.Messages, func(m MessageState) bool { return m.Seq > n })
	}
	tests := map[string]struct {
		from   func() Evidence
		breaks func(*Evidence)
		want   Rule
		why    string // part of the explanation
	}{
		"an acknowledged message is gone": {
			story, func(e *Evidence) { drop(e, 2); e.Runs = nil }, Lost,
			`"a2" by ada was acknowledged as 3; the history ends with 2`,
		},
		"the whole room is gone": {
			story, func(e *Evidence) { e.Histories = nil; e.Runs = nil }, Lost, "acknowledged as 1",
		},
		"another took its number": {story, func(e *Evidence) {
			drop(e, 2)
			say(e, 3, "bob", "b2")
			e.Attempts = append(e.Attempts,
				Attempt{Author: "bob", Room: "r", Nonce: "2", Kind: Message, Text: "b2", Called: 7})
			e.Runs = nil
		}, Lost, "which is 3 message by bob"},
		"stored twice": {story, func(e *Evidence) {
			say(e, 4, "ada", "a1")
			e.Runs = nil
		}, Doubled, "is what 1 is already"},
		"nobody sent it": {story, func(e *Evidence) {
			say(e, 4, "eve", "x")
			e.Runs = nil
		}, Invented, `nobody sent 4 message by eve "x"`},
		"said by another": {
			story, func(e *Evidence) { e.Histories[0].Events[1].Author = "ada" }, Lost, "which is 2 message by ada",
		},
		"a hole": {story, func(e *Evidence) {
			h := &e.Histories[0]
			h.Events[2].Seq, h.Messages[2].Seq, h.Head = 4, 4, 4
			e.Attempts[2].Seq = 4
			e.Runs = nil
		}, Hole, "after 2 comes 4"},
		"the head is not the end": {
			story, func(e *Evidence) { e.Histories[0].Head = 4; e.Runs = nil }, Hole, "said to be 4",
		},
		"acknowledged as another": {
			story, func(e *Evidence) { e.Attempts[0].Seq = 2 }, Moved, "was acknowledged as 2 and is 1",
		},
		"two answers to one nonce": {story, func(e *Evidence) {
			again := e.Attempts[0]
			again.Conn, again.Called, again.Answered, again.Seq = 3, 7, 9, 2
			e.Attempts = append(e.Attempts, again)
		}, Moved, "as 1, and then as 2"},
		"altered": {
			story, func(e *Evidence) { e.Histories[0].Events[0].Text = "a!"; e.Runs = nil }, Altered,
			`"a1" was acknowledged as 1, which is 1 message by ada "a!"`,
		},
		"refused and stored": {
			story, func(e *Evidence) { e.Attempts[2].Refused, e.Attempts[2].Seq = "unavailable", 0 }, Refused,
			"told each time",
		},
		"an edit is undone": {
			changed, func(e *Evidence) { e.Histories[0].Messages[2].Text = "a2" }, Undone,
			`by the log up to 8 it is 3 by ada "new" with [👍 by bob]`,
		},
		"a deletion is undone": {
			changed, func(e *Evidence) { e.Histories[0].Messages[0].Gone = false }, Undone, "it is 1 by ada, deleted",
		},
		"an edit is not on a page": {
			changed, func(e *Evidence) { e.Pages[0].Messages[1].Text = "a2" }, Undone, `dee saw message 3 by ada "a2"`,
		},
		"a page has what comes later": {
			changed, func(e *Evidence) { e.Pages[0].Head = 3 }, Undone,
			`by the log up to 3 it is 3 by ada "a2" with []`,
		},
		"a message is on no page": {changed, func(e *Evidence) {
			h := &e.Histories[0]
			h.Messages = slices.Delete(h.Messages, 1, 2)
		}, Lost, `2 message by bob "b1" is not on the page`},
		"a page leaves one out": {changed, func(e *Evidence) {
			p := &e.Pages[0]
			p.Messages = p.Messages[:1]
		}, Lost, "is not on the page that dee read up to 6"},
		"a page has one more": {changed, func(e *Evidence) {
			p := &e.Pages[0]
			p.Messages = append(p.Messages, p.Messages[1])
		}, Invented, "on a page of what was up to 6"},
		"somebody else's on a page": {
			changed, func(e *Evidence) { e.Pages[0].Messages[0].Author = "ada" }, Different, "dee saw message 2 by ada",
		},
		"a deleted text is on a page": {
			changed, func(e *Evidence) { e.Histories[0].Messages[0].Text = "a1" }, Revived, "it is 1 by ada, deleted",
		},
		"a deleted text is in the log": {
			changed, func(e *Evidence) { e.Histories[0].Events[0] = story().Histories[0].Events[0] }, Revived,
			`the log has 1 message by ada "a1", though 8 delete`,
		},
		"a deleted text on resume": {
			changed, func(e *Evidence) {
				e.Runs[2].Parts[0].Events[0] = story().Histories[0].Events[0]
			}, Revived,
			`cy saw 1 message by ada "a1" on connection 4, begun after the deletion of 1 had been acknowledged`,
		},
		"a deleted text is quoted on resume": {changed, func(e *Evidence) {
			m := &e.Runs[2].Parts[0].Events[1]
			m.ReplyTo, m.Quote = 1, "a1"
			e.Histories[0].Events[1].ReplyTo = 1
		}, Revived, `to 1 "a1" on connection 4, begun after the deletion of 1 had been acknowledged`},
		"a deleted text is quoted on a page": {changed, func(e *Evidence) {
			m := &e.Histories[0].Messages[1]
			m.ReplyTo, m.Quote = 1, "a1"
		}, Revived, `saw message 2 by bob "b1" with [] to 1 "a1"`},
		"a deleted text is quoted in the log": {changed, func(e *Evidence) {
			m := &e.Histories[0].Events[1]
			m.ReplyTo, m.Quote = 1, "a1"
		}, Revived, `though that quotes "a1" of 1`},
		"another message is answered": {
			changed, func(e *Evidence) { e.Histories[0].Events[1].ReplyTo = 1 }, Different,
			"the history has 2 message by bob",
		},
		"a deleted text becomes another": {
			changed, func(e *Evidence) { e.Runs[0].Parts[0].Events[0].Text = "a0" }, Unstored, "which is nowhere",
		},
		"a reaction is doubled": {changed, func(e *Evidence) {
			e.Histories[0].Messages[2].Marks = []string{"👍 by bob", "👍 by bob"}
		}, Marked, "with [👍 by bob 👍 by bob]; by the log"},
		"a reaction is there again": {changed, func(e *Evidence) {
			e.Histories[0].Messages[2].Marks = []string{"👍 by ada", "👍 by bob"}
		}, Marked, "it is 3 by ada"},
		"a reaction is lost": {
			changed, func(e *Evidence) { e.Pages[0].Messages[1].Marks = nil }, Marked, "dee saw message 3",
		},
		"a read is forgotten":    {changed, func(e *Evidence) { e.Reads[2].Read = 0 }, Unread, "makes it 1 to 3"},
		"more is read than said": {changed, func(e *Evidence) { e.Reads[2].Read = 4 }, Unread, "bob has read up to 4"},
		"a read does not count":  {changed, func(e *Evidence) { e.Reads[0].Read = 0 }, Unread, "bob has read up to 0"},
		"unread is miscounted":   {changed, func(e *Evidence) { e.Reads[2].Unread = 2 }, Unread, "1 are left, not 2"},
		"an edit to the same, again, undoes another": {same, func(e *Evidence) {
			h := &e.Histories[0]
			h.Events, h.Head = append(h.Events, Event{Seq: 10, Kind: Edit, Author: "ada", Target: 3, Text: "new"}), 10
			h.Messages[2].Text = "new"
			e.Attempts[len(e.Attempts)-1].Seq = 10
			e.Runs = nil
		}, Doubled, `10 edit by ada "new" of 3 is what 4 is already`},
		"an edit to the same, again, is answered otherwise": {
			same, func(e *Evidence) { e.Attempts[len(e.Attempts)-1].Seq = 9 }, Moved,
			`"new" was acknowledged as 4, and then as 9`,
		},
		"an edit to the same is answered with the newest": {same, func(e *Evidence) {
			e.Attempts[len(e.Attempts)-3].Seq, e.Attempts[len(e.Attempts)-1].Seq = 8, 8
		}, Moved, `"new" was acknowledged as 8 and is 4`},
		"an edit is lost": {
			changed, func(e *Evidence) { drop(e, 3); e.Runs, e.Pages = nil, nil }, Lost,
			`"new" by ada was acknowledged as 4`,
		},
		"later is before": {
			story, func(e *Evidence) { e.Attempts[0].Called, e.Attempts[0].Answered = 7, 8 }, Disorder,
			`"a2" was acknowledged as 3 before "a1" was first sent`,
		},
		"later is before, unanswered": {story, func(e *Evidence) {
			e.Attempts[0].Called, e.Attempts[0].Answered, e.Attempts[0].Seq = 7, 0, 0
		}, Disorder, `"a2" was acknowledged as 3 before "a1" was first sent`},
		"sent after it was seen": {
			story, func(e *Evidence) { e.Looks[0].Answered, e.Looks[0].Head, e.Attempts[2].Called = 4, 3, 5 }, Disorder,
			`cy had seen 3 as the newest before "a2" was first sent, which became 3`,
		},
		"an old view": {
			story, func(e *Evidence) { e.Looks[1].Head = 2 }, Stale,
			`"a2" was acknowledged as 3 before cy looked and saw 2 as the newest`,
		},
		"a view that goes back": {
			story, func(e *Evidence) { e.Attempts = nil; e.Histories = nil; e.Runs = nil; e.Looks[0].Head = 4 }, Stale,
			"cy had seen 4",
		},
		"a view of what never was": {
			story, func(e *Evidence) { e.Looks[1].Head = 4 }, Unstored,
			"cy saw 4 as the newest, but the history ends with 3",
		},
		"answers out of order": {
			story, func(e *Evidence) { e.Attempts[0].Answered = 7 }, Disorder,
			`connection 1 was told of "a2" as 3 and then of "a1" as 1`,
		},
		"seen and not stored": {story, func(e *Evidence) {
			r := &e.Runs[0].Parts[0]
			r.Events = append(r.Events, Event{Seq: 4, Kind: Message, Author: "bob", Text: "b2"})
		}, Unstored, "ada saw 4"},
		"seen, and another stored": {
			story, func(e *Evidence) { e.Runs[0].Parts[0].Events[1].Text = "b0" }, Unstored,
			"nowhere in the history; 2 is",
		},
		"seen otherwise": {story, func(e *Evidence) {
			e.Runs[0].Parts[0].Events[1] = Event{Seq: 2, Kind: Message, Author: "ada", Text: "a2"}
		}, Different, "the history has 2 message by bob"},
		"swapped": {story, func(e *Evidence) {
			p := e.Runs[0].Parts[0].Events
			p[1], p[2] = p[2], p[1]
		}, Swapped, "after 0 came 1 3 2"},
		"repeated at once": {story, func(e *Evidence) {
			p := &e.Runs[0].Parts[0]
			p.Events = slices.Insert(p.Events, 1, p.Events[0])
		}, Repeated, "ada saw 1 again after 1"},
		"repeated after a reconnect": {story, func(e *Evidence) {
			p := &e.Runs[1].Parts[1]
			p.Events = slices.Insert(p.Events, 0, story().Histories[0].Events[0])
		}, Repeated, "on connection 3"},
		"skipped": {
			story, func(e *Evidence) { p := &e.Runs[0].Parts[0]; p.Events = slices.Delete(p.Events, 1, 2) }, Skipped,
			"ada saw 3 after 1",
		},
		"skipped by a reconnect": {
			story, func(e *Evidence) { p := &e.Runs[1].Parts[1]; p.Events = p.Events[1:] }, Skipped, "after 1 came 3",
		},
		"served from somewhere else": {
			story, func(e *Evidence) { e.Runs[1].Parts[1].After = 2 }, Skipped, "had everything up to 1",
		},
		"never served": {
			story, func(e *Evidence) { p := &e.Runs[1].Parts[1]; p.Events = p.Events[:1] }, Unserved,
			"bob got everything up to 2",
		},
		"served nothing": {
			story, func(e *Evidence) { e.Runs[1].Parts = nil }, Unserved, "bob never got anything",
		},
		"another node shows a deleted text for long": {changed, func(e *Evidence) {
			onNodes(e, 11*time.Second)
			e.Runs[2].Parts[0].Events[0] = story().Histories[0].Events[0]
		}, Revived, "begun after the deletion of 1"},
		"a page of the log shows a deleted text": {changed, func(e *Evidence) {
			onNodes(e, time.Second)
			e.Runs[2].Parts[0].Conn = 0
			e.Runs[2].Parts[0].Events[0] = story().Histories[0].Events[0]
		}, Revived, "begun after the deletion of 1"},
		"a node that still has a deleted text": {
			story, func(e *Evidence) { e.Remembered = []string{"the search"} }, Revived, "the search",
		},
		"a page lacks what a node showed": {story, func(e *Evidence) {
			e.Looks[0].Node, e.Looks[0].Head, e.Looks[1].Head = 2, 3, 2
		}, Stale, "cy had seen 3 as the newest"},
		"a person is forgotten": {
			story, func(e *Evidence) { e.Forgotten = []string{"ada"} }, Forgotten, "does not know ada",
		},
		"a log that was set back": {story, func(e *Evidence) { e.Blind = []string{"by /ws"} }, Blind, "by /ws"},
		"no answer to a HEAD": {
			story, func(e *Evidence) { e.Unanswered = []string{"HEAD /x"} }, Unanswered, "HEAD /x",
		},
		"another epoch": {
			story, func(e *Evidence) { e.Runs[1].Parts[1].Epoch = "f" }, NewEpoch, `epoch "e", then in "f"`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := tt.from()
			tt.breaks(&e)
			found := Check(e)
			if len(found) == 0 || found[0].Rule != tt.want || !strings.Contains(Explain(found), tt.why) {
				t.Errorf("found %v, want %s: %s", found, tt.want, tt.why)
			}
		})
	}
	var covered []Rule
	for _, tt := range tests {
		covered = append(covered, tt.want)
	}
	for _, rule := range rules {
		if !slices.Contains(covered, rule) {
			t.Errorf("no history breaks rule %s", rule)
		}
	}
}

func TestLongTextsAreComparedByTheirHash(t *testing.T) {
	long := strings.Repeat("é", 1000)
	if a, b := abridged(long), abridged(long[:len(long)-2]+"è"); a == b || len(a) > 100 {
		t.Errorf("%q and %q", a, b)
	}
}
