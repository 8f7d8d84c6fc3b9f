package torture

import "slices"

// checkPages compares messages as they stood with what the log up to then makes of
// them: on pages read meanwhile, and on all of them afterwards.
func (r *roomCheck) checkPages() {
	for _, e := range r.history.Events {
		r.checkErased(e)
	}
	all := Page{Reader: "who reads afterwards", Room: r.history.Room, Head: r.history.Head, Messages: r.history.Messages}
	if r.checkPage(all, 0) {
		for _, p := range r.pages {
			from := p.Head
			if len(p.Messages) > 0 {
				from = p.Messages[0].Seq - 1
			}
			if p.Head > r.history.Head || !r.checkPage(p, from) { // checkOrder tells of a head that never was
				return
			}
		}
	}
}

// checkErased looks whether the log has kept nothing of what was deleted.
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

// checkPage compares a page with the messages of the log from one on. What follows
// the first thing that is wrong is not looked at.
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

// checkState compares a message on a page with what had been done to it.
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

// stateAt makes of a message what the log up to head makes of it: the newest edit
// is what it says, unless it has been deleted, and the reactions are those that
// have not been taken back.
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

// reaction is one reaction.
func reaction(emoji, author string) string { return emoji + " by " + author }

// saidBy returns what an event said before it was deleted, if it was.
func (r *roomCheck) saidBy(e Event) string {
	if s := r.origins[e.Seq]; e.Deleted && s != nil {
		return s.text
	}
	return e.Text
}
