package torture

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// Evidence is all that was seen from outside while a server was tortured, and
// the histories read afterwards.
type Evidence struct {
	Attempts  []Attempt
	Looks     []HeadRead
	Runs      []Observed
	Pages     []Page
	Reads     []ReadMark
	Histories []History
	Forgotten []string // people whose session the server did not know any more

	Unanswered []string // requests that had no answer, or another's
	Blind      []string // who was told to go on in a log that was set back
}

// A Tick is a moment. Ticks of different moments differ, and the later moment
// has the greater tick; 0 is never.
type Tick int64

// A Kind says what an attempt asks for and what an event is.
type Kind string

// The kinds that the checker knows. It takes an event of another kind for one
// that changes no message.
const (
	Message Kind = "message"
	Edit    Kind = "edit"
	Delete  Kind = "delete"
	React   Kind = "react"   // Text is the emoji
	Unreact Kind = "unreact" // likewise
)

// An Attempt is one try to have something stored. A message that was sent again
// has several, all with its nonce.
type Attempt struct {
	Author string // the person's id
	Room   string
	Nonce  string
	Conn   int // the connection it went over; 0 if that is not known
	Kind   Kind
	Target int64 `json:",omitempty"` // the message that is changed
	Text   string
	Same   bool `json:",omitempty"` // an edit to what the message says already: the answer is the event since which it does

	Called   Tick   // before it was sent
	Answered Tick   // after the answer came; 0: none came
	Seq      int64  // what was acknowledged; 0: nothing
	Refused  string `json:",omitempty"` // the code of an answer that it was not stored
}

func (a Attempt) acked() bool { return a.Answered != 0 && a.Refused == "" }

// A HeadRead is a read that said which event of a room was the newest.
type HeadRead struct {
	Reader string
	Room   string

	Called   Tick
	Answered Tick
	Head     int64
}

// A ReadMark is an answer, or none, to somebody who said how far they have read a room
// or, afterwards, asked how far they have.
type ReadMark struct {
	Person string
	Room   string
	Asked  int64 // said to be read; 0: nothing was said
	Last   bool  `json:",omitempty"` // nothing happened any more

	Called   Tick
	Answered Tick // 0: no answer came, or a refusal
	Read     int64
	Unread   int // messages of others after that, by the answer
}

// An Event is something in a room's log, as it was seen.
type Event struct {
	Seq     int64
	Kind    Kind
	Author  string
	Target  int64 `json:",omitempty"`
	Text    string
	Deleted bool `json:",omitempty"` // a message, or an edit of one, that was deleted

	ReplyTo int64  `json:",omitempty"` // the message that this one answers
	Quote   string `json:",omitempty"` // what that one said, when this was shown
}

// sameAs reports whether e and other are the same event, whenever they were shown.
func (e Event) sameAs(other Event) bool {
	e.Quote, other.Quote = "", ""
	return e == other
}

// says reports whether e could have said something that was deleted later.
func (e Event) says() bool { return e.Kind == Message || e.Kind == Edit }

// A MessageState is a message as it stands on a page.
type MessageState struct {
	Seq    int64
	Author string
	Text   string
	Gone   bool     `json:",omitempty"`
	Marks  []string `json:",omitempty"` // reactions, each emoji with whose it is, sorted

	ReplyTo int64  `json:",omitempty"`
	Quote   string `json:",omitempty"`
}

func (m MessageState) String() string {
	s := fmt.Sprintf("%d by %s %q with %v", m.Seq, m.Author, m.Text, m.Marks)
	if m.Gone {
		s = fmt.Sprintf("%d by %s, deleted, with %q and %v", m.Seq, m.Author, m.Text, m.Marks)
	}
	if m.Quote != "" {
		s += fmt.Sprintf(" to %d %q", m.ReplyTo, m.Quote)
	}
	return s
}

// A Page is a room's newest messages, as they stood when it was read.
type Page struct {
	Reader   string
	Room     string
	Head     int64 // the newest event that is in it
	Messages []MessageState
}

func (e Event) String() string {
	s := fmt.Sprintf("%d %s by %s %q", e.Seq, e.Kind, e.Author, e.Text)
	if e.Target != 0 {
		s += fmt.Sprintf(" of %d", e.Target)
	}
	if e.Quote != "" {
		s += fmt.Sprintf(" to %d %q", e.ReplyTo, e.Quote)
	}
	if e.Deleted {
		s += " (gone)"
	}
	return s
}

// A Observed is what one reader saw of one room, over all its connections.
type Observed struct {
	Reader   string
	Room     string
	Parts    []ObservedPart
	Complete bool // it read until there was nothing more

	newest int64 // the greatest seq seen or not to be seen
}

// A ObservedPart of a run is what came over one connection, or as pages of history.
type ObservedPart struct {
	Conn   int // 0: pages of the log
	Called Tick
	Epoch  string
	After  int64 // the server was to continue after this
	Events []Event
}

// A History is a room as it was read afterwards: its log, and its messages as they
// stand.
type History struct {
	Room     string
	Epoch    string
	Head     int64 // the newest seq, as the server says
	Events   []Event
	Messages []MessageState
}

// abridged returns a text in few bytes: itself if it is short, else its
// beginning, length and hash. What was sent and what was seen are compared so.
func abridged(text string) string {
	const whole, head = 64, 32
	if len(text) <= whole {
		return text
	}
	h := fnv.New64a()
	h.Write([]byte(text))
	return fmt.Sprintf("%s… %d bytes %016x", strings.ToValidUTF8(text[:head], ""), len(text), h.Sum64())
}
