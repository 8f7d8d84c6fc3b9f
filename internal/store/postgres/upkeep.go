package postgres

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
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
// and archives of it keep them longer.
const (
	vacuumEvery = 20 * time.Second
	vacuumLease = 10 * time.Minute
)

// keepUp does the work that one node at a time does, until ctx ends. It logs when another server
// connects to the database.
func (s *Store) keepUp(ctx context.Context) {
	turn := time.NewTicker(vacuumEvery)
	defer turn.Stop()
	alone := true
	for {
		select {
		case <-turn.C:
		case <-ctx.Done():
			return
		}
		if err := s.vacuum(ctx); err != nil && ctx.Err() == nil {
			s.logger.LogAttrs(ctx, slog.LevelWarn, "deleted texts are not yet removed from the database's files",
				slog.Any("err", err))
		}
		others, err := s.others(ctx)
		if err != nil {
			continue
		}
		if alone && others > 0 {
			s.logger.LogAttrs(ctx, slog.LevelError, "another parley uses this database: stop one of them, "+
				"because people here do not see what is written there")
		}
		alone = others == 0
	}
}

// applicationName begins the names under which nodes are connected. The node's own word follows.
const applicationName = "parley-"

// others returns how many other nodes are connected to the database: those that this node's user may
// see and whose operator has not given them another application_name.
func (s *Store) others(ctx context.Context) (n int, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT count(DISTINCT application_name) FROM pg_stat_activity
		WHERE datname = current_database() AND starts_with(application_name, $1) AND application_name <> $2`,
		applicationName, applicationName+s.node).Scan(&n)
	return n, err
}

// vacuum removes deleted texts from the files, if there are any and no other node does so.
func (s *Store) vacuum(ctx context.Context) error {
	var due bool
	if err := s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM vacuum_due)`).Scan(&due); err != nil || !due {
		return err
	}
	config := s.writer.config.Copy()
	config.OnNotice = nil // is the writer's
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if mine, err := takeLease(ctx, conn, "vacuum", s.node, vacuumLease); err != nil || !mine {
		return err
	}
	defer dropLease(context.WithoutCancel(ctx), conn, "vacuum", s.node)
	rooms, seqs, err := dueForVacuum(ctx, conn)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, `VACUUM (TRUNCATE false) event`); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, `
		DELETE FROM vacuum_due v USING unnest($1::bigint[], $2::bigint[]) d(room, seq)
		WHERE v.room = d.room AND v.seq = d.seq`, rooms, seqs)
	return err
}

func dueForVacuum(ctx context.Context, conn *pgx.Conn) (rooms []int64, seqs []chat.Seq, err error) {
	rows, err := conn.Query(ctx, `SELECT room, seq FROM vacuum_due LIMIT 100000`)
	if err != nil {
		return nil, nil, err
	}
	var room int64
	var seq chat.Seq
	_, err = pgx.ForEachRow(rows, []any{&room, &seq}, func() error {
		rooms, seqs = append(rooms, room), append(seqs, seq)
		return nil
	})
	return rooms, seqs, err
}
