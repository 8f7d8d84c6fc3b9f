package torture

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// A Rule is a promise of the protocol, named for the way in which it is broken.
type Rule string

// The rules, the most serious first. Explain prints the most serious finding.
const (
	Lost      Rule = "lost"      // an acknowledged message is not in the history
	Forgotten Rule = "forgotten" // the server does not know a session that it gave
	Doubled   Rule = "doubled"   // a message is in the history twice
	Invented  Rule = "invented"  // the history contains something that nobody sent
	Hole      Rule = "hole"      // seq is not 1 to n
	Moved     Rule = "moved"     // a message is not at the seq with which it was acknowledged
	Altered   Rule = "altered"   // a message differs from what was acknowledged
	Refused   Rule = "refused"   // something that was refused is in the history
	Undone    Rule = "undone"    // an edit or deletion is not in force
	Revived   Rule = "revived"   // a deleted text was shown again
	Marked    Rule = "marked"    // a message has other reactions than those that were added and not removed
	Unread    Rule = "unread"    // a read mark, or an unread count, is wrong
	Disorder  Rule = "disorder"  // an event known earlier has a greater seq
	Stale     Rule = "stale"     // a read lacked something that had been acknowledged
	NewEpoch  Rule = "epoch"     // the log became another one
	Unstored  Rule = "unstored"  // somebody saw an event that is not in the history
	Swapped   Rule = "swapped"   // somebody saw a later event first
	Repeated  Rule = "repeated"  // somebody saw an event twice
	Skipped   Rule = "skipped"   // somebody missed an event
	Different Rule = "different" // somebody saw another content than the history has
	Unserved  Rule = "unserved"  // somebody never got the newest events

	Blind      Rule = "blind"      // a client was told to continue in a log that was reset
	Unanswered Rule = "unanswered" // a request had no answer, or that of another request
)

var rules = []Rule{
	Lost, Forgotten, Doubled, Invented, Hole, Moved, Altered, Refused, Undone, Revived, Marked, Unread, Disorder, Stale,
	NewEpoch,
	Unstored, Swapped, Repeated, Skipped, Different, Unserved, Blind, Unanswered,
}

// A Finding is one broken promise.
type Finding struct {
	Rule Rule
	Room string
	Seq  int64 // the seq in the room; 0 if there is none
	Why  string
}

func (f Finding) String() string {
	if f.Room == "" {
		return fmt.Sprintf("%s: %s", f.Rule, f.Why)
	}
	return fmt.Sprintf("%s: in %s %s", f.Rule, f.Room, f.Why)
}

// Check proves for each room that everything acknowledged is in the history exactly once, at its
// seq and unchanged; that the history contains nothing that nobody sent or that was refused; that
// seq runs from 1 to n; that the message states on pages are what the log up to the page's head
// makes of them, with every edit, deletion and reaction; that no client that asks after a deletion
// sees the deleted text; that read marks and unread counts are right; that seq agrees with time,
// for sends and for reads, and that a connection's answers come in the order of seq; and that every
// reader saw a part of the history without gap, repetition or difference. It returns the
// violations, the most serious first, and at most one per reader and room.
func Check(e Evidence) []Finding {
	c := checker{rooms: map[string]*roomCheck{}}
	for _, h := range e.Histories {
		c.rooms[h.Room] = newRoomCheck(h)
	}
	for _, a := range e.Attempts {
		c.room(a.Room).take(a)
	}
	for _, read := range e.Reads {
		r := c.room(read.Room)
		r.reads = append(r.reads, read)
	}
	for _, p := range e.Pages {
		r := c.room(p.Room)
		r.pages = append(r.pages, p)
	}
	for _, l := range e.Looks {
		r := c.room(l.Room)
		r.looks = append(r.looks, l)
	}
	for _, name := range sortedKeys(c.rooms) {
		r := c.rooms[name]
		r.forgets, r.times = e.Forgets, e.Times
		r.checkHistory()
		r.checkAcks()
		r.checkOrder()
		r.checkPages()
		r.checkReads()
	}
	for _, run := range e.Runs {
		r := c.room(run.Room)
		r.checkRun(run)
	}
	var found []Finding
	for _, name := range e.Forgotten {
		found = append(found,
			Finding{Rule: Forgotten, Why: "the server does not know " + name + " any more, to whom it gave a session"})
	}
	for _, why := range e.Remembered {
		found = append(found, Finding{Rule: Revived, Why: why})
	}
	for _, why := range e.Blind {
		found = append(found, Finding{Rule: Blind, Why: why})
	}
	for _, why := range e.Unanswered {
		found = append(found, Finding{Rule: Unanswered, Why: why})
	}
	for _, name := range sortedKeys(c.rooms) {
		found = append(found, c.rooms[name].found...)
	}
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(slices.Index(rules, a.Rule)-slices.Index(rules, b.Rule), cmp.Compare(a.Room, b.Room),
			cmp.Compare(a.Seq, b.Seq))
	})
	return found
}

