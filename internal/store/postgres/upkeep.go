package postgres

import (
	"context"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Rescue does nothing: a database with a full disk stops as a whole.
func (engine) Rescue(_ context.Context, failed error, _ func() error) error { return failed }

// Recovered does nothing.
func (engine) Recovered(context.Context) {}

// Written does nothing.
func (engine) Written(context.Context) {}

// Idle frees memory.
func (e engine) Idle(context.Context) { e.forget() }

// Deleted texts stay in the database's files until VACUUM has passed. The write-ahead log, standbys
// and archives of it keep them longer. VACUUM leaves what a transaction that began before the deletion may
// still read; then it is repeated, at growing intervals.
const (
	vacuumEvery  = 20 * time.Second
	vacuumAtMost = 10 * time.Minute // between two of them, however long such a transaction lasts
	vacuumLease  = 20 * time.Minute // for how long one node does this, if it lives
)

// keepUp does the work that one node at a time does, until ctx ends.
func (s *Store) keepUp(ctx context.Context) {
	pause := vacuumEvery
	for {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		left, err := s.vacuum(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.logger.LogAttrs(ctx, slog.LevelWarn, "deleted texts are not yet removed from the database's files",
				slog.Any("err", err))
		case left && pause == vacuumEvery:
			s.logger.LogAttrs(ctx, slog.LevelWarn, "deleted texts stay in the database's files while an old "+
				"transaction, a replication slot or a standby may read them")
		}
		if left {
			pause = min(2*pause, vacuumAtMost)
		} else {
			pause = vacuumEvery
		}
	}
}

// vacuum removes deleted texts from the files, if there are any and no other node does so. It reports
// whether texts are left that something may still read; then this node keeps the work.
func (s *Store) vacuum(ctx context.Context) (left bool, err error) {
	var due bool
	if err := s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM vacuum_due)`).Scan(&due); err != nil || !due {
		return false, err
	}
	told := &vacuumReport{}
	config := s.config.Copy()
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { told.read(n.Message + "\n" + n.Detail) }
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return false, err
	}
	defer closeConn(conn)
	if mine, err := takeLease(ctx, conn, "vacuum", s.node, vacuumLease); err != nil || !mine {
		return false, err
	}
	defer func() {
		if !left {
			dropLease(conn, "vacuum", s.node)
		}
	}()
	// Without a report in words that are known, all that was deleted before is taken for removed.
	err = conn.QueryRow(ctx, `SELECT pg_snapshot_xmin(pg_current_snapshot())::xid::text`).Scan(&told.cutoff)
	if err != nil {
		return false, err
	}
	if _, err := conn.Exec(ctx, `VACUUM (TRUNCATE false, VERBOSE) event`); err != nil || told.missed {
		return told.missed, err
	}
	// A row is due since the transaction that deleted its text.
	done, err := conn.Exec(ctx, `DELETE FROM vacuum_due WHERE age(xmin) > age($1::text::xid)`, told.cutoff)
	return err == nil && done.RowsAffected() == 0, err
}

// A vacuumReport is the output of VACUUM VERBOSE about the table and then about the table's long texts.
type vacuumReport struct {
	cutoff string // texts of transactions before this one are removed
	isRead bool
	missed bool // pages that were in use were left out
}

var cutoffPattern = regexp.MustCompile(`(?:removable cutoff|oldest xmin): (\d+)`)

func (r *vacuumReport) read(text string) {
	r.missed = r.missed || strings.Contains(text, "tuples missed: ")
	if found := cutoffPattern.FindStringSubmatch(text); found != nil && !r.isRead {
		r.cutoff, r.isRead = found[1], true
	}
}
