package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/pressly/goose/v3"
	sqlite3 "modernc.org/sqlite/lib"

	"parley/internal/files"
	"parley/internal/move"
)

// openDatabase opens the folder's database, or makes one. Before it writes anything it finds out
// whether the files are as the server left them and, if not, whether they are whole.
func (s *Store) openDatabase(ctx context.Context, vfs string) error {
	left, err := s.findDatabase(ctx, vfs)
	if err != nil {
		return err
	}
	found, err := s.read(ctx, &left)
	if err != nil {
		return err
	}
	s.writers = openSQLite(s.path, "rw", vfs, writerPragmas)
	s.writers.SetMaxOpenConns(1)
	if left.foreign == "" { // from now on SQLite may write to the file
		if err := s.takeMarks(left.newest); err != nil {
			s.logger.LogAttrs(ctx, slog.LevelWarn, "the data folder's state could not be marked", slog.Any("err", err))
			s.unmarked = true
		}
	}
	if found.schema < migrations.Newest() {
		if err := s.upgrade(ctx, found.schema); err != nil {
			return err
		}
	}
	conn, err := s.writers.Conn(ctx)
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	s.writer = newWriter(conn)
	if err := s.writer.takeOver(ctx); err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	if err := s.settleWAL(ctx); err != nil {
		return err
	}
	if err := s.settleEpoch(ctx, left); err != nil {
		return err
	}
	if err := s.settleMarks(ctx, left); err != nil {
		return err
	}
	s.noteProgram(ctx)
	s.readers = openSQLite(s.path, "rw", vfs, readerPragmas)
	s.readers.SetMaxOpenConns(readerConns)
	s.readers.SetMaxIdleConns(readerConns)
	s.readers.SetConnMaxIdleTime(time.Minute)
	s.reads.db, s.reads.met = s.readers, s.readError
	_, err = s.reads.get(ctx, headText) // fails at the start if the database cannot be read
	return err
}

// takeMarks records in the state files that SQLite is about to write to the database's file.
func (s *Store) takeMarks(newest stateFile) error {
	var err error
	if err = s.recordFileState(); err == nil {
		s.marks, err = openMarks(s.dir, newest)
	}
	if err == nil {
		err = s.marks.note(s.database, func(m *stateFile) { m.State = emptying })
	}
	return err
}

// findDatabase returns what the state files tell of the folder's database. If there is no database
// it makes one, which gets its name when it is complete.
func (s *Store) findDatabase(ctx context.Context, vfs string) (leftBehind, error) {
	_, err := s.folder.Lstat(databaseName)
	if err == nil {
		s.removeCopies()
		return examine(s.dir)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return leftBehind{}, err
	}
	if size(s.path+walSuffix) > 0 {
		return leftBehind{}, fmt.Errorf("%s is missing, but %[1]s%s is there, which goes on where it ends; "+
			"put %[1]s back, or move %[1]s%[2]s away", databaseName, walSuffix)
	}
	err = files.New(s.path, func(partial string) error {
		db := openSQLite(partial, "rw", vfs, []string{"synchronous(FULL)", "foreign_keys(1)", "secure_delete(1)"})
		db.SetMaxOpenConns(1)
		err := migrations.Run(ctx, db, s.logger)
		if err == nil {
			_, err = db.ExecContext(ctx, `PRAGMA journal_mode(WAL)`)
		}
		return errors.Join(err, db.Close())
	})
	if err != nil {
		return leftBehind{}, fmt.Errorf("making the database: %w", err)
	}
	return leftBehind{foreign: "it is new", anew: true}, nil
}

// databaseFacts are read from a database before it is used.
type databaseFacts struct {
	schema int64  // number of its newest migration
	epoch  string // "" if there is none
	newest bool   // it has the event that the newer state file names
	moved  string // where it was moved to; "": it was not
}

// read reads the facts of the database and writes nothing. It checks the whole database if that is
// not as the server left it.
func (s *Store) read(ctx context.Context, left *leftBehind) (is databaseFacts, err error) {
	switch info, err := os.Stat(s.path); {
	case err != nil:
		return is, err
	case info.Size() == 0:
		return is, fmt.Errorf("%s is empty, so what was in it is lost; restore a back-up in its place; "+
			"only if this is to be a new server, remove the file", databaseName)
	}
	if left.foreign != "" && !left.anew {
		if err := s.checkForeign(ctx, left.foreign); err != nil {
			return is, err
		}
	}
	is, err = readFirst(ctx, s.path, left.newest)
	if err != nil {
		return is, err
	}
	if is.moved != "" && !s.cfg.Moved {
		return is, move.Refusal(is.moved)
	}
	if left.foreign == "" && (is.epoch != left.newest.Epoch || !is.newest) {
		left.foreign = databaseName + " is older than the marks beside it"
		err = s.checkForeign(ctx, left.foreign)
	}
	return is, err
}

// readFirst reads the facts of the database at path. It fails if this program must not use the
// database.
func readFirst(ctx context.Context, path string, newest stateFile) (is databaseFacts, err error) {
	is, err = readFirstAs(ctx, path, "ro", newest)
	if hasJournal(err) {
		is, err = readFirstAs(ctx, path, "rw", newest)
	}
	if err != nil {
		return is, fmt.Errorf("reading the schema of %s: %w", databaseName, err)
	}
	if known := migrations.Newest(); is.schema > known {
		return is, fmt.Errorf("%s was written by a newer parley (schema %d, this one knows %d); use that program, "+
			"go back with its “parley rollback”, or restore a back-up made before", databaseName, is.schema, known)
	}
	return is, nil
}

