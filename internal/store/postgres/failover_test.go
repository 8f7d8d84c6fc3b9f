package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/pgserver"
	"parley/internal/store/postgres/pgtest"
	"parley/internal/store/storetest"
)

// pair starts a primary with a synchronous standby, and a store that knows both.
func pair(t *testing.T) (primary, standby *pgserver.Server, s *Store) {
	t.Helper()
	primary = pgtest.Start(t)
	standby, err := primary.NewStandby(t.Context())
	storetest.Must(t, err)
	t.Cleanup(func() {
		if err := standby.Stop(); err != nil {
			t.Error(err)
		}
	})
	s, _ = start(t, primary.URLBy("postgres", primary.Address(), standby.Address()))
	s.writer.patience = time.Minute
	return primary, standby, s
}

// Nothing that was acknowledged is lost with the primary, and nobody notices but by waiting.
func TestFailoverToASynchronousStandby(t *testing.T) {
	t.Parallel()
	primary, standby, s := pair(t)
	storetest.Do(t, s, storetest.Drafts("lobby", 3)...)
	epoch := s.Epoch()
	answered := make(chan chat.Commit, 1)
	storetest.Must(t, primary.Kill())
	s.Append(storetest.Draft("lobby", storetest.Ada, "meanwhile", "n"), func(c chat.Commit) { answered <- c })
	storetest.Must(t, standby.Promote(t.Context()))
	if c := <-answered; c.Err != nil || c.Repeated || c.Event.Seq != 4 {
		t.Errorf("%+v", c)
	}
	if events := allEvents(t, s, "lobby"); len(events) != 4 || s.Epoch() != epoch {
		t.Errorf("%d events, epoch %q after %q", len(events), s.Epoch(), epoch)
	}
}

// A standby that lacks what the primary has acknowledged is another log. Nobody reads less than they have been
// shown while the epoch is still the old one.
func TestFailoverThatLosesEvents(t *testing.T) {
	t.Parallel()
	primary, standby, s := pair(t)
	storetest.Do(t, s, storetest.Drafts("lobby", 3)...)
	storetest.Must(t, standby.Kill())
	storetest.Must(t, primary.Alone(t.Context()))
	storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "only here", ""))
	epoch := s.Epoch()
	storetest.Must(t, primary.Kill())
	storetest.Must(t, standby.Restart(t.Context()))
	storetest.Must(t, standby.Promote(t.Context()))

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		events, err := s.After(ctx, "lobby", 3, 9)
		if err == nil {
			if len(events) == 0 && s.Epoch() == epoch {
				t.Error("an event that was shown is missing, and the epoch is the same")
			}
			return
		}
		if told, ok := errors.AsType[*chat.Error](err); !ok || told.Code != chat.Unavailable {
			t.Fatal(err)
		}
	}
}
