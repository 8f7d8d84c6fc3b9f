package room

import "parley/internal/chat"

// quotes tracks which recent events of a room repeat a message's text (edits and quotes), so that a deletion can drop
// their bytes. It is guarded by its room's mu.
type quotes struct {
	newest      map[chat.Seq]chat.Seq // by message: the newest event that repeats its text
	unknownUpTo chat.Seq              // up to this event, any message may be repeated
}

// maxQuotes is how many messages a room tracks.
const maxQuotes = 4096

// observe records a new event. For a deletion it returns the newest event that may hold the deleted text, else 0.
func (r *quotes) observe(e chat.Event) (through chat.Seq) {
	switch {
	case e.Kind == chat.Delete:
		through = max(e.Target, r.newest[e.Target], r.unknownUpTo)
		delete(r.newest, e.Target)
		return through
	case e.Kind == chat.Edit:
		r.add(e.Target, e.Seq)
	case e.Attrs != nil && e.Attrs.Quote != nil:
		r.add(e.Attrs.ReplyTo, e.Seq)
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
