package torture

import (
	"cmp"
	"fmt"
	"slices"
)

// A timedSeq is an operation with its times of begin and end: a message that took a seq, or a read
// of the newest seq.
type timedSeq struct {
	called   Tick
	answered Tick // 0: never
	seq      int64
	sent     *sent // nil for a read
	look     HeadRead
}

// checkOrder checks that seq agrees with time. If a seq was known (acknowledged, or seen as the
// newest) before something else began, it comes before that: a message first sent later has a
// greater seq, whoever sent it, and a later read sees at least this seq. Because seq is the only
// order, this is sufficient for the log to be linearizable. It is enough to compare with the
// greatest seq known at that time. One of several nodes may answer from its memory, which the events of
// others reach a moment later: such an answer need not be the newest, but counts as known.
func (r *roomCheck) checkOrder() {
	begun := r.steps()
	known := slices.DeleteFunc(slices.Clone(begun), func(s timedSeq) bool { return s.answered == 0 })
	slices.SortFunc(begun, func(a, b timedSeq) int { return cmp.Compare(a.called, b.called) })
	slices.SortFunc(known, func(a, b timedSeq) int { return cmp.Compare(a.answered, b.answered) })
	var newest timedSeq
	told := map[Rule]bool{}
	for next := 0; len(begun) > 0; begun = begun[1:] {
		s := begun[0]
		for ; next < len(known) && known[next].answered < s.called; next++ {
			if known[next].seq > newest.seq {
				newest = known[next]
			}
		}
		if s.look.Node != 0 {
			continue
		}
		rule := Disorder
		if s.sent == nil {
			rule = Stale
		}
		if newest.seq < s.seq || rule == Stale && newest.seq == s.seq || told[rule] {
			continue
		}
		told[rule] = true // later ones follow from the first
		r.report(rule, s.seq, "%s before %s", newest.known(), s.began())
	}
	for _, l := range r.looks {
		if l.Head > r.history.Head {
			r.report(Unstored, l.Head, "%s saw %d as the newest, but the history ends with %d", l.Reader, l.Head,
				r.history.Head)
			break
		}
	}
	r.checkAnswers()
}

// known describes how and when a seq was known.
func (s timedSeq) known() string {
	if s.sent == nil {
		return fmt.Sprintf("%s had seen %d as the newest", s.look.Reader, s.seq)
	}
	return fmt.Sprintf("%q was acknowledged as %d", s.sent.text, s.seq)
}

// began describes the write or read that began later.
func (s timedSeq) began() string {
	if s.sent == nil {
		return fmt.Sprintf("%s looked and saw %d as the newest", s.look.Reader, s.seq)
	}
	return fmt.Sprintf("%q was first sent, which became %d", s.sent.text, s.seq)
}

// steps returns all operations that took or read a seq.
func (r *roomCheck) steps() (steps []timedSeq) {
	for _, s := range r.order {
		switch seqs := r.where[s.content]; {
		case s.same: // it took no seq
		case s.acked != 0:
			steps = append(steps, timedSeq{called: s.first, answered: s.acked, seq: s.seq, sent: s})
		case len(seqs) > 0: // nobody was told the seq, but the event is in the history
			steps = append(steps, timedSeq{called: s.first, seq: seqs[0], sent: s})
		}
	}
	for _, l := range r.looks {
		steps = append(steps, timedSeq{called: l.Called, answered: l.Answered, seq: l.Head, look: l})
	}
	return steps
}

// checkAnswers checks that the answers on each connection came in the order of seq, except for
// messages that were sent more than once.
func (r *roomCheck) checkAnswers() {
	acked := slices.DeleteFunc(slices.Clone(r.order), func(s *sent) bool { return s.acked == 0 || s.same })
	slices.SortFunc(acked, func(a, b *sent) int { return cmp.Compare(a.acked, b.acked) })
	last := map[int]*sent{}
	for _, s := range acked {
		conn := s.attempts[0].Conn
		if conn == 0 || len(s.attempts) > 1 {
			continue
		}
		if before := last[conn]; before != nil && before.seq >= s.seq {
			r.report(Disorder, s.seq, "connection %d was told of %q as %d and then of %q as %d", conn, before.text,
				before.seq, s.text, s.seq)
			return
		}
		last[conn] = s
	}
}
