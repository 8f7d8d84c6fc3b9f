package torture

import (
	"fmt"
	"hash/fnv"
	"strings"
	"time"
)

// Evidence is everything that was seen from outside while a server was tortured, and the histories
// read afterwards.
type Evidence struct {
	Times     []time.Duration // of the ticks, since the round began
	Attempts  []Attempt
	Looks     []HeadRead
	Runs      []Observed
	Pages     []Page
	Reads     []ReadMark
	Histories []History
	Forgotten []string // people whose session the server no longer knew

	// Forgets is how long after a deletion one of several nodes may show the text from its memory.
	Forgets time.Duration

	Remembered []string // deleted texts that a node still showed then

	Unanswered []string // requests that had no answer, or that of another request
	Blind      []string // clients that were told to continue in a log that was reset
}

// A Tick is a point in time. Different points have different ticks, and a later one has the greater
// tick; 0 means never.
type Tick int64

// A Kind is the kind of an attempt or an event.
type Kind string

// The kinds that the checker knows. It assumes that events of other kinds change no message.
const (
	Message Kind = "message"
	Edit    Kind = "edit"
	Delete  Kind = "delete"
	React   Kind = "react"   // Text is the emoji
	Unreact Kind = "unreact" // Text is the emoji
)

// An Attempt is one try to store something. A message that was sent again has several attempts with
// the same nonce.
type Attempt struct {
	Author string // the person's id
	Room   string
	Nonce  string
	Conn   int // the connection; 0 if it is not known
	Node   int `json:",omitempty"` // the node that was asked; 0 if that is not known
	Kind   Kind
	Target int64 `json:",omitempty"` // the message that is changed
	Text   string
	// An edit to the text that the message has already: the answer is the event that set this text
	Same bool `json:",omitempty"`

	Called   Tick   // before it was sent
	Answered Tick   // after the answer came; 0: none came
	Seq      int64  // the acknowledged seq; 0: none
	Refused  string `json:",omitempty"` // the code of a refusal
}

func (a Attempt) acked() bool { return a.Answered != 0 && a.Refused == "" }

// A HeadRead is a read that returned the newest seq of a room.
type HeadRead struct {
	Reader string
	Room   string
	Node   int `json:",omitempty"` // which of several nodes answered from its memory; 0: the store was read

	Called   Tick
	Answered Tick
	Head     int64
}

// A ReadMark is a request that set a person's read mark in a room or, afterwards, read it, with the
// answer.
type ReadMark struct {
	Person string
	Room   string
	Asked  int64 // the requested mark; 0: none was set
	Last   bool  `json:",omitempty"` // read after everything was finished

	Called   Tick
	Answered Tick // 0: no answer came, or a refusal
	Read     int64
	Unread   int // the unread count in the answer
}

// An Event is an event of a room's log, as a client saw it.
type Event struct {
	Seq     int64
	Kind    Kind
	Author  string
	Target  int64 `json:",omitempty"`
	Text    string
	Deleted bool `json:",omitempty"` // a deleted message, or an edit of one

	ReplyTo int64  `json:",omitempty"` // the message that this one answers
	Quote   string `json:",omitempty"` // the quoted text, when this event was seen
}

// sameAs reports whether e and other are the same event, whenever they were seen.
func (e Event) sameAs(other Event) bool {
	e.Quote, other.Quote = "", ""
	return e == other
}

// says reports whether e could have had a text that was deleted later.
func (e Event) says() bool { return e.Kind == Message || e.Kind == Edit }

// A MessageState is a message as it is shown on a page.
type MessageState struct {
	Seq    int64
	Author string
	Text   string
	Gone   bool     `json:",omitempty"`
	Marks  []string `json:",omitempty"` // reactions, each an emoji and its author, sorted

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

// A Page is a room's newest messages, as a client read them.
type Page struct {
	Reader   string
	Room     string
	Head     int64 // the newest event that the page includes
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

// Observed is what one reader saw of one room, over all its connections.
type Observed struct {
	Reader   string
	Room     string
	Parts    []ObservedPart
	Complete bool // it read until the end

	newest int64 // the greatest seq that it saw, or skipped on purpose
}

// An ObservedPart is what came over one connection, or as pages of history.
type ObservedPart struct {
	Conn   int // 0: pages of the log
	Node   int `json:",omitempty"` // the node; 0 where there is only one
	Called Tick
	Epoch  string
	After  int64 // the server was to continue after this seq
	Events []Event
}

// A History is a room as it was read afterwards: its log and its message states.
type History struct {
	Room     string
	Epoch    string
	Head     int64 // the newest seq, as the server reports it
	Events   []Event
	Messages []MessageState
}

// abridged shortens a long text to its beginning, length and hash. Texts that were sent and seen
// are compared in this form.
func abridged(text string) string {
	const whole, head = 64, 32
	if len(text) <= whole {
		return text
	}
	h := fnv.New64a()
	h.Write([]byte(text))
	return fmt.Sprintf("%s… %d bytes %016x", strings.ToValidUTF8(text[:head], ""), len(text), h.Sum64())
}
