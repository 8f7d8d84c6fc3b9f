package postgres

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
	"parley/internal/store"
)

// An ownWrite is a write of a person's own: a read mark, a setting, a session. It is one statement
// and waits for the end of its transaction, where all of them are sent with COMMIT. So a read mark
// takes no round trip of its own, and follows the events of its transaction.
type ownWrite struct {
	who, room string // whose rows the statement locks, by their ids and names; all nodes lock in this order
	text      string
	args      []any
	scan      func(pgx.Rows) error // called for each row that the statement returns; may be nil
	unlists   bool                 // it may take a room out of somebody's list
	awaits    bool                 // it may write awaited rooms, see awaited.go
}

// queueOwn puts the transaction's own writes into b, sorted by the rows that they lock.
func (w *writer) queueOwn(b *pgx.Batch) {
	slices.SortStableFunc(w.own, func(a, b ownWrite) int {
		return cmp.Or(cmp.Compare(a.who, b.who), cmp.Compare(a.room, b.room))
	})
	for _, o := range w.own {
		q := b.Queue(o.text, o.args...)
		if o.scan == nil {
			continue
		}
		q.Query(func(rows pgx.Rows) error {
			for rows.Next() {
				if err := o.scan(rows); err != nil {
					return err
				}
			}
			return rows.Err()
		})
	}
}

// write queues a write and waits for its commit. If ctx ends first, it may still be committed.
func (s *Store) write(ctx context.Context, o ownWrite) error { return store.Await(ctx, s.start(o)) }

// start queues a write and returns at once. The channel gets the one result; an error in it is the
// cause, which a user must not see.
func (s *Store) start(o ownWrite) <-chan error { return s.committer.Start(s.later(o)) }

// do queues run and returns at once. done gets the result; an error in it is the cause, which a user must not see.
func (s *Store) do(o ownWrite, done func(error)) { s.committer.Do(s.later(o), done) }

// later returns a function for the committer. A write without a statement is only answered in its
// turn.
func (s *Store) later(o ownWrite) func(context.Context) error {
	return func(context.Context) error {
		if o.text != "" {
			s.writer.own = append(s.writer.own, o)
		}
		return nil
	}
}

// The beginning of a statement with a nonce. It needs a table m(person, room) with the person and
// the room of the write, at most one row, and has the nonce as $1, its kind as $2, the message that
// it is about as $3 and the time as $4. The table known has what the nonce was used for before. The
// statement adds conditions to answered if it may still refuse, and writes nothing else unless
// answered or known say so.
const (
	knownSQL = `
	known AS (
		SELECT a.kind, a.target FROM m JOIN answer a ON a.nonce = $1::bytea AND a.author = m.person AND a.room = m.room
		UNION ALL
		SELECT 'event', 0 FROM m JOIN event e ON e.nonce = $1 AND e.author = m.person AND e.room = m.room),
	answered AS (
		INSERT INTO answer (nonce, author, room, kind, target, emoji, seq, at_ms)
		SELECT $1::bytea, m.person, m.room, $2::text, $3::bigint, '', 0, $4::bigint FROM m
		WHERE $1::bytea IS NOT NULL AND NOT EXISTS (SELECT FROM known)`
	isNewSQL = ` NOT EXISTS (SELECT FROM known) `
	// usedSQL is whether the nonce is known, and whether what it was used for is the same.
	usedSQL = ` EXISTS (SELECT FROM known), EXISTS (SELECT FROM known WHERE kind = $2::text AND target = $3::bigint) `
)

// refusal returns why a write is refused: its nonce is known for something else.
func refusal(known, same bool) error {
	if known && !same {
		return store.ErrNonceUsed
	}
	return nil
}

// ownMemberSQL is the table m of a person and a room by their names, $5 and $6.
const ownMemberSQL = `
	m AS (SELECT p.id AS person, r.id AS room, r.head FROM person p, room r WHERE p.public = $5 AND r.name = $6)`

// ownArgs returns the first arguments of a statement with ownMemberSQL and knownSQL.
func ownArgs(nonce, kind string, target chat.Seq, ms int64, who chat.PersonID, room chat.RoomName) []any {
	return []any{packNonce(nonce), kind, int64(target), ms, string(who), string(room)}
}
