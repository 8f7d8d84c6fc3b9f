package postgres

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A writer is the connection that writes. One goroutine uses it at a time.
type writer struct {
	s        *Store
	config   *pgx.ConnConfig
	patience time.Duration // how long a transaction is tried
	conn     *pgx.Conn     // nil: not connected
	used     time.Time     // when conn was last used
	away     bool          // the last transaction found no database
	warned   bool          // the database has warned since warned was last cleared
	trips    atomic.Int64  // round trips so far; those that connect and prepare are not counted
	seen     seen
	stopping atomic.Bool // the store's Run is to end
	identity string      // of the database's history; see epoch.go

	// Of the transaction that is being written.
	tx    transaction
	batch *pgx.Batch // what the next round trip sends
	own   []ownWrite
}

func newWriter(s *Store, config *pgx.ConnConfig) *writer {
	w := &writer{s: s, config: config, patience: patience}
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		w.warned = w.warned || n.Code == codeWarning
	}
	return w
}

// A connection that was idle for so long may be dead, as when a firewall has forgotten it. The database says
// something on its own only at the end of a connection, and rarely else. Whoever finds that out before anything
// is sent knows that nothing is stored.
const (
	pingAfter   = 30 * time.Second
	pingTimeout = time.Second
)

// open connects if there is no connection.
func (w *writer) open(ctx context.Context) error {
	if w.conn != nil && (time.Since(w.used) > pingAfter || hasInput(w.conn.PgConn().Conn())) {
		ping, cancel := context.WithTimeout(ctx, pingTimeout)
		defer cancel()
		if w.conn.Ping(ping) != nil {
			w.disconnect()
		}
	}
	w.used = time.Now()
	if w.conn != nil && !w.conn.IsClosed() {
		return nil
	}
	w.disconnect()
	w.forget() // another database may answer, with other ids
	conn, err := pgx.ConnectConfig(ctx, w.config)
	if err != nil {
		return fmt.Errorf("connecting to write: %w", err)
	}
	err = apply(ctx, conn, writerSettings)
	if err == nil {
		err = w.settleEpoch(ctx, conn)
	}
	if err != nil {
		closeConn(conn)
		return fmt.Errorf("connecting to write: %w", err)
	}
	w.conn = conn
	return nil
}

func (w *writer) disconnect() {
	if w.conn == nil {
		return
	}
	closeConn(w.conn)
	w.conn = nil
}

// queue adds a statement to the next round trip. Its text is a constant of the program, as it is
// prepared once and kept.
func (w *writer) queue(text string, args ...any) *pgx.QueuedQuery {
	return w.batch.Queue(text, args...)
}

// find adds a statement to the next round trip, which then calls scan for each row.
func (w *writer) find(scan func(pgx.Rows) error, text string, args ...any) {
	w.queue(text, args...).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			if err := scan(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// send sends the queued statements in one round trip.
func (w *writer) send(ctx context.Context) error {
	b := w.batch
	w.batch = &pgx.Batch{}
	w.trips.Add(1)
	return w.conn.SendBatch(ctx, b).Close()
}

// packNonce returns nonce in its stored form, nil for "". No two nonces have the same form: a UUID is
// its 16 bytes, the server's own have 17 bytes and begin with 0, and any other has a byte before its
// text, or two if that would make 16.
func packNonce(nonce string) []byte {
	switch len(nonce) {
	case 0:
		return nil
	case 15:
		return append([]byte{2, 2}, nonce...)
	case 17:
		if nonce[0] == 0 {
			return []byte(nonce)
		}
	case 36:
		if id, err := uuid.Parse(nonce); err == nil && id.String() == nonce { // not in capitals
			return id[:]
		}
	}
	return append([]byte{1}, nonce...)
}
