package torture

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// An operation is something that somebody tries to do until it is acknowledged.
type operation struct {
	room, nonce, text string
	kind              Kind
	target, replyTo   int64
	same              bool      // an edit to what the message says already
	flying            *Attempt  // set while an answer may come
	notBefore         time.Time // when to try again
}

// command is what asks for it on /ws.
func (d *operation) command() map[string]any {
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

func (d *operation) attempt(author string, conn int) Attempt {
	return Attempt{Author: author, Room: d.room, Nonce: d.nonce, Conn: conn, Kind: d.kind, Target: d.target, Text: d.text, Same: d.same}
}

func (d *operation) place() messageRef { return messageRef{d.room, d.target} }

// retryCopy returns a deed that is the same thing once more, with the same nonce.
func (d *operation) retryCopy() *operation {
	return &operation{room: d.room, nonce: d.nonce, text: d.text, kind: d.kind, target: d.target, replyTo: d.replyTo, same: d.same}
}

// finalCodes are the codes of what will not be done by trying again: its message is
// deleted, or is not there, which the history will tell.
var finalCodes = []string{"gone", "not_found", "not_yours", "too_many"}

// emoji are what people react with.
var emoji = []string{"👍", "🎉", "❤️"}

// A messageRef is where a message is.
type messageRef struct {
	room string
	seq  int64
}

// places are the newest messages that somebody knows of, the oldest first.
type places []messageRef

const messageRefs = 40 // places

func (p *places) add(at messageRef) {
	*p = append(*p, at)
	if len(*p) > messageRefs {
		*p = (*p)[1:]
	}
}

// pick returns one of them, another for each n, and false if there is none.
func (p places) pick(n int) (messageRef, bool) {
	if len(p) == 0 {
		return messageRef{}, false
	}
	return p[n*7%len(p)], true
}

func (p *places) remove(at messageRef) {
	*p = slices.DeleteFunc(*p, func(other messageRef) bool { return other == at })
}

// A planner is what somebody remembers to make up their next deed.
type planner struct {
	own, others places      // messages to change, and to react to
	marks       []operation // reactions that stand

	retries bool                   // it chooses its nonces, so that it can send again what was acknowledged
	edited  map[messageRef]version // what edits have made of messages
	same    map[messageRef]*operation
	late    []*operation // to be sent once more, though acknowledged: their messages say something else by now
}

// A version is what a message says since an edit.
type version struct {
	text string
	seq  int64
}

// next makes somebody's nth deed: many are messages, some of them answers; so are
// the others where there is nothing yet to change. Nobody does the same thing twice,
// so that everything in the history has one origin; but for edits to what a message
// says already, which make no event, and which are sent once more when it says
// something else. waiting are the deeds that have no answer yet.
func (m *planner) next(name string, rooms []string, n int, waiting []*operation) *operation {
	d := &operation{room: rooms[n%len(rooms)], nonce: fmt.Sprintf("%s-%d", name, n), kind: Message, text: text(name, "says", n)}
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
		d.change(messageRef{m.marks[0].room, m.marks[0].target}, Unreact, m.marks[0].text)
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
func (m *planner) repeats(d *operation, waiting []*operation) bool {
	for _, at := range m.own {
		says, ok := m.edited[at]
		if ok && m.same[at] == nil && !slices.ContainsFunc(waiting, func(w *operation) bool { return w.place() == at }) {
			m.own.remove(at)
			d.change(at, Edit, says.text)
			d.same = true
			return true
		}
	}
	return false
}

func (d *operation) change(at messageRef, kind Kind, text string) {
	d.room, d.target, d.kind, d.text = at.room, at.seq, kind, text
}

// done takes note of what an acknowledged deed has made.
func (m *planner) done(d *operation, seq int64) {
	switch d.kind {
	case Message:
		m.own.add(messageRef{d.room, seq})
	case Edit, Delete:
		m.changed(d, seq)
	case React:
		m.marks = append(m.marks, *d)
	}
}

// changed takes note of an acknowledged edit or deletion of one's own message.
func (m *planner) changed(d *operation, seq int64) {
	at := d.place()
	if m.edited == nil {
		m.edited, m.same = map[messageRef]version{}, map[messageRef]*operation{}
	}
	switch before := m.same[at]; {
	case d.same && !m.retries:
		m.own.add(at)
	case d.same && before == nil && seq == m.edited[at].seq: // for the first time
		m.same[at] = d.retryCopy()
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

// noteMessage takes note of a message that it can react to.
func (m *rawClient) noteMessage(f frame) {
	if f.Kind != Message || f.Gone || m.mute {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.others.add(messageRef{f.Room, f.Seq})
}
