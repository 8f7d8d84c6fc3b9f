package torture

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checkRun compares what a reader saw with the history. It stops at the first difference, because
// later ones follow from it.
func (r *roomCheck) checkRun(run Observed) {
	if len(run.Parts) == 0 {
		if run.Complete && r.history.Head > 0 {
			r.report(Unserved, r.history.Head, "%s never got anything", run.Reader)
		}
		return
	}
	last := run.Parts[0].After
	for i, p := range run.Parts {
		if p.Epoch != run.Parts[0].Epoch || r.history.Epoch != "" && p.Epoch != r.history.Epoch {
			r.report(NewEpoch, last, "%s read in epoch %q, then in %q; the history is of %q", run.Reader,
				run.Parts[0].Epoch, p.Epoch, r.history.Epoch)
			return
		}
		if p.After != last {
			r.report(Skipped, last+1, "%s had everything up to %d and was served from %d on %s", run.Reader, last,
				p.After, p.name())
			return
		}
		for n, e := range p.Events {
			if e.Seq != last+1 {
				r.checkJump(run, i, n, last)
				return
			}
			last = e.Seq
			if !r.checkSeen(run, p, e) {
				return
			}
		}
	}
	if run.Complete && last < r.history.Head {
		r.report(Unserved, last+1, "%s got everything up to %d and then, though connected, nothing; the newest is %d",
			run.Reader, last, r.history.Head)
	}
}

// checkJump reports what is wrong if the event after last is not the next one.
func (r *roomCheck) checkJump(run Observed, part, n int, last int64) {
	p := run.Parts[part]
	e, at := p.Events[n], r.around(p, n)
	rest := [][]Event{p.Events[n+1:]}
	for _, later := range run.Parts[part+1:] {
		rest = append(rest, later.Events)
	}
	comes := slices.ContainsFunc(rest, func(events []Event) bool {
		return slices.ContainsFunc(events, func(e Event) bool { return e.Seq == last+1 })
	})
	switch {
	case e.Seq <= last:
		r.report(Repeated, e.Seq, "%s saw %d again after %d on %s: %s", run.Reader, e.Seq, last, p.name(), at)
	case comes && slices.ContainsFunc(rest[0], func(e Event) bool { return e.Seq == last+1 }):
		r.report(Swapped, last+1, "%s saw %d before %d on %s: %s", run.Reader, e.Seq, last+1, p.name(), at)
	default:
		r.report(Skipped, last+1, "%s saw %d after %d on %s: %s", run.Reader, e.Seq, last, p.name(), at)
	}
}

// around returns the seqs before and after a part's nth event.
func (r *roomCheck) around(p ObservedPart, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "after %d came", p.After)
	from := max(0, n-3)
	if from > 0 {
		b.WriteString(" …")
	}
	for _, e := range p.Events[from:min(len(p.Events), n+4)] {
		fmt.Fprintf(&b, " %d", e.Seq)
	}
	return b.String()
}

// checkSeen compares one event with the history.
func (r *roomCheck) checkSeen(run Observed, p ObservedPart, e Event) bool {
	is, ok := r.at[e.Seq]
	if e.Quote != "" && !r.checkRevived(run, p, e, e.ReplyTo) {
		return false
	}
	switch {
	case !ok:
		r.report(Unstored, e.Seq, "%s saw %s on %s, but the history ends with %d", run.Reader, e, p.name(),
			r.history.Head)
	case is.sameAs(e):
		return true
	case is.Deleted && e.Kind == Message && r.said(is, e):
		return r.checkRevived(run, p, e, e.Seq)
	case is.Deleted && r.said(is, e):
		return r.checkRevived(run, p, e, e.Target)
	case r.whereIs(e) == 0:
		r.report(Unstored, e.Seq, "%s saw %s on %s, which is nowhere in the history; %d is %s", run.Reader, e, p.name(),
			e.Seq, is)
	default:
		r.report(Different, e.Seq, "%s saw %s on %s; the history has %s", run.Reader, e, p.name(), is)
	}
	return false
}

// said reports whether is, a deleted event, could have been e.
func (r *roomCheck) said(is, e Event) bool {
	s := r.origins[is.Seq]
	return is.Kind == e.Kind && s != nil && s.content == content{e.Author, e.Kind, e.Target, e.Text}
}

// checkRevived checks that a reader that saw a deleted text in e had asked for it before the
// deletion was acknowledged. Several nodes have some time to learn of it.
func (r *roomCheck) checkRevived(run Observed, p ObservedPart, e Event, target int64) bool {
	erased, ok := r.erased[target]
	if !ok || erased.Answered > p.Called {
		return true
	}
	fromMemory := p.Conn != 0 && r.forgets > 0
	if fromMemory && r.times[p.Called] < r.times[erased.Answered]+r.forgets {
		return true
	}
	r.report(Revived, e.Seq, "%s saw %s on %s, begun after the deletion of %d had been acknowledged", run.Reader, e,
		p.name(), target)
	return false
}

// whereIs returns the seq of an event with this content in the history; 0 if there is none.
func (r *roomCheck) whereIs(e Event) int64 {
	for _, seq := range r.where[content{e.Author, e.Kind, e.Target, e.Text}] {
		return seq
	}
	return 0
}

func (p ObservedPart) name() string {
	if p.Conn == 0 {
		return "a page of the log"
	}
	return fmt.Sprintf("connection %d", p.Conn)
}

// Explain describes the most serious finding and the number of findings of each kind. It returns ""
// if there are none.
func Explain(found []Finding) string {
	if len(found) == 0 {
		return ""
	}
	counts := map[Rule]int{}
	for _, f := range found {
		counts[f.Rule]++
	}
	var b strings.Builder
	b.WriteString(found[0].String())
	if len(found) > 1 {
		b.WriteString("\nin all:")
		for _, rule := range rules {
			if counts[rule] > 0 {
				fmt.Fprintf(&b, " %d %s", counts[rule], rule)
			}
		}
	}
	return b.String()
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
