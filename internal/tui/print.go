package tui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"parley/client"
)

// A printer writes one event of a room's log, in one call of Write, so that the next program in a
// pipe gets it at once. target is the message that the event changes, without its text; its Seq is
// 0 if Follow no longer remembers it.
type printer func(out io.Writer, e client.Event, target client.Message) error

// PrintLine writes a message as the line "time name: text", and any other event as "time *
// description".
func PrintLine(out io.Writer, e client.Event, target client.Message) error {
	its := "an older message"
	if target.Seq != 0 {
		its = fmt.Sprintf("the message of %s at %s", cleanLine(target.From.Name), clock(target.At))
	}
	at, what := describeEvent(e, its)
	if what == "" {
		return nil
	}
	_, err := fmt.Fprintf(out, "%s %s\n", clock(at), what)
	return err
}

// describeEvent describes an event in one line; its names the author of the message that the event
// changes. The description is empty if the event's message has been deleted.
func describeEvent(e client.Event, its string) (at time.Time, what string) {
	switch e := e.(type) {
	case client.Message:
		return e.At, describeMessage(e)
	case client.Reply:
		if e.Gone {
			return e.At, ""
		}
		return e.At, describeAction(e.From, "answered in the thread of %s: %s", its, cleanLine(e.Text))
	case client.Edit:
		if e.Gone {
			return e.At, ""
		}
		return e.At, describeAction(e.From, "edited %s: %s", its, cleanLine(e.Text))
	case client.Delete:
		return e.At, describeAction(e.From, "deleted %s", its)
	case client.Reaction:
		if e.Removed {
			return e.At, describeAction(e.From, "took %s back from %s", cleanLine(e.Emoji), its)
		}
		return e.At, describeAction(e.From, "reacted with %s to %s", cleanLine(e.Emoji), its)
	case client.Pin:
		if e.Removed {
			return e.At, describeAction(e.From, "unpinned %s", its)
		}
		return e.At, describeAction(e.From, "pinned %s", its)
	case client.Reset:
		return time.Now(), "* the server was restored from a back-up: what was shown before may be gone"
	case client.Topic:
		if e.Text == "" {
			return e.At, describeAction(e.From, "took the topic away")
		}
		return e.At, describeAction(e.From, "set the topic: %s", cleanLine(e.Text))
	}
	return at, ""
}

// describeMessage returns a message's author and text, or "" if it was deleted.
func describeMessage(m client.Message) string {
	switch {
	case m.Gone:
		return ""
	case m.Action:
		return describeAction(m.From, "%s", cleanLine(m.Text))
	}
	return cleanLine(m.From.Name) + ": " + cleanLine(m.Text)
}

func describeAction(who client.Person, format string, args ...any) string {
	return "* " + cleanLine(who.Name) + " " + fmt.Sprintf(format, args...)
}

func clock(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

// PrintJSON writes an event in the form of the protocol, one object per line. Objects of events
// other than messages of the room have a kind.
func PrintJSON(out io.Writer, e client.Event, _ client.Message) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // the output is for programs, not for a page
	if err := enc.Encode(jsonOf(e)); err != nil {
		return err
	}
	_, err := out.Write(escapeControls(b.Bytes()))
	return err
}

// A jsonChange is an event that changes a message or the room.
type jsonChange struct {
	Kind   string        `json:"kind"`
	Room   string        `json:"room"`
	Seq    int64         `json:"seq"`
	At     time.Time     `json:"at"`
	From   client.Person `json:"from"`
	Target int64         `json:"target,omitempty"`
	Text   *string       `json:"text,omitempty"`
	HTML   string        `json:"html,omitempty"`
	Gone   bool          `json:"gone,omitempty"`
	Emoji  string        `json:"emoji,omitempty"`
}

func jsonOf(e client.Event) any {
	undo := func(kind string, removed bool) string {
		if removed {
			return "un" + kind
		}
		return kind
	}
	switch e := e.(type) {
	case client.Reply:
		return struct {
			Kind string `json:"kind"`
			client.Message
		}{"reply", e.Message}
	case client.Edit:
		return jsonChange{
			Kind: "edit", Room: e.Room, Seq: e.Seq, At: e.At, From: e.From, Target: e.Target, Text: &e.Text,
			HTML: e.HTML, Gone: e.Gone,
		}
	case client.Delete:
		return jsonChange{Kind: "delete", Room: e.Room, Seq: e.Seq, At: e.At, From: e.From, Target: e.Target}
	case client.Reaction:
		return jsonChange{
			Kind: undo("react", e.Removed), Room: e.Room, Seq: e.Seq, At: e.At, From: e.From, Target: e.Target,
			Emoji: e.Emoji,
		}
	case client.Pin:
		return jsonChange{
			Kind: undo("pin", e.Removed), Room: e.Room, Seq: e.Seq, At: e.At, From: e.From, Target: e.Target,
		}
	case client.Reset:
		return struct {
			Kind  string `json:"kind"`
			Room  string `json:"room"`
			Seq   int64  `json:"seq"`
			Epoch string `json:"epoch"`
		}{"reset", e.Room, e.Seq, e.Epoch}
	case client.Topic:
		return jsonChange{Kind: "topic", Room: e.Room, Seq: e.Seq, At: e.At, From: e.From, Text: &e.Text}
	}
	return e
}

// escapeControls escapes, in JSON's notation, characters that JSON permits and a terminal would act
// on: C1 controls and changes of the text direction.
func escapeControls(b []byte) []byte {
	var out strings.Builder
	for _, r := range string(b) {
		if r >= 0x7f && r < 0xa0 || r < 0x10000 && isInvisible(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
			continue
		}
		out.WriteRune(r)
	}
	return []byte(out.String())
}
