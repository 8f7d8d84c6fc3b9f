package torture

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A ClusterBreakage makes a Cluster wrong on purpose, without a change in its programs, to see whether the checker
// finds it.
type ClusterBreakage string

const (
	// SkipRowLock takes the lock on a room's row out of the nodes' statements, and lets the database keep two events
	// with one seq, which it would refuse.
	SkipRowLock ClusterBreakage = "skips the row lock"
	// AsynchronousStandby lets commits not wait for the standby, which is behind when it takes over.
	AsynchronousStandby ClusterBreakage = "has an asynchronous standby"
)

// rowLock is the end of the statement that locks rooms.
var rowLock = []byte("ORDER BY id FOR UPDATE")

// withoutRowLock returns a filter of what a node says to the database: blanks in place of the lock.
func withoutRowLock() func([]byte) []byte {
	var rest []byte // which may be the beginning of the lock
	return func(b []byte) []byte {
		b = append(rest, b...)
		b = bytes.ReplaceAll(b, rowLock, bytes.Repeat([]byte(" "), len(rowLock)))
		keep := 0
		for n := min(len(b), len(rowLock)-1); n > 0 && keep == 0; n-- {
			if bytes.HasSuffix(b, rowLock[:n]) {
				keep = n
			}
		}
		rest = bytes.Clone(b[len(b)-keep:])
		return b[:len(b)-keep]
	}
}

// databaseFilter changes what nodes and databases say to each other.
func (c *Cluster) databaseFilter() func([]byte) []byte {
	if c.Breaks == SkipRowLock {
		return withoutRowLock()
	}
	return func(b []byte) []byte { return b }
}

// breakDatabase changes the database after its tables were made.
func (c *Cluster) breakDatabase(ctx context.Context) error {
	primary, _ := c.databasesNow()
	switch c.Breaks {
	case AsynchronousStandby:
		return primary.Alone(ctx)
	case SkipRowLock:
		conn, err := pgx.Connect(ctx, primary.URL(c.database))
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, `
			ALTER TABLE event DROP CONSTRAINT IF EXISTS event_pkey;
			CREATE INDEX IF NOT EXISTS event_place ON event (room, seq)`)
		return err
	}
	return nil
}

// unshipped is how many events an asynchronous standby lacks when it takes over.
const unshipped = 50

// outlive ends the standby and returns when the primary has stored events without it.
func (c *Cluster) outlive(ctx context.Context) error {
	primary, standby := c.databasesNow()
	conn, err := pgx.Connect(ctx, primary.URL(c.database))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if err := standby.Kill(); err != nil {
		return err
	}
	var first, now int64
	if err := conn.QueryRow(ctx, `SELECT count(*) FROM event`).Scan(&first); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, waitLimit)
	defer cancel()
	for now < first+unshipped {
		sleep(ctx, 10*time.Millisecond)
		if err := conn.QueryRow(ctx, `SELECT count(*) FROM event`).Scan(&now); err != nil {
			return fmt.Errorf("wait for events that the standby lacks: %w", err)
		}
	}
	return nil
}
