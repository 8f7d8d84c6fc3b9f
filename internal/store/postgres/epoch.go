package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"

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
	return nil
}

// chooseEpoch returns the epoch that belongs to the database's identity, and records both.
func (w *writer) chooseEpoch(ctx context.Context, tx pgx.Tx, identity string) (epoch string, isNew bool, err error) {
	const lock = `
		INSERT INTO meta (key, value) VALUES ('identity', '') ON CONFLICT (key) DO UPDATE SET value = meta.value
		RETURNING value, coalesce((SELECT value FROM meta WHERE key = 'epoch'), '')`
	var recorded string
	if err := tx.QueryRow(ctx, lock).Scan(&recorded, &epoch); err != nil {
		return "", false, err
	}
	switch {
	case epoch != "" && recorded == identity: // as it was, or another node has seen to it
		return epoch, false, nil
	case w.identity == "" || epoch == "":
		isNew = true
	default:
		isNew, err = w.hasLost(ctx, tx)
	}
	if err != nil {
		return "", false, err
	}
	if isNew {
		epoch = strings.ToLower(rand.Text()[:13])
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO meta (key, value) VALUES ('identity', $1), ('epoch', $2)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value`, identity, epoch)
	return epoch, isNew, err
}

// A shown is the newest event of a room that the node has shown to anybody.
type shown struct {
	seq chat.Seq
	ms  int64
}

// maxShown is how many rooms' heads a node remembers.
const maxShown = 1 << 14

// show remembers the heads that the transaction has made.
func (w *writer) show() {
	if len(w.shown)+len(w.tx.rooms) > maxShown {
		w.shown = nil
	}
	for _, r := range w.tx.rooms {
		if r.wrote != 0 {
			if w.shown == nil {
				w.shown = map[chat.RoomName]shown{}
			}
			w.shown[r.name] = shown{r.wrote, w.tx.ms}
		}
	}
}

// hasLost reports whether the database misses an event that the node has shown, or has another one in
// its place.
func (w *writer) hasLost(ctx context.Context, tx pgx.Tx) (bool, error) {
	var rooms []string
	var seqs, times []int64
	for room, s := range w.shown {
		rooms, seqs, times = append(rooms, string(room)), append(seqs, int64(s.seq)), append(times, s.ms)
	}
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
