package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"parley/internal/store"
)

// A writer is the connection that writes. One goroutine uses it at a time.
type writer struct {
	s      *Store
	config *pgx.ConnConfig
	conn   *pgx.Conn // nil: not connected

	own []ownWrite // of the transaction that is being written
}

func newWriter(s *Store, config *pgx.ConnConfig) *writer { return &writer{s: s, config: config} }

func (w *writer) disconnect() {
	if w.conn != nil {
		w.conn.Close(context.Background())
		w.conn = nil
	}
}

// An engine is the store as its committer uses it: store.Engine and store.Upkeep.
type engine struct {
	*writer
	s *Store
}

func (e engine) Transact(ctx context.Context, do func(context.Context) error) error { return nil }

func (w *writer) Resolve(ctx context.Context, rows []store.Row, at time.Time) error { return nil }

func (w *writer) Load(ctx context.Context, f *store.Facts) error { return nil }

func (w *writer) Write(ctx context.Context, rows []store.Row, at time.Time) (int, error) {
	return 0, nil
}

func (e engine) Rescue(ctx context.Context, failed error, again func() error) error { return failed }

func (e engine) Recovered(ctx context.Context) {}

func (e engine) Written(ctx context.Context) {}

func (e engine) Idle(ctx context.Context) {}

// packNonce returns nonce in its stored form, nil for "". No two nonces have the same form: a UUID is
// its 16 bytes; any other has a byte before its text, or two if that would make 16.
func packNonce(nonce string) []byte {
	switch len(nonce) {
	case 0:
		return nil
	case 36:
		if id, err := uuid.Parse(nonce); err == nil && id.String() == nonce { // not in capitals
			return id[:]
		}
	case 15:
		return append([]byte{2, 2}, nonce...)
	}
	return append([]byte{1}, nonce...)
}
