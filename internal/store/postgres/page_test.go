package postgres

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"parley/internal/chat"
	"parley/internal/store/storetest"
)

// A tripCounter is a connection that counts how often an answer was waited for.
type tripCounter struct {
	net.Conn
	sent  atomic.Bool // something has been sent since the last answer
	trips *atomic.Int64
}

func (c *tripCounter) Write(p []byte) (int, error) {
	c.sent.Store(true)
	return c.Conn.Write(p)
}

func (c *tripCounter) Read(p []byte) (int, error) {
	if c.sent.Swap(false) {
		c.trips.Add(1)
	}
	return c.Conn.Read(p)
}

// countTrips gives a store readers that count their round trips.
func countTrips(t *testing.T, s *Store) *atomic.Int64 {
	t.Helper()
	trips := &atomic.Int64{}
	cfg := s.pool.Config()
	cfg.MaxConns = 1
	dial := cfg.ConnConfig.DialFunc
	cfg.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return &tripCounter{Conn: conn, trips: trips}, err
	}
	counted, err := pgxpool.NewWithConfig(t.Context(), cfg)
	storetest.Must(t, err)
	s.pool.Close()
	s.pool = counted
	return trips
}

// However much was done to its messages, a page takes one round trip, and so does every other read.
func TestAReadIsOneRoundTrip(t *testing.T) {
	s, _ := start(t, newDatabase(t))
	storetest.UseEverything(t, s)
	for range 5 {
		storetest.Do(t, s,
			storetest.Answering(storetest.Ada, 2, "an answer"),
			storetest.DraftOf(storetest.Ada, chat.Pin, 2, ""),
			storetest.DraftOf(storetest.Ada, chat.Unpin, 2, ""),
			storetest.DraftOf(storetest.Grace, chat.Edit, 2, "other"),
			storetest.DraftOf(storetest.Ada, chat.React, 2, "👍"),
			storetest.DraftOf(storetest.Ada, chat.Reply, 2, "a reply"))
	}
	trips := countTrips(t, s)
	all := reads(s)
	for name, q := range map[string]chat.PageQuery{
		"newest": {Limit: 50}, "oldest": {Limit: 50, Oldest: true}, "around": {Limit: 50, Around: 5},
		"since":  {Limit: 50, Oldest: true, Since: time.UnixMilli(1)},
		"thread": {Limit: 50, Thread: 2}, "pins": {Limit: 50, Pinned: true}, "chosen": {Seqs: []chat.Seq{1, 2, 3}},
	} {
		all["Page "+name] = func(ctx context.Context) error { _, err := s.Page(ctx, "lobby", q); return err }
	}
	for name, read := range all {
		storetest.Must(t, read(t.Context())) // prepares the statements
		before := trips.Load()
		storetest.Must(t, read(t.Context()))
		if n := trips.Load() - before; n != 1 {
			t.Errorf("%s: %d round trips", name, n)
		}
	}
}
