package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/internal/store/schema"
)

// An upgrade can be undone: the database is copied beside itself before its schema changes, and
// Rollback makes the copy the database again. Copies hold texts that are deleted later, so they are
// removed after two weeks.
const copiesKeptFor = 14 * 24 * time.Hour

// Kinds of copies: the state before an upgrade, and a state that a rollback has undone.
const (
	keptCopy   = "kept"
	undoneCopy = "undone"
)

// A databaseCopy is a copy of the database in the data folder.
type databaseCopy struct {
	name    string
	kind    string
	schema  int64
	program string // version of the program that used it last
	day     time.Time
}

var keptName = regexp.MustCompile(`^parley-(kept|undone)-schema-(\d+)-(.+)-(\d{4}-\d{2}-\d{2})(?:\.\d+)?\.db$`)

// unsafeInName matches what a program's version may contain and a file name must not.
var unsafeInName = regexp.MustCompile(`[^A-Za-z0-9.+_]+`)

// newDatabaseCopy returns a copy with a free name.
func newDatabaseCopy(folder fs.FS, kind string, schema int64, program string, now time.Time) databaseCopy {
	program = strings.Trim(unsafeInName.ReplaceAllString(program, "_"), "_")
	if program == "" {
		program = "unknown"
	}
	k := databaseCopy{kind: kind, schema: schema, program: program, day: now.UTC().Truncate(24 * time.Hour)}
	name := fmt.Sprintf("parley-%s-schema-%d-%s-%s", kind, schema, program, k.day.Format(time.DateOnly))
	k.name = name + ".db"
	for n := 2; ; n++ {
		if _, err := fs.Stat(folder, k.name); errors.Is(err, fs.ErrNotExist) {
			return k
		}
		k.name = fmt.Sprintf("%s.%d.db", name, n)
	}
}

// databaseCopies returns the copies in a data folder, newest first.
func databaseCopies(folder fs.FS) (files []databaseCopy, err error) {
	entries, err := fs.ReadDir(folder, ".")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		m := keptName.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		k := databaseCopy{name: e.Name(), kind: m[1], program: m[3]}
		var errs [2]error
		k.schema, errs[0] = strconv.ParseInt(m[2], 10, 64)
		k.day, errs[1] = time.Parse(time.DateOnly, m[4])
		if errors.Join(errs[:]...) == nil {
			files = append(files, k)
		}
	}
	slices.SortFunc(files, func(a, b databaseCopy) int {
		if c := b.day.Compare(a.day); c != 0 {
			return c
		}
		return strings.Compare(b.name, a.name)
	})
	return files, nil
}

// upgrade copies the database, whose schema is have, and runs the migrations.
func (s *Store) upgrade(ctx context.Context, have int64) (err error) {
	// Logged first, because the start may take long.
	s.logger.LogAttrs(ctx, slog.LevelInfo,
		"bringing the schema up to date: a long log takes some seconds for each million messages",
		slog.String("op", fmt.Sprintf("%d to %d", have, migrations.Newest())))
	kept := ""
	if s.cfg.UpgradeWithoutCopy {
		s.logger.LogAttrs(ctx, slog.LevelWarn,
			"the database is brought up to date without a copy of it as it was: there is no way back")
	} else if kept, err = s.copyBeforeUpgrade(ctx, have); err != nil {
		return err
	}
	if err := migrations.Run(ctx, s.writers, s.logger); err != nil {
		return err
	}
	_, err = s.writers.ExecContext(ctx, `DELETE FROM meta WHERE key = 'upgrading'`)
	if err == nil && kept != "" {
		err = s.dropCopies(func(k databaseCopy) bool { return k.name != kept })
	}
	return err
}