type checker struct{ rooms map[string]*roomCheck }

// room returns the check of a room, a new one if the room has no history.
func (c *checker) room(name string) *roomCheck {
	if c.rooms[name] == nil {
		c.rooms[name] = newRoomCheck(History{Room: name})
	}
	return c.rooms[name]
}

// A roomCheck is the evidence about one room.
type roomCheck struct {
	history History
	at      map[int64]Event
	where   map[content][]int64 // the seqs of a content in the history
	sent    map[key]*sent
	order   []*sent // by their first attempt
	looks   []HeadRead
	pages   []Page
	reads   []ReadMark
	wrote   map[content]*sent
	became  map[int64][]*sent // acknowledged sends by seq
	changes map[int64][]Event // of each message in the history, in order
	erased  map[int64]Attempt // the first acknowledged deletion of a message
	forgets time.Duration     // Evidence.Forgets
	times   []time.Duration   // Evidence.Times
	origins map[int64]*sent   // the send that became each event of the history
	found   []Finding
}

// A key identifies a message, however often it is sent.
type key struct{ author, nonce string }

// A content identifies a message for readers, which do not see nonces: the harness never lets a
// person send the same content twice.
type content struct {
	author string
	kind   Kind
	target int64
	text   string
}

// sent is one message with all its attempts.
type sent struct {
	content
	nonce    string
	attempts []Attempt
	first    Tick  // when it was first sent
	acked    Tick  // when the first acknowledgement came; 0: never
	seq      int64 // in the first acknowledgement
	refused  bool  // every attempt was refused
	same     bool  // an edit to the text that the message has already: it makes no event
}

func newRoomCheck(h History) *roomCheck {
	r := &roomCheck{
		history: h, at: map[int64]Event{}, where: map[content][]int64{},
		sent: map[key]*sent{}, wrote: map[content]*sent{}, became: map[int64][]*sent{}, changes: map[int64][]Event{},
		erased: map[int64]Attempt{}, origins: map[int64]*sent{},
	}
	for _, e := range h.Events {
		r.at[e.Seq] = e
		if e.Target != 0 {
			r.changes[e.Target] = append(r.changes[e.Target], e)
		}
	}
	return r
}

func (r *roomCheck) report(rule Rule, seq int64, format string, args ...any) {
	r.found = append(r.found, Finding{Rule: rule, Room: r.history.Room, Seq: seq, Why: fmt.Sprintf(format, args...)})
}

// take adds an attempt; those of a room may come in any order.
func (r *roomCheck) take(a Attempt) {
	k := key{a.Author, a.Nonce}
	s := r.sent[k]
	if s == nil {
		s = &sent{content: content{a.Author, a.Kind, a.Target, a.Text}, nonce: a.Nonce, first: a.Called, refused: true}
		r.sent[k] = s
		r.order = append(r.order, s)
		if s.same = a.Same; !s.same {
			r.wrote[s.content] = s
		}
	}
	s.attempts = append(s.attempts, a)
	s.first = min(s.first, a.Called)
	s.refused = s.refused && a.Refused != ""
	if a.acked() && (s.acked == 0 || a.Answered < s.acked) {
		s.acked, s.seq = a.Answered, a.Seq
	}
	if !a.acked() {
		return
	}
	if !slices.Contains(r.became[a.Seq], s) {
		r.became[a.Seq] = append(r.became[a.Seq], s)
	}
	if first, ok := r.erased[a.Target]; a.Kind == Delete && (!ok || a.Answered < first.Answered) {
		r.erased[a.Target] = a
	}
}

