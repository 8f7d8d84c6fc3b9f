package torture

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// An operation is a command that a person repeats until it is acknowledged.
type operation struct {
	room, nonce, text string
	kind              Kind
	target, replyTo   int64
	same              bool      // an edit to the text that the message has already
	flying            *Attempt  // set while an answer may come
	notBefore         time.Time // when to try again
}

// command returns the operation as a command of /ws.
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

func (d *operation) attempt(author string, conn, node int) Attempt {
	return Attempt{
		Author: author, Room: d.room, Nonce: d.nonce, Conn: conn, Node: node, Kind: d.kind, Target: d.target,
		Text: d.text,
		Same: d.same,
	}
}

func (d *operation) place() messageRef { return messageRef{d.room, d.target} }

// retryCopy returns a copy of the operation with the same nonce.
func (d *operation) retryCopy() *operation {
	return &operation{
		room: d.room, nonce: d.nonce, text: d.text, kind: d.kind, target: d.target, replyTo: d.replyTo, same: d.same,
	}
}

// finalCodes are the codes after which another attempt is useless: the message is deleted or
// missing, which the history will show.
var finalCodes = []string{"gone", "not_found", "not_yours", "too_many"}

// emoji are used for reactions.
var emoji = []string{"👍", "🎉", "❤️"}

// A messageRef is a message's room and seq.
type messageRef struct {
	room string
	seq  int64
}

// messageRefs are the newest messages that a person knows, the oldest first.
type messageRefs []messageRef

const maxRefs = 40 // of messageRefs

func (p *messageRefs) add(at messageRef) {
	*p = append(*p, at)
	if len(*p) > maxRefs {
		*p = (*p)[1:]
	}
}

// pick returns one reference, depending on n, and false if there is none.
func (p messageRefs) pick(n int) (messageRef, bool) {
	if len(p) == 0 {
		return messageRef{}, false
	}
	return p[n*7%len(p)], true
}

func (p *messageRefs) remove(at messageRef) {
	*p = slices.DeleteFunc(*p, func(other messageRef) bool { return other == at })
}

// A planner holds what a person remembers in order to choose the next operation.
type planner struct {
	own, others messageRefs // messages to change, and to react to
	marks       []operation // reactions that were not taken back

	retries bool                   // it chooses nonces itself, so it can repeat an acknowledged operation
	edited  map[messageRef]version // messages that were edited, with their text
	same    map[messageRef]*operation
	late    []*operation // acknowledged operations to be repeated: their messages have another text by now
}

// A version is a message's text since an edit.
type version struct {
	text string
	seq  int64
}

// next returns a person's nth operation. Many are messages, some of them replies; if there is
// nothing to change yet, all are. No person does the same thing twice, so that everything in the
// history has one origin, except for edits to the text that a message has already: they make no
// event, and are repeated when the message has another text. waiting are the operations that have
// no answer yet.
func (m *planner) next(name string, rooms []string, n int, waiting []*operation) *operation {
	d := &operation{
		room: rooms[n%len(rooms)], nonce: fmt.Sprintf("%s-%d", name, n), kind: Message, text: text(name, "says", n),
	}
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
		m.others.remove(other) // one emoji per message
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

// repeats makes d an edit of an own message to the text that it has already. It returns false if
// there is no message whose text is certain: nothing else is being done to it, and nothing will be
// until d is acknowledged.
func (m *planner) repeats(d *operation, waiting []*operation) bool {
	for _, at := range m.own {
		says, ok := m.edited[at]
		if ok && m.same[at] == nil &&
			!slices.ContainsFunc(waiting, func(w *operation) bool { return w.place() == at }) {
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

// done records the effect of an acknowledged operation.
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

// changed records an acknowledged edit or deletion of an own message.
func (m *planner) changed(d *operation, seq int64) {
	at := d.place()
	if m.edited == nil {
		m.edited, m.same = map[messageRef]version{}, map[messageRef]*operation{}
	}
	switch before := m.same[at]; {
	case d.same && !m.retries:
		m.own.add(at)
	case d.same && before == nil && seq == m.edited[at].seq: // the first time
		m.same[at] = d.retryCopy()
		m.own.add(at)
	case d.same: // repeated
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

// text returns the text for an operation: mostly short, sometimes long.
func text(name, does string, n int) string {
	text := fmt.Sprintf("%s %s %d", name, does, n)
	if n%7 == 0 {
		text += strings.Repeat(" and so on", 10*(1+n%20))
	}
	return text
}

// noteMessage remembers a message to which the person can react.
func (m *rawClient) noteMessage(f frame) {
	if f.Kind != Message || f.Gone || m.mute {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.others.add(messageRef{f.Room, f.Seq})
}