// hasJournal reports whether a read failed because an interrupted transaction has to be rolled back
// first. That is so after a power cut while the file was made or was switched to a WAL.
func hasJournal(err error) bool { return sqliteCode(err)&0xff == sqlite3.SQLITE_READONLY }

func readFirstAs(ctx context.Context, path, mode string, newest stateFile) (is databaseFacts, err error) {
	db := openSQLite(path, mode, "", readerPragmas)
	defer db.Close()
	if is.schema, err = schemaOfDatabase(ctx, db); err != nil {
		return is, err
	}
	if err := db.QueryRowContext(ctx,
		`SELECT coalesce(max(value) FILTER (WHERE key = 'epoch'), ''),
			coalesce(max(value) FILTER (WHERE key = 'moved'), '') FROM meta`).Scan(&is.epoch, &is.moved); err != nil {
		return is, err
	}
	is.newest, err = containsEvent(ctx, db, is.schema, newest)
	return is, err
}

// schemaOfDatabase returns the number of a database's newest migration. It fails if the database is
// not Parley's.
func schemaOfDatabase(ctx context.Context, db *sql.DB) (version int64, err error) {
	var tables int
	err = db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name IN ($1, 'meta', 'room', 'person')`,
		goose.DefaultTablename).Scan(&tables)
	if err != nil {
		return 0, err
	}
	if tables < 4 {
		return 0, errors.New("it is a database, but none of Parley's; " +
			"choose another folder with --data, or restore a back-up in its place")
	}
	err = db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM `+goose.DefaultTablename).Scan(&version)
	return version, err
}

// containsEvent reports whether a database has the event that a state file names.
func containsEvent(ctx context.Context, db *sql.DB, schema int64, m stateFile) (has bool, err error) {
	if m.Event == 0 {
		return true, nil
	}
	if schema < firstWithEvents {
		return false, nil
	}
	err = db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM event WHERE id = $1 AND at_ms = $2)`, m.Event,
		m.EventMS).Scan(&has)
	return has, err
}

// checkForeign checks a database that is not as the server left it: the copy may be damaged, or its
// files may be of different times. The WAL beside it may belong to another database that was used
// here. It is used only if the database and the WAL are whole together; otherwise it is renamed,
// never removed.
func (s *Store) checkForeign(ctx context.Context, why string) error {
	began := time.Now()
	s.logger.LogAttrs(ctx, slog.LevelInfo,
		"the data folder is not as the server left it: checking it, which takes some seconds for each million messages",
		slog.String("op", why))
	log := s.path + walSuffix
	var err error
	if size(log) == 0 {
		err = s.whole(ctx, "ro", false)
	} else if backup, e := isBackup(ctx, s.path); e == nil && backup {
		if err = s.whole(ctx, withoutWAL, false); err == nil {
			err = s.setAside(ctx, log)
		}
	} else if err = s.whole(ctx, "ro", true); isDamaged(err) {
		if s.whole(ctx, withoutWAL, true) == nil {
			err = s.setAside(ctx, log)
		} else {
			err = s.whole(ctx, "ro", false)
		}
	}
	if err != nil {
		return err
	}
	s.logger.LogAttrs(ctx, slog.LevelInfo, "the database is whole", slog.Duration("took", time.Since(began)))
	return nil
}

// whole fails if the database is damaged. With the mode withoutWAL it reads the database without
// its WAL. If exact is set, a room whose head is after its newest event is damage too: beside a WAL it
// is the sign that the two are of different times, unless somebody has removed events by hand.
func (s *Store) whole(ctx context.Context, mode string, exact bool) error {
	db := openSQLite(s.path, mode, "", readerPragmas)
	defer db.Close()
	c := &checker{db: db, exact: exact}
	if err := c.integrity(ctx); err != nil {
		if hasJournal(err) && mode == "ro" {
			return s.whole(ctx, "rw", exact)
		}
		return err
	}
	if err := c.numbers(ctx); err != nil {
		return err
	}
	if len(c.report.Found) > 0 {
		return fmt.Errorf("%w: %s", errDamaged, c.report.Found[0])
	}
	return nil
}

// isBackup reports whether the database at path, without its WAL, has no epoch. Then it is a
// back-up that no server has used; a back-up has no WAL of its own.
func isBackup(ctx context.Context, path string) (bool, error) {
	db := openSQLite(path, withoutWAL, "", readerPragmas)
	defer db.Close()
	var epochs int
	err := db.QueryRowContext(ctx, `SELECT count(*) FROM meta WHERE key = 'epoch'`).Scan(&epochs)
	return epochs == 0, err
}

// setAside renames the WAL.
func (s *Store) setAside(ctx context.Context, log string) error {
	aside := log + "-" + time.Now().UTC().Format("20060102-150405.000000000")
	if err := os.Rename(log, aside); err != nil {
		return err
	}
	s.logger.LogAttrs(ctx, slog.LevelWarn, "the write-ahead log was another database's, and was set aside",
		slog.String("op", aside))
	return files.SyncFolder(s.dir)
}

// size returns the size of a file in bytes, 0 if it does not exist.
func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
