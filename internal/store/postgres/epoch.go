package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
)

// identitySQL is which history of which database cluster a server writes: its system identifier and
// its timeline, which changes when a standby becomes the primary or a back-up is restored.
const identitySQL = `
	SELECT (SELECT system_identifier FROM pg_control_system())::text || '/' ||
		left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)`

// settleEpoch is called with each new connection that writes. The epoch stays if the database has the
// history that the node knows. At a start any other history means a new epoch, because nobody knows
// what it has lost. A node that runs is a witness: it compares the heads that it has shown.
func (w *writer) settleEpoch(ctx context.Context, conn *pgx.Conn) error {
	var identity string
	if err := conn.QueryRow(ctx, identitySQL).Scan(&identity); err != nil {
		return fmt.Errorf("reading the database's identity: %w", err)
	}
	if identity == w.identity {
		return nil
	}
	var epoch string
	var isNew bool
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) (err error) {
		epoch, isNew, err = w.chooseEpoch(ctx, tx, identity)
		return err
	})
	if err != nil {
		return fmt.Errorf("settling the epoch: %w", err)
	}
	if isNew {
		w.s.logger.LogAttrs(ctx, slog.LevelInfo, "this is a new or restored log: it has a new epoch",
			slog.String("op", identity))
	}
	if w.identity != "" {
		w.s.pool.Reset() // its connections may read what the old server has
	}
	w.identity = identity
	w.s.epoch.Store(&epoch)
	w.s.history.Store(&identity)
	return nil
}

// chooseEpoch returns the epoch that belongs to the database's identity, and records both.
func (w *writer) chooseEpoch(ctx context.Context, tx pgx.Tx, identity string) (epoch string, isNew bool, err error) {
	const lock = `
		INSERT INTO meta (key, value) VALUES ('identity', '') ON CONFLICT (key) DO UPDATE SET value = meta.value
		RETURNING value`
	var recorded string
	if err := tx.QueryRow(ctx, lock).Scan(&recorded); err != nil {
		return "", false, err
	}
	// In a statement of its own, which sees what another node has committed while this one waited for the lock.
	const known = `SELECT coalesce((SELECT value FROM meta WHERE key = 'epoch'), '')`
	if err := tx.QueryRow(ctx, known).Scan(&epoch); err != nil {
		return "", false, err
	}
	switch {
	case epoch == "":
		isNew = true
	case w.identity == "": // at a start
		isNew = recorded != identity
	case epoch == w.s.Epoch(): // else another witness has seen to it
		isNew, err = w.hasLost(ctx, tx)
	}
	if err != nil || !isNew && recorded == identity {
		return epoch, false, err
	}
	if isNew {
		epoch = strings.ToLower(rand.Text()[:13])
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO meta (key, value) VALUES ('identity', $1), ('epoch', $2)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value`, identity, epoch)
	return epoch, isNew, err
}

// A shownEvent is the newest event of a room that the node has shown to anybody.
type shownEvent struct {
	seq chat.Seq
	ms  int64
}

// A witness remembers what the node has shown.
type witness struct {
	mu     sync.Mutex
	events map[chat.RoomName]shownEvent
}

// maxShown is how many rooms' heads a node remembers.
const maxShown = 1 << 14

// Shown notes that people have been shown an event that this process has neither stored nor read from the store:
// another node has told of it. If the database loses it, the log becomes another one.
func (s *Store) Shown(e *chat.Event) { s.shown.note(e.Room, e.Seq, e.At.UnixMilli()) }

func (w *witness) note(room chat.RoomName, seq chat.Seq, ms int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before, known := w.events[room]
	if seq <= before.seq {
		return
	}
	if !known {
		if len(w.events) >= maxShown {
			w.events = nil
		}
		room = chat.RoomName(strings.Clone(string(room)))
	}
	set(&w.events, room, shownEvent{seq, ms})
}

// show notes the heads that the transaction has made.
func (w *writer) show() {
	for _, r := range w.tx.rooms {
		if r.wrote != 0 {
			w.s.shown.note(r.name, r.wrote, w.tx.ms)
		}
	}
}

// all returns rooms with the newest events that were shown: their seqs and times in milliseconds.
func (w *witness) all() (rooms []string, seqs, times []int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for room, e := range w.events {
		rooms, seqs, times = append(rooms, string(room)), append(seqs, int64(e.seq)), append(times, e.ms)
	}
	return rooms, seqs, times
}

// hasLost reports whether the database misses an event that the node has shown, or has another one in
// its place.
func (w *writer) hasLost(ctx context.Context, tx pgx.Tx) (bool, error) {
	rooms, seqs, times := w.s.shown.all()
	var lost bool
	err := tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM unnest($1::text[], $2::bigint[], $3::bigint[]) d(room, seq, at_ms)
			LEFT JOIN room r ON r.name = d.room LEFT JOIN event e ON e.room = r.id AND e.seq = d.seq
			WHERE e.at_ms IS DISTINCT FROM d.at_ms)`, rooms, seqs, times).Scan(&lost)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return lost, err
}

// errOtherHistory means that a connection leads to a database whose history the node has not settled with.
var errOtherHistory = fmt.Errorf("%w: another server has taken over", errLost)

// prepareReader makes the settings of a connection that reads. After a failover it waits until the writer has found
// the new server too, and the epoch is settled: nobody reads less than this node has shown without a new epoch.
func (s *Store) prepareReader(ctx context.Context, conn *pgx.Conn) error {
	results, err := conn.PgConn().Exec(ctx, readerSettings+`;`+identitySQL).ReadAll()
	if err != nil {
		return err
	}
	history := string(results[len(results)-1].Rows[0][0])
	if history == *s.history.Load() {
		return nil
	}
	if err := s.Healthy(ctx); err != nil {
		return fmt.Errorf("%w: %w", errOtherHistory, err)
	}
	if history != *s.history.Load() { // a moment later it is known
		return errOtherHistory
	}
	return nil
}
