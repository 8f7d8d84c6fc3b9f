package tui

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"parley/client"
)

// maxLine is how many bytes a line may have: more than any server takes, so
// that it is the server that says that a message is too long.
const maxLine = 1 << 20

// Send sends each line of in as a message, in order, and returns when the last
// is stored. Blank lines are left out. A message that is not stored within
// patience ends it.
func Send(ctx context.Context, c Chat, room string, in io.Reader, patience time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines, end := readLines(ctx, in)
	for n := 1; ; n++ {
		select {
		case text := <-lines:
			if strings.TrimSpace(text) == "" {
				continue
			}
			if err := sendLine(ctx, c, room, text, patience); err != nil {
				return fmt.Errorf("line %d was not sent: %w", n, err)
			}
		case err := <-end:
			if err != nil {
				return fmt.Errorf("read what to send: %w", err)
			}
			return nil
		case <-ctx.Done():
			return errors.New("interrupted before the end of what there was to send")
		}
	}
}

// readLines reads in on a goroutine of its own. One that waits for more stays
// when ctx ends, until there is more or the process ends: nothing interrupts
// reading from a pipe.
func readLines(ctx context.Context, in io.Reader) (lines <-chan string, end <-chan error) {
	read, ended := make(chan string), make(chan error, 1)
	go func() {
		s := bufio.NewScanner(in)
		s.Buffer(nil, maxLine)
		for s.Scan() {
			select {
			case read <- strings.TrimRight(s.Text(), "\r"):
			case <-ctx.Done():
				return
			}
		}
		ended <- s.Err()
	}()
	return read, ended
}

func sendLine(ctx context.Context, c Chat, room, text string, patience time.Duration) error {
	sctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := c.Send(sctx, room, text)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return errors.New("interrupted")
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer from the server within %v", patience)
	}
	return errors.New(why(err))
}

// A Printer writes one message. It writes it whole, in one call of Write, so
// that the next program in a pipe has it at once.
type Printer func(out io.Writer, m client.Message) error

// PrintLine writes "time name: text" on one line.
func PrintLine(out io.Writer, m client.Message) error {
	_, err := fmt.Fprintf(out, "%s %s: %s\n", m.At.Local().Format("2006-01-02 15:04:05"), CleanLine(m.From.Name), CleanLine(m.Text))
	return err
}

// PrintJSON writes a message as the protocol has it, one object on a line.
func PrintJSON(out io.Writer, m client.Message) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // it goes to a program, not into a page
	if err := e.Encode(m); err != nil {
		return err
	}
	_, err := out.Write(escapeControls(b.Bytes()))
	return err
}

// escapeControls writes in JSON's way what JSON lets through and a terminal
// would act on: the C1 controls and what turns the direction of text.
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

// Follow prints the last messages of a room that c has joined, at most history
// of them, and then each that comes, until ctx ends.
func Follow(ctx context.Context, c Chat, r client.Room, history int, out io.Writer, print Printer) error {
	old, err := lastMessages(ctx, c, r, history)
	if err != nil {
		return err
	}
	for _, m := range old {
		if err := print(out, m); err != nil {
			return err
		}
	}
	for {
		e, err := c.Next(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		switch e := e.(type) {
		case client.Message:
			if e.Room == r.Name {
				if err := print(out, e); err != nil {
					return err
				}
			}
		case client.Left:
			return errors.New(why(e.Err))
		}
	}
}

// lastMessages returns up to n messages, oldest first, up to r.Seq: what comes
// after that comes by itself.
func lastMessages(ctx context.Context, c Chat, r client.Room, n int) ([]client.Message, error) {
	var found []client.Message
	for before := r.Seq + 1; n > 0 && before > 1; {
		h, err := c.History(ctx, r.Name, client.Page{Before: &before, Limit: min(n, 200)})
		if err != nil {
			return nil, err
		}
		if len(h.Messages) == 0 {
			break
		}
		found = append(h.Messages, found...)
		n -= len(h.Messages)
		before = h.Messages[0].Seq
	}
	return found, nil
}
