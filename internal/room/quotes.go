package room

import "parley/internal/chat"

// quotes knows where a room's recent bytes say again what a message says: in its
// edits, and where it is quoted. It is guarded by its room's mu.
type quotes struct {
	newest      map[chat.Seq]chat.Seq // by message: the newest event that does
	unknownUpTo chat.Seq              // up to this event anything may
}

// maxQuotes is of how many messages a room remembers that.
const maxQuotes = 4096

// observe looks at a new event. If that deletes a message it returns the newest event
// that may hold what the message said, else 0.
func (r *quotes) observe(e chat.Event) (through chat.Seq) {
	switch {
	case e.Kind == chat.Delete:
		through = max(e.Target, r.newest[e.Target], r.unknownUpTo)
		delete(r.newest, e.Target)
		return through
	case e.Kind == chat.Edit:
		r.add(e.Target, e.Seq)
	case e.Extra != nil && e.Extra.Quote != nil:
		r.add(e.Extra.ReplyTo, e.Seq)
	}
	return 0
}

func (r *quotes) add(message, seq chat.Seq) {
	switch {
	case r.newest == nil:
		r.newest = map[chat.Seq]chat.Seq{}
	case len(r.newest) >= maxQuotes:
		clear(r.newest)
		r.unknownUpTo = seq
	}
	r.newest[message] = seq
}
