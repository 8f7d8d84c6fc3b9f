package torture

import "slices"

// checkPages compares message states with those that the log makes of the messages: on pages that
// were read during the round, and on all pages afterwards.
func (r *roomCheck) checkPages() {
	for _, e := range r.history.Events {
		r.checkErased(e)
	}
	all := Page{
		Reader: "who reads afterwards", Room: r.history.Room, Head: r.history.Head, Messages: r.history.Messages,
	}
	if r.checkPage(all, 0) {
		for _, p := range r.pages {
			from := p.Head
			if len(p.Messages) > 0 {
				from = p.Messages[0].Seq - 1
			}
			if p.Head > r.history.Head || !r.checkPage(p, from) { // checkOrder reports a head that never existed
				return
			}
		}
	}
}

// checkErased checks that the log contains nothing of a deleted text.
func (r *roomCheck) checkErased(e Event) {
	if e.Quote != "" && r.isErased(e.ReplyTo, r.history.Head) {
		r.report(Revived, e.Seq, "the log has %s, though that quotes %q of %d, which is deleted", e, e.Quote, e.ReplyTo)
	}
	if e.Kind != Delete {
		return
	}
	for _, other := range append([]Event{r.at[e.Target]}, r.changes[e.Target]...) {
		if other.says() && (!other.Deleted || other.Text != "") {
			r.report(Revived, other.Seq, "the log has %s, though %s", other, e)
			return
		}
	}
}

// checkPage compares a page with the messages of the log from seq from on. It stops at the first
// difference.
func (r *roomCheck) checkPage(p Page, from int64) bool {
	shown := p.Messages
	for _, e := range r.history.Events {
		if e.Kind != Message || e.Seq <= from || e.Seq > p.Head {
			continue
		}
		if len(shown) == 0 || shown[0].Seq != e.Seq {
			r.report(Lost, e.Seq, "%s is not on the page that %s read up to %d", e, p.Reader, p.Head)
			return false
		}
		if !r.checkState(p, e, shown[0]) {
			return false
		}
		shown = shown[1:]
	}
	if len(shown) > 0 {
		r.report(Invented, shown[0].Seq, "%s saw message %s on a page of what was up to %d", p.Reader, shown[0], p.Head)
		return false
	}
	return true
}

// checkState compares a message state on a page with the log.
func (r *roomCheck) checkState(p Page, e Event, is MessageState) bool {
	want := r.stateAt(e, p.Head)
	var rule Rule
	switch {
	case is.Author != want.Author:
		rule = Different
	case want.Gone && is.Text != "" || is.Quote != "" && r.isErased(is.ReplyTo, p.Head):
		rule = Revived
	case is.Gone != want.Gone || is.Text != want.Text:
		rule = Undone
	case !slices.Equal(is.Marks, want.Marks):
		rule = Marked
	default:
		return true
	}
	r.report(rule, e.Seq, "%s saw message %s; by the log up to %d it is %s", p.Reader, is, p.Head, want)
	return false
}

// stateAt returns the state of a message after the log up to head: the text of the newest edit,
// unless it was deleted, and the reactions that were added and not removed.
func (r *roomCheck) stateAt(e Event, head int64) MessageState {
	m := MessageState{Seq: e.Seq, Author: e.Author, Text: r.saidBy(e)}
	for _, c := range r.changes[e.Seq] {
		if c.Seq > head {
			break
		}
		mark := reaction(c.Text, c.Author)
		switch c.Kind {
		case Edit:
			m.Text = r.saidBy(c)
		case Delete:
			return MessageState{Seq: e.Seq, Author: e.Author, Gone: true}
		case React:
			m.Marks = append(m.Marks, mark)
		case Unreact:
			m.Marks = slices.DeleteFunc(m.Marks, func(other string) bool { return other == mark })
		}
	}
	slices.Sort(m.Marks)
	return m
}

// isErased reports whether the log up to head deletes a message.
func (r *roomCheck) isErased(target, head int64) bool {
	for _, c := range r.changes[target] {
		if c.Kind == Delete && c.Seq <= head {
			return true
		}
	}
	return false
}

// reaction returns one reaction in the form of MessageState.
func reaction(emoji, author string) string { return emoji + " by " + author }

// saidBy returns an event's text before it was deleted.
func (r *roomCheck) saidBy(e Event) string {
	if s := r.origins[e.Seq]; e.Deleted && s != nil {
		return s.text
	}
	return e.Text
}
