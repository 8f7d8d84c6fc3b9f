package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"parley/internal/files"
)

// While the database is copied the WAL cannot be emptied. So a copy is given up when the WAL has
// grown by more than this many bytes and a quarter of the database.
const mayGrow = 64 << 20

// growthEvery is how often the WAL's size is looked at.
const growthEvery = 50 * time.Millisecond

// errGrown is the error of a copy that was stopped because the WAL grew too large meanwhile.
var errGrown = errors.New(
	"it was given up: the server wrote so much meanwhile that the write-ahead log grew too large; " +
		"try again at a quieter time, or on a faster disk")

// guarded calls work with a context that ends when the WAL of the database at path has grown too
// large.
func guarded(ctx context.Context, path string, work func(context.Context) error) error {
	ctx, giveUp := context.WithCancelCause(ctx)
	most := size(path+walSuffix) + mayGrow + size(path)/4
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		tick := time.NewTicker(growthEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if size(path+walSuffix) > most {
					giveUp(errGrown)
				}
			}
		}
	}()
	err := work(ctx)
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errGrown) {
		err = cause
	}
	giveUp(nil)
	<-watched
	return err
}

// copyName is the name of a copy until it is opened and loses its name.
const copyName = "parley.copy"

// journalSuffix is the suffix of SQLite's journal for a database without a WAL.
const journalSuffix = "-journal"

// A TempCopy is a copy of the database that is removed when it is closed.
type TempCopy struct {
	*os.File
	path string // its name if an open file cannot be removed on this system; else ""
}

// Close closes the copy and removes it.
func (c *TempCopy) Close() error {
	err := c.File.Close()
	if c.path != "" {
		err = errors.Join(err, os.Remove(c.path))
	}
	return err
}

// Copy returns a file with the contents that Backup would write. It is made in the data folder by
// this process, so that a slow or stopped client does not keep the WAL from being emptied. It is
// not synced, because a power cut makes it useless and commits would wait. There is one at a time.
func (s *Store) Copy(ctx context.Context) (_ *TempCopy, err error) {
	path := filepath.Join(s.dir, copyName)
	defer func() {
		if err != nil {
			err = fmt.Errorf("copying the database: %w", err)
		}
	}()
	if free, e := freeBytes(s.dir); e == nil && free < size(s.path)+mayGrow {
		const mb = 1e6
		return nil, fmt.Errorf("%w: a copy takes %.0f MB for a moment, and %.0f MB are free",
			ErrNoRoom, float64(size(s.path))/mb, float64(free)/mb)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	err = f.Close()
	if err == nil {
		err = copyWithoutEpoch(ctx, s.path, path)
	}
	if err == nil {
		f, err = os.Open(path)
	}
	if err != nil {
		_ = os.Remove(path + journalSuffix) // mostly it does not exist
		return nil, errors.Join(err, os.Remove(path))
	}
	if os.Remove(path) != nil { // Windows
		return &TempCopy{f, path}, nil
	}
	return &TempCopy{f, ""}, nil
}

// ErrNoRoom means that the disk of the data folder has no space for a copy.
var ErrNoRoom = errors.New("the disk has no room for it")

// removeCopies removes temporary copies of a process that was killed. They may be as large as the
// database and hold all its texts.
func (s *Store) removeCopies() {
	names := []string{databaseName + files.Suffix, copyName, copyName + journalSuffix}
	halves, _ := fs.Glob(s.folder.FS(), "parley-"+keptCopy+"-schema-*.db"+files.Suffix+"*") // the pattern is valid
	for _, name := range append(names, halves...) {
		_ = s.folder.Remove(name) // mostly it does not exist
	}
}