// copyBeforeUpgrade copies the database, unless an interrupted upgrade has done so. It returns the
// copy's name.
func (s *Store) copyBeforeUpgrade(ctx context.Context, have int64) (name string, err error) {
	meta := func(key string) (value string) {
		// "" if there is no row
		_ = s.writers.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = $1`, key).Scan(&value)
		return value
	}
	if name = meta("upgrading"); name != "" {
		begun, err := s.hasBegun(name, have)
		if begun || err != nil {
			return name, err
		}
	}
	if needed, free, err := s.roomForCopy(); err == nil && free < needed {
		return "", noRoomForCopy(needed, free)
	}
	kept := newDatabaseCopy(s.folder.FS(), keptCopy, have, meta("program"), time.Now())
	began := time.Now()
	if err := Backup(ctx, s.dir, filepath.Join(s.dir, kept.name)); err != nil {
		if isNoRoom(err) {
			needed, free, _ := s.roomForCopy() // for the message only
			return "", noRoomForCopy(needed, free)
		}
		return "", fmt.Errorf("copying the database before it is brought up to date: %w", err)
	}
	if _, err := s.writers.ExecContext(ctx,
		`INSERT INTO meta (key, value) VALUES ('upgrading', $1) ON CONFLICT (key) DO UPDATE SET value = $1`,
		kept.name); err != nil {
		return "", fmt.Errorf("beginning to bring the database up to date: %w", err)
	}
	s.logger.LogAttrs(ctx, slog.LevelInfo,
		"the database is kept as it was before the upgrade, for two weeks: parley rollback goes back to it",
		slog.String("op", kept.name), slog.Duration("took", time.Since(began)))
	return kept.name, nil
}

// hasBegun reports whether an interrupted upgrade has made the copy name and run a migration. If it
// has run none, an older program may have written since; then the copy is removed, and a new one
// has to be made.
func (s *Store) hasBegun(name string, have int64) (bool, error) {
	m := keptName.FindStringSubmatch(name)
	if m == nil {
		return false, nil
	}
	if m[2] == strconv.FormatInt(have, 10) {
		if err := s.folder.Remove(name); !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		return false, nil
	}
	_, err := s.folder.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// roomForCopy returns how many bytes a copy of the database may take, and how many are free.
func (s *Store) roomForCopy() (needed, free int64, err error) {
	free, err = freeBytes(s.dir)
	return size(s.path) + size(s.path+walSuffix), free, err
}

func noRoomForCopy(needed, free int64) error {
	const mb = 1e6
	return fmt.Errorf("this version brings the database up to date, and the disk has no room for a copy of it "+
		"as it was (%.0f MB, and %.0f MB are free), without which there is no way back; "+
		"make room, or start once with --upgrade-without-copy", float64(needed)/mb, float64(free)/mb)
}

// noteProgram stores the program's version in the database. Only the names of copies depend on it,
// so a failure is only logged.
func (s *Store) noteProgram(ctx context.Context) {
	known, err := schema.Meta(ctx, s.writer.conn)
	if err == nil && s.cfg.Version != "" && known["program"] != s.cfg.Version {
		err = s.writer.setMeta(ctx, "program", s.cfg.Version)
	}
	if err != nil {
		s.logger.LogAttrs(ctx, slog.LevelWarn, "the program's version could not be noted", slog.Any("err", err))
	}
}

// copiesEvery is the time between two searches for database copies that are old enough to remove.
const copiesEvery = time.Hour

// dropOldCopies removes copies that are older than two weeks.
func (s *Store) dropOldCopies(ctx context.Context, now time.Time) {
	if now.Sub(s.copiesLooked) < copiesEvery {
		return
	}
	s.copiesLooked = now
	// A name has the day and no hour.
	old := func(k databaseCopy) bool { return now.Sub(k.day) >= copiesKeptFor+24*time.Hour }
	if err := s.dropCopies(old); err != nil {
		s.logger.LogAttrs(ctx, slog.LevelWarn, "an old copy of the database could not be removed", slog.Any("err", err))
	}
}

func (s *Store) dropCopies(old func(databaseCopy) bool) error {
	files, err := databaseCopies(s.folder.FS())
	if err != nil {
		return err
	}
	var errs []error
	for _, k := range files {
		if old(k) {
			errs = append(errs, s.folder.Remove(k.name))
		}
	}
	return errors.Join(errs...)
}
