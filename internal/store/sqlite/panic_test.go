package sqlite

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"parley/internal/chat"
)

// After a panic within a transaction nobody knows what state the connection is
// in. It is as after a failed sync: nothing was acknowledged, nothing more is
// written, what is there can be read, and a restart mends it.
func TestNothingIsWrittenAfterAPanicOfTheCommitter(t *testing.T) {
	var log bytes.Buffer
	dir := t.TempDir()
	s, stop := startOn(t, Config{Dir: dir, Logger: slog.New(slog.NewTextHandler(&log, nil))}, "")
	post(t, s, draft("lobby", ada, "before", "n1"))
	err := <-s.start(func(ctx context.Context, c *writer) error {
		if _, err := c.insertPerson(ctx, grace, 1); err != nil {
			return err
		}
		panic("a mistake")
	})
	if err == nil {
		t.Error("a write that panicked has succeeded")
	}
	wantRefused(t, post(t, s, draft("lobby", ada, "during", "n2")), chat.Unavailable)
	if err := s.Healthy(t.Context()); err == nil || strings.Contains(err.Error(), "goroutine") {
		t.Errorf("healthy, but for %v", err)
	}
	wantHead(t, s, "lobby", 1)
	stop()
	if got := log.String(); !strings.Contains(got, "a mistake") || !strings.Contains(got, "panic_test.go") {
		t.Errorf("logged %q, want the mistake and its stack", got)
	}
	s, stop = startOn(t, Config{Dir: dir}, "")
	defer stop()
	if c := post(t, s, draft("lobby", ada, "during", "n2"))[0]; c.Err != nil || c.Event.Seq != 2 {
		t.Errorf("after a restart: %+v", c)
	}
}
