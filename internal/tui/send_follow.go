package tui

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"parley/client"
)

// maxLine is the greatest length of a line in bytes. It is more than any server accepts, so that
// the server reports a message that is too long.
const maxLine = 1 << 20

// Send sends each line of in as a message, in order, and returns when the last one is stored. It
// skips blank lines. If a message is not stored within patience, Send returns an error.
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

// readLines reads in on its own goroutine. After ctx ends, the goroutine may remain until the next
// line or the end of the process, because reading from a pipe cannot be interrupted.
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
	case errors.Is(err, client.ErrSessionEnded):
		return ending(err)
	case ctx.Err() != nil:
		return errors.New("interrupted")
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer from the server within %v", patience)
	}
	return errors.New(why(err))
}

// maxRemembered is how many messages Follow remembers, to describe which message a change is about.
const maxRemembered = 1000

// Follow prints the last messages of a room that c has joined, at most history of them, and then
// each new event, until ctx ends.
func Follow(ctx context.Context, c Chat, r client.Room, history int, out io.Writer, print printer) error {
	old, err := lastMessages(ctx, c, r, history)
	if err != nil {
		return err
	}
	var told []client.Message // without their texts, which may be deleted
	tell := func(e client.Event, m client.Message) error {
		var target client.Message
		_, about := numbersOf(e)
		if i := slices.IndexFunc(told, func(m client.Message) bool { return m.Seq == about }); i >= 0 {
			target = told[i]
		}
		if m.Seq != 0 {
			told = append(told, client.Message{Room: m.Room, Seq: m.Seq, At: m.At, From: m.From})
			told = told[max(0, len(told)-maxRemembered):]
		}
		return print(out, e, target)
	}
	for _, m := range old {
		if err := tell(m, m); err != nil {
			return err
		}
	}
	for {
		e, err := c.Next(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return ending(err)
		}
		switch e := e.(type) {
		case client.Message:
			err = tell(e, e)
		case client.Reply:
			err = tell(e, e.Message)
		case client.Edit, client.Delete, client.Reaction, client.Pin, client.Topic:
			err = tell(e, client.Message{})
		case client.Reset:
			if err = tell(e, client.Message{}); err == nil {
				old, err = sinceReset(ctx, c, e, told, r.At)
			}
			for _, m := range old {
				err = errors.Join(err, tell(m, m))
			}
		case client.Left:
			return errors.New(why(e.Err))
		}
		if err != nil {
			return err
		}
	}
}

// numbersOf returns an event's seq and that of its target; 0 if it has none.
func numbersOf(e client.Event) (seq, target int64) {
	switch e := e.(type) {
	case client.Message:
		return e.Seq, 0
	case client.Reply:
		return e.Seq, e.Thread
	case client.Edit:
		return e.Seq, e.Target
	case client.Delete:
		return e.Seq, e.Target
	case client.Reaction:
		return e.Seq, e.Target
	case client.Pin:
		return e.Seq, e.Target
	}
	return 0, 0
}

// sinceReset returns the messages of a reset room that have not been printed: those after the last
// printed one or after began, when Follow started, and at most maxRemembered.
func sinceReset(ctx context.Context, c Chat, e client.Reset, told []client.Message,
	began time.Time,
) ([]client.Message, error) {
	known := map[int64]time.Time{}
	for _, m := range told {
		known[m.Seq] = m.At
	}
	found, err := lastMessages(ctx, c, client.Room{Name: e.Room, Seq: e.Seq}, maxRemembered)
	if err != nil {
		return nil, err
	}
	for i, m := range slices.Backward(found) {
		if at, ok := known[m.Seq]; ok && at.Equal(m.At) || !m.At.After(began) {
			return found[i+1:], nil
		}
	}
	return found, nil
}

// lastMessages returns up to n messages, oldest first, up to r.Seq. Later ones arrive as events.
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
