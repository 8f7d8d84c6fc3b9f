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

// Whoever copies the database keeps the write-ahead log from being emptied
// meanwhile. So a copy is given up when the log has grown by more than this many
// bytes, and a quarter of the database.
const mayGrow = 64 << 20

// growthEvery is how often that is looked at.
const growthEvery = 50 * time.Millisecond

// errGrown says that a copy was given up.
var errGrown = errors.New("it was given up: the server wrote so much meanwhile that the write-ahead log grew too large; " +
	"try again at a quieter time, or on a faster disk")

// guarded calls work with a context that ends when the write-ahead log of the
// database at path has grown too large.
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

// copyName is the name that a copy has in the data folder for a moment.
const copyName = "parley.copy"

// journalSuffix ends the name of what SQLite keeps beside a database without a
// write-ahead log while it writes to it.
const journalSuffix = "-journal"

// A TempCopy is a copy of the database, which is gone once it is closed.
type TempCopy struct {
	*os.File
	path string // its name, where a file cannot lose that while it is open; else ""
}

// Close closes the copy and removes it.
func (c *TempCopy) Close() error {
	err := c.File.Close()
	if c.path != "" {
		err = errors.Join(err, os.Remove(c.path))
	}
	return err
}

// Copy returns a file with what Backup would write. It is made in the data folder, and
// by this process: then nobody who is slow, or stopped, keeps the write-ahead log from
// being emptied. It is not synced: nobody needs it after a power cut, and commits would
// wait for the disk. There is one at a time.
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
		_ = os.Remove(path + journalSuffix) // mostly there is none
		return nil, errors.Join(err, os.Remove(path))
	}
	if os.Remove(path) != nil { // Windows
		return &TempCopy{f, path}, nil
	}
	return &TempCopy{f, ""}, nil
}

// ErrNoRoom says that the disk of the data folder has no room for a copy.
var ErrNoRoom = errors.New("the disk has no room for it")

// removeCopies removes what a process that was killed has left. That may be as
// large as the database, and holds all its texts.
func (s *Store) removeCopies() {
	names := []string{databaseName + files.Suffix, copyName, copyName + journalSuffix}
	halves, _ := fs.Glob(s.folder.FS(), "parley-"+keptCopy+"-schema-*.db"+files.Suffix+"*") // the pattern is a good one
	for _, name := range append(names, halves...) {
		_ = s.folder.Remove(name) // mostly there is none
	}
}
