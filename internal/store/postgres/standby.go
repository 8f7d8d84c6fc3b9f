package postgres

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
)

// tellDurability logs what the database promises of an acknowledged message: whether it survives a
// crash, and the loss of the primary.
func (s *Store) tellDurability(ctx context.Context, conn *pgx.Conn) error {
	var names, commit, fsync string
	var standbys int
	err := conn.QueryRow(ctx, `
		SELECT current_setting('synchronous_standby_names'), current_setting('synchronous_commit'),
			current_setting('fsync'), (SELECT count(*) FROM pg_stat_replication)`,
	).Scan(&names, &commit, &fsync, &standbys)
	if err != nil {
		return fmt.Errorf("asking about standbys: %w", err)
	}
	level, text := durability(names, commit, fsync, standbys)
	s.logger.LogAttrs(ctx, level, text)
	return nil
}

func durability(names, commit, fsync string, standbys int) (slog.Level, string) {
	switch {
	case fsync == "off":
		return slog.LevelWarn, "the database runs with fsync=off: a power cut may destroy it"
	case names != "" && commit != "off" && commit != "local":
		return slog.LevelInfo, "the database has a synchronous standby: a failover loses nothing"
	case names != "":
		return slog.LevelWarn, "the database has a synchronous standby, but synchronous_commit=" + commit +
			" does not wait for it: a failover may lose acknowledged messages"
	case standbys > 0:
		return slog.LevelWarn, "the database's standby is asynchronous: a failover may lose acknowledged messages"
	}
	return slog.LevelInfo, "the database has no standby: nothing is lost unless its disk is"
}
