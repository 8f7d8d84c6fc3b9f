package sqlite

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"log/slog"
	"os"

	sqlite3 "modernc.org/sqlite/lib"
)

// Deletions must work on a full disk, because people then delete. So a file reserves space. If a
// transaction finds no space, its deletions are written alone, and the file gives up a part of its
// space for them. Then the WAL, which they have made longer, is emptied into the database, and the
// file takes the space back before other programs can.
const (
	reserveName = "parley.reserve"
	reserveSize = 8 << 20 // bytes; a deletion takes some 40 KB at first and about 200 bytes for good
)

// reserveSteps are how many bytes are given up, in turn, until a deletion fits. The first step is
// small because other programs may take what is free.
var reserveSteps = []int64{1 << 20, reserveSize}

// A reserve is the file. The committer's goroutine owns it.
type reserve struct {
	folder *os.Root
	size   int64 // bytes of the file; 0: there is no file
	lent   int64 // its size before a part was given up for the start; 0: none was
	warned bool  // the missing reserve has been logged
}

// makeWay gives up a part of the file if the disk is too full for a start.
func (r *reserve) makeWay(dir string) {
	if info, err := r.folder.Stat(reserveName); err == nil {
		r.size = info.Size()
	}
	if free, err := freeBytes(dir); err == nil && free < reserveSteps[0] {
		r.lent = r.size
		r.giveUp(reserveSteps[0])
	}
}

// fill brings the file to its full size, but leaves half of the disk's free space.
func (r *reserve) fill(dir string) error {
	if lent := r.lent; lent > 0 {
		r.lent = 0
		return r.takeBack(dir, lent)
	}
	info, err := r.folder.Stat(reserveName)
	switch {
	case err == nil:
		r.size = info.Size()
	case errors.Is(err, fs.ErrNotExist):
		r.size = 0
	default:
		return err
	}
	if r.size >= reserveSize {
		return nil
	}
	free, err := freeBytes(dir)
	if err != nil {
		return err
	}
	return r.grow(min(reserveSize, r.size+free/2))
}

// grow makes the file larger, with allocated space, or leaves it as it is.
func (r *reserve) grow(size int64) (err error) {
	if size <= r.size {
		return nil
	}
	f, err := r.folder.OpenFile(reserveName, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := allocate(f, r.size, size-r.size); err != nil {
		return errors.Join(err, f.Truncate(r.size))
	}
	r.size = size
	return nil
}

// giveUp makes the file smaller by a number of bytes, and reports whether that freed any.
func (r *reserve) giveUp(bytes int64) bool {
	if r.size == 0 {
		return false
	}
	f, err := r.folder.OpenFile(reserveName, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	left := max(0, r.size-bytes)
	if err := errors.Join(f.Truncate(left), f.Sync(), f.Close()); err != nil {
		return false
	}
	r.size = left
	return true
}

// takeBack brings the file back to a size, or as near as the disk allows.
func (r *reserve) takeBack(dir string, size int64) error {
	free, err := freeBytes(dir)
	if err != nil {
		return err
	}
	return r.grow(min(size, r.size+free))
}

// writeBlocks allocates space by writing to the file. It writes random bytes, because a file system
// that compresses would allocate less for others.
func writeBlocks(f *os.File, at, n int64) error {
	block := make([]byte, 256<<10)
	for n > 0 {
		rand.Read(block) // never fails
		b := block[:min(n, int64(len(block)))]
		if _, err := f.WriteAt(b, at); err != nil {
			return err
		}
		at, n = at+int64(len(b)), n-int64(len(b))
	}
	return f.Sync()
}

// Rescue calls again, which writes the deletions, with space that the reserve gives up.
func (e engine) Rescue(ctx context.Context, failed error, again func() error) (err error) {
	s := e.s
	size := s.reserve.size
	if !isNoRoom(failed) || size == 0 || s.broken.Load() != nil {
		return failed
	}
	err = failed
	for _, step := range reserveSteps {
		if !s.reserve.giveUp(step) {
			break
		}
		if err = again(); !isNoRoom(err) {
			break
		}
	}
	if err == nil {
		_ = s.truncateWAL(ctx) // it is tried again in a minute; damage has been logged
	}
	s.reserved(ctx, s.reserve.takeBack(s.dir, size))
	return err
}

// reserved logs err once if there is no reserve.
func (s *Store) reserved(ctx context.Context, err error) {
	if s.reserve.size > 0 {
		s.reserve.warned = false
	} else if err != nil && !s.reserve.warned {
		s.reserve.warned = true
		s.logger.LogAttrs(ctx, slog.LevelWarn, "no room is kept for deletions on a full disk", slog.Any("err", err))
	}
}

// isNoRoom reports whether free space on the disk may help against err. SQLite reports a used-up
// quota as a failed write.
func isNoRoom(err error) bool {
	code := sqliteCode(err)
	return code&0xff == sqlite3.SQLITE_FULL || code == sqlite3.SQLITE_IOERR_WRITE
}
