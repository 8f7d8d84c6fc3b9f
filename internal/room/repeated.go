package room

import "parley/internal/chat"

// repeated knows where a room's recent bytes say again what a message says: in its
// edits, and where it is quoted. It is guarded by its room's mu.
type repeated struct {
	last map[chat.Seq]chat.Seq // by message: the newest event that does
	lost chat.Seq              // up to this event anything may
}

// maxRepeated is of how many messages a room remembers that.
const maxRepeated = 4096

// note looks at a new event. If that deletes a message it returns the newest event
// that may hold what the message said, else 0.
func (r *repeated) note(e chat.Event) (through chat.Seq) {
	switch {
	case e.Kind == chat.Delete:
		through = max(e.Target, r.last[e.Target], r.lost)
		delete(r.last, e.Target)
		return through
	case e.Kind == chat.Edit:
		r.add(e.Target, e.Seq)
	case e.Extra != nil && e.Extra.Quote != nil:
		r.add(e.Extra.ReplyTo, e.Seq)
	}
	return 0
}

func (r *repeated) add(message, seq chat.Seq) {
	switch {
	case r.last == nil:
		r.last = map[chat.Seq]chat.Seq{}
	case len(r.last) >= maxRepeated:
		clear(r.last)
		r.lost = seq
	}
	r.last[message] = seq
}