// checkHistory checks the history itself, and searches for events that nobody sent.
func (r *roomCheck) checkHistory() {
	want := int64(1)
	for _, e := range r.history.Events {
		if e.Seq != want {
			r.report(Hole, want, "after %d comes %s", want-1, e)
		}
		want = e.Seq + 1
		r.checkOrigin(e)
	}
	if r.history.Head != want-1 {
		r.report(Hole, want, "the newest is said to be %d, but the history ends with %d", r.history.Head, want-1)
	}
}

// checkOrigin finds out who sent an event.
func (r *roomCheck) checkOrigin(e Event) {
	s := r.origin(e)
	switch {
	case s == nil && r.ackedAs(e) != nil:
		r.report(Altered, e.Seq, "%q was acknowledged as %d, which is %s", r.ackedAs(e).text, e.Seq, e)
	case s == nil:
		r.report(Invented, e.Seq, "nobody sent %s", e)
	case s.refused:
		r.report(Refused, e.Seq, "%s is stored, but its sender was told each time (%d) that it was not", e,
			len(s.attempts))
	default:
		r.origins[e.Seq] = s
		r.where[s.content] = append(r.where[s.content], e.Seq)
		if all := r.where[s.content]; len(all) == 2 {
			r.report(Doubled, e.Seq, "%s is what %d is already; it was sent %d times with nonce %s", e, all[0],
				len(s.attempts), s.nonce)
		}
	}
}

// origin returns the send that became e. A deleted event is identified by its seq or, if no answer
// came, by its target.
func (r *roomCheck) origin(e Event) *sent {
	if !e.Deleted || !e.says() {
		return r.wrote[content{e.Author, e.Kind, e.Target, e.Text}]
	}
	if s := r.ackedAs(e); s != nil {
		return s
	}
	i := slices.IndexFunc(r.order, func(s *sent) bool {
		return !s.same && s.author == e.Author && s.kind == e.Kind && s.target == e.Target && s.acked == 0 &&
			len(r.where[s.content]) == 0
	})
	if i < 0 {
		return nil
	}
	return r.order[i]
}

// ackedAs returns the send of e's author that was acknowledged with e's seq.
func (r *roomCheck) ackedAs(e Event) *sent {
	for _, s := range r.became[e.Seq] {
		if s.kind == e.Kind && s.author == e.Author && s.target == e.Target && s.seq == e.Seq && !s.same {
			return s
		}
	}
	return nil
}

// checkAcks searches the history for everything that was acknowledged.
func (r *roomCheck) checkAcks() {
	for _, s := range r.order {
		if s.acked == 0 {
			continue
		}
		for _, a := range s.attempts {
			if a.acked() && a.Seq != s.seq {
				r.report(Moved, s.seq, "%q was acknowledged as %d, and then as %d, with the same nonce %s", s.text,
					s.seq, a.Seq, s.nonce)
			}
		}
		seqs := r.where[s.content]
		switch at, there := r.at[s.seq]; {
		case slices.Contains(seqs, s.seq):
		case len(seqs) > 0:
			r.report(Moved, s.seq, "%q was acknowledged as %d and is %d", s.text, s.seq, seqs[0])
		case !there:
			r.report(Lost, s.seq, "%q by %s was acknowledged as %d; the history ends with %d", s.text, s.author, s.seq,
				r.history.Head)
		case r.origin(at) == nil && r.ackedAs(at) == s: // checkOrigin has reported it
		default:
			r.report(Lost, s.seq, "%q by %s was acknowledged as %d, which is %s", s.text, s.author, s.seq, at)
		}
	}
}
