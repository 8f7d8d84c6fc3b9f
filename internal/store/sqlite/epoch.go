package sqlite

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"

	"parley/internal/store/schema"
)

// settleEpoch reads the log's epoch, or makes a new one if the folder is not as the server left it,
// because the log may then have gone back in time. See state_file.go.
func (s *Store) settleEpoch(ctx context.Context, left leftBehind) error {
	known, err := schema.Meta(ctx, s.writer.conn)
	if err != nil {
		return fmt.Errorf("reading the epoch: %w", err)
	}
	s.epoch = known["epoch"]
	if left.foreign != "" || s.epoch == "" {
		s.epoch = strings.ToLower(rand.Text()[:13])
		if err := s.writer.setMeta(ctx, "epoch", s.epoch); err != nil {
			return fmt.Errorf("making an epoch: %w", err)
		}
		// The checkpoint writes the epoch to the database's own file. A back-up has no epoch there,
		// which shows that a WAL beside it belongs to another database. So nothing may be written
		// to the WAL before: it would be set aside with that.
		p, err := s.checkpoint(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
		if err == nil && (p.pages < 0 || p.done < p.pages) {
			err = errors.New("another program reads the database; stop that one")
		}
		if err != nil && (known["epoch"] == "" || isDamaged(err)) {
			return fmt.Errorf("making an epoch: %w", err)
		}
		s.logger.LogAttrs(ctx, slog.LevelInfo, "this is a new or restored log: it has a new epoch",
			slog.String("op", left.foreign))
	}
	return nil
}

// settleMarks opens the state files and writes both.
func (s *Store) settleMarks(ctx context.Context, left leftBehind) error {
	if err := s.recordFileState(); err != nil {
		return err
	}
	var err error
	if s.walState, err = stateOf(s.path + walSuffix); err != nil {
		return err
	}
	if s.marks == nil {
		last := left.newest
		if left.foreign != "" {
			last = stateFile{} // its event is of another log
		}
		s.marks, err = openMarks(s.dir, last)
	}
	if err == nil {
		err = s.marks.settle(s.database, func(m *stateFile) { m.State, m.Epoch = atRest, s.epoch })
	}
	if err == nil {
		err = s.removeOldMarks()
	}
	if err != nil {
		s.unmarked = true
		s.logger.LogAttrs(ctx, slog.LevelWarn, "the data folder's state could not be marked", slog.Any("err", err))
	}
	return nil
}

// removeOldMarks removes the files in which earlier versions counted their starts.
func (s *Store) removeOldMarks() error {
	old, err := fs.Glob(s.folder.FS(), "parley.start-*")
	for _, name := range old {
		if err == nil {
			err = s.folder.Remove(name)
		}
	}
	return err
}

// markEnd records in the state files that the database is closed.
func (s *Store) markEnd(ctx context.Context) error {
	if err := s.recordFileState(); err != nil {
		return err
	}
	if s.marks == nil || s.unmarked {
		return nil
	}
	return s.marks.settle(s.database, func(m *stateFile) { m.State = closed })
}

// setMeta sets a value in the table meta.
func (w *writer) setMeta(ctx context.Context, key, value string) error {
	return w.exec(ctx, `INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2`, key,
		value)
}
