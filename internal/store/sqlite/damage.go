package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"parley/internal/chat"
)

// isDamaged reports whether err says that a file is no database, or a damaged one.
func isDamaged(err error) bool {
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return true
	}
	return errors.Is(err, errDamaged)
}

var errDamaged = errors.New("the database is damaged")

// refusal returns the sentence for the operator if a start finds the database damaged.
func refusal(err error) error {
	if sqliteCode(err)&0xff == sqlite3.SQLITE_NOTADB {
		return fmt.Errorf("%s is not a database (%w); nothing was written; "+
			"put the right file there, or restore a back-up", databaseName, err)
	}
	return fmt.Errorf("%s is damaged (%w); nothing was written; restore a back-up, "+
		"and keep the folder until you have looked at it: “parley check” lists what is wrong", databaseName, err)
}

// A writeStop is why nothing is written until a restart.
type writeStop struct {
	err       error
	advice    string // for the operator
	untouched bool   // connections stay open, because closing them writes to the database
}

func (b *writeStop) Error() string {
	return b.err.Error() + "; nothing is written until a restart: " + b.advice
}

// stopWriting ends all writing until a restart, because the contents of the disk are unknown.
func (s *Store) stopWriting(ctx context.Context, err error) {
	b := &writeStop{err: err, advice: "look after the disk first", untouched: true}
	switch {
	case isDamaged(err):
		b.err = fmt.Errorf("the database is damaged: %w", err)
		b.advice = "stop the server, and see what “parley check” says, or restore a back-up"
	case errors.Is(err, errReplaced):
		b.advice = "stop the server, and put the data folder right first"
	case isFailedSync(err):
		b.err = fmt.Errorf("a sync of the disk failed: %w", err)
	case errors.Is(err, errPanicked):
		b.advice, b.untouched = "report it, with the log", false
	}
	if s.broken.CompareAndSwap(nil, b) {
		s.logger.LogAttrs(ctx, slog.LevelError, "nothing is written until a restart", slog.Any("err", b.err))
	}
}

// unreadable is the error for a reader that hits a damaged page.
var unreadable = &chat.Error{
	Code:       chat.Unavailable,
	Message:    "The server cannot read this: its database is damaged, and its operator has to see to it.",
	RetryAfter: 30 * time.Second,
}

// readError returns the error that a reader gets for err. A damaged page also ends all writing.
func (s *Store) readError(ctx context.Context, err error) error {
	if err == nil || !isDamaged(err) {
		return err
	}
	s.stopWriting(ctx, err)
	return unreadable
}

// eventMissing logs that an event is missing whose number has been given, and returns the reader's
// error.
func (s *Store) eventMissing(ctx context.Context, at chat.MessageRef) error {
	s.logger.LogAttrs(ctx, slog.LevelError, "events are missing in the database: see what “parley check” says",
		slog.String("room", string(at.Room)), slog.Int64("seq", int64(at.Seq)))
	return unreadable
}

// errReplaced means that the open files are no longer those of the folder.
var errReplaced = errors.New("the data folder was removed, replaced or written to by another program")

// checkFilesEvery is how often checkFiles looks at the files at most.
const checkFilesEvery = 20 * time.Millisecond

// checkFiles returns the state of the database's file. It fails if the names of the database and of
// the WAL no longer name the open files, or if another program has written to the database: a
// commit may then be lost.
func (s *Store) checkFiles() (fileState, error) {
	now := time.Now()
	if now.Sub(s.filesChecked) < checkFilesEvery {
		return s.database, nil
	}
	s.filesChecked = now
	database, err := stateOf(s.path)
	if err != nil {
		return database, fmt.Errorf("%w: %w", errReplaced, err)
	}
	if !database.sameFile(s.database) || database.Written != s.database.Written {
		return database, fmt.Errorf("%w: %s", errReplaced, databaseName)
	}
	log, err := stateOf(s.path + walSuffix)
	if err != nil {
		return database, fmt.Errorf("%w: %w", errReplaced, err)
	}
	if !log.sameFile(s.walState) {
		return database, fmt.Errorf("%w: %s", errReplaced, databaseName+walSuffix)
	}
	return database, nil
}
