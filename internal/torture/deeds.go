package torture

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A deed is something that somebody tries to do until it is acknowledged.
type deed struct {
	room, nonce, text string
	kind              Kind
	target, replyTo   int64
	same              bool      // an edit to what the message says already
	flying            *Attempt  // set while an answer may come
	notBefore         time.Time // when to try again
}

// command is what asks for it on /ws.
func (d *deed) command() map[string]any {
	c := map[string]any{"op": string(d.kind), "room": d.room, "nonce": d.nonce}
	switch d.kind {
	case Message:
		c["op"], c["text"], c["reply_to"] = "send", d.text, d.replyTo
	case React, Unreact:
		c["seq"], c["emoji"] = d.target, d.text
	default:
		c["seq"], c["text"] = d.target, d.text
	}
	return c
}

func (d *deed) attempt(author string, conn int) Attempt {
	return Attempt{Author: author, Room: d.room, Nonce: d.nonce, Conn: conn, Kind: d.kind, Target: d.target, Text: d.text, Same: d.same}
}

func (d *deed) place() place { return place{d.room, d.target} }

// again returns a deed that is the same thing once more, with the same nonce.
func (d *deed) again() *deed {
	return &deed{room: d.room, nonce: d.nonce, text: d.text, kind: d.kind, target: d.target, replyTo: d.replyTo, same: d.same}
}

// hopeless are the codes of what will not be done by trying again: its message is
// deleted, or is not there, which the history will tell.
var hopeless = []string{"gone", "not_found", "not_yours", "too_many"}

// emoji are what people react with.
var emoji = []string{"👍", "🎉", "❤️"}

// A place is where a message is.
type place struct {
	room string
	seq  int64
}

// places are the newest messages that somebody knows of, the oldest first.
type places []place

const kept = 40 // places

func (p *places) add(at place) {
	*p = append(*p, at)
	if len(*p) > kept {
		*p = (*p)[1:]
	}
}

// pick returns one of them, another for each n, and false if there is none.
func (p places) pick(n int) (place, bool) {
	if len(p) == 0 {
		return place{}, false
	}
	return p[n*7%len(p)], true
}

func (p *places) remove(at place) {
	*p = slices.DeleteFunc(*p, func(other place) bool { return other == at })
}

// A mind is what somebody remembers to make up their next deed.
type mind struct {
	own, others places // messages to change, and to react to
	marks       []deed // reactions that stand

	retries bool              // it chooses its nonces, so that it can send again what was acknowledged
	edited  map[place]version // what edits have made of messages
	same    map[place]*deed
	late    []*deed // to be sent once more, though acknowledged: their messages say something else by now
}

// A version is what a message says since an edit.
type version struct {
	text string
	seq  int64
}

// compose makes somebody's nth deed: many are messages, some of them answers; so are
// the others where there is nothing yet to change. Nobody does the same thing twice,
// so that everything in the history has one origin; but for edits to what a message
// says already, which make no event, and which are sent once more when it says
// something else. waiting are the deeds that have no answer yet.
func (m *mind) compose(name string, rooms []string, n int, waiting []*deed) *deed {
	d := &deed{room: rooms[n%len(rooms)], nonce: fmt.Sprintf("%s-%d", name, n), kind: Message, text: text(name, "says", n)}
	own, hasOwn := m.own.pick(n)
	other, hasOther := m.others.pick(n)
	switch c := n % 10; {
	case (c == 2 || c == 6) && hasOwn:
		d.change(own, Edit, text(name, "means", n))
	case c == 1 && len(m.late) > 0:
		d, m.late = m.late[0], m.late[1:]
	case c == 3 && m.repeats(d, waiting):
	case c == 7 && hasOther:
		d.room, d.replyTo = other.room, other.seq
	case c == 4 && hasOther:
		m.others.remove(other) // one emoji for each message
		d.change(other, React, emoji[n%len(emoji)])
	case c == 8 && len(m.marks) > 0:
		d.change(place{m.marks[0].room, m.marks[0].target}, Unreact, m.marks[0].text)
		m.marks = m.marks[1:]
	case c == 9 && hasOwn:
		m.own.remove(own)
		delete(m.edited, own)
		d.change(own, Delete, "")
	}
	return d
}

// repeats makes d an edit of one's own message to what it says already, and reports
// whether there is one of which that is known: nothing else is being done to it, and
// nothing is until d is acknowledged.
func (m *mind) repeats(d *deed, waiting []*deed) bool {
	for _, at := range m.own {
		says, ok := m.edited[at]
		if ok && m.same[at] == nil && !slices.ContainsFunc(waiting, func(w *deed) bool { return w.place() == at }) {
			m.own.remove(at)
			d.change(at, Edit, says.text)
			d.same = true
			return true
		}
	}
	return false
}

func (d *deed) change(at place, kind Kind, text string) {
	d.room, d.target, d.kind, d.text = at.room, at.seq, kind, text
}

// done takes note of what an acknowledged deed has made.
func (m *mind) done(d *deed, seq int64) {
	switch d.kind {
	case Message:
		m.own.add(place{d.room, seq})
	case Edit, Delete:
		m.changed(d, seq)
	case React:
		m.marks = append(m.marks, *d)
	}
}

// changed takes note of an acknowledged edit or deletion of one's own message.
func (m *mind) changed(d *deed, seq int64) {
	at := d.place()
	if m.edited == nil {
		m.edited, m.same = map[place]version{}, map[place]*deed{}
	}
	switch before := m.same[at]; {
	case d.same && !m.retries:
		m.own.add(at)
	case d.same && before == nil && seq == m.edited[at].seq: // for the first time
		m.same[at] = d.again()
		m.own.add(at)
	case d.same: // once more
	default:
		if d.kind == Edit && seq > m.edited[at].seq {
			m.edited[at] = version{d.text, seq}
		}
		if before != nil {
			m.late = append(m.late, before)
			delete(m.same, at)
		}
	}
}

// text is what somebody says or means: mostly little, at times more.
func text(name, does string, n int) string {
	text := fmt.Sprintf("%s %s %d", name, does, n)
	if n%7 == 0 {
		text += strings.Repeat(" and so on", 10*(1+n%20))
	}
	return text
}

// hears takes note of a message that it can react to.
func (m *member) hears(f frame) {
	if f.Kind != Message || f.Gone || m.mute {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.others.add(place{f.Room, f.Seq})
}
