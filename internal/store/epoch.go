package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// The epoch has to change whenever the log that clients hold cursors in goes
// back in time. Three things tell:
//
//   - A copy that Backup made has no epoch at all.
//   - The database knows which file it is in (see identity). A copy is another.
//   - The database and the name of a file beside it, parley.start-N, know how
//     often the folder has been opened and closed. A copy that was written over
//     the file it came from, as "cp -r backup/. data/" does, has the right
//     identity, but it is older than the newest of these names: copying adds
//     the old name and does not take away the new one.
//
// A whole machine set back to a snapshot looks the same from inside. Clients
// notice that only if they had more than the log now has.
const startPrefix = "parley.start-"

// settleEpoch finds out whether this is still the log that the folder was closed
// with, and makes a new epoch if not.
func (s *Store) settleEpoch(ctx context.Context, path string) error {
	file, err := identity(path)
	if err != nil {
		return fmt.Errorf("which file %s is: %w", databaseName, err)
	}
	known, err := s.committer.meta(ctx)
	if err != nil {
		return fmt.Errorf("reading the epoch: %w", err)
	}
	marks, err := s.marks()
	if err != nil {
		return fmt.Errorf("reading the data folder: %w", err)
	}
	s.epoch = known["epoch"]
	if s.epoch == "" || known["file"] != file || !follows(known["start"], marks) {
		s.epoch = strings.ToLower(rand.Text()[:13])
		if err := s.committer.keep(ctx, "epoch", s.epoch); err != nil {
			return fmt.Errorf("making an epoch: %w", err)
		}
		if err := s.committer.keep(ctx, "file", file); err != nil {
			return fmt.Errorf("making an epoch: %w", err)
		}
		s.logger.LogAttrs(ctx, slog.LevelInfo, "this is a new or restored log: it has a new epoch")
	}
	s.mark(ctx)
	return nil
}

// follows reports whether a database that was opened or closed for the start-th
// time is the one that left marks. It is one ahead if the power went between the
// two.
func follows(start string, marks []int64) bool {
	n, err := strconv.ParseInt(start, 10, 64)
	if err != nil || len(marks) == 0 {
		return false
	}
	newest := slices.Max(marks)
	return n == newest || n == newest+1
}

// marks returns the numbers of all files parley.start-N, in no order.
func (s *Store) marks() ([]int64, error) {
	entries, err := fs.ReadDir(s.folder.FS(), ".")
	var marks []int64
	for _, e := range entries {
		if n, ok := strings.CutPrefix(e.Name(), startPrefix); ok {
			if n, err := strconv.ParseInt(n, 10, 64); err == nil {
				marks = append(marks, n)
			}
		}
	}
	return marks, err
}

// mark counts an opening or closing of the folder, in the database and then
// beside it. Where that cannot be written all else goes on as it is: a restored
// back-up may go unnoticed, or a log that is as it was may seem to be one.
func (s *Store) mark(ctx context.Context) {
	if s.broken.Load() != nil {
		return
	}
	if err := s.writeMark(ctx); err != nil {
		s.logger.LogAttrs(ctx, slog.LevelWarn, "the data folder's state could not be marked", slog.Any("err", err))
	}
}

func (s *Store) writeMark(ctx context.Context) error {
	marks, err := s.marks()
	if err != nil {
		return err
	}
	known, err := s.committer.meta(ctx)
	if err != nil {
		return err
	}
	last, _ := strconv.ParseInt(known["start"], 10, 64) // 0 if there is none
	for _, n := range marks {
		last = max(last, n)
	}
	if err := s.committer.keep(ctx, "start", strconv.FormatInt(last+1, 10)); err != nil {
		return err
	}
	next := startPrefix + strconv.FormatInt(last+1, 10)
	if len(marks) == 0 {
		f, err := s.folder.Create(next)
		if err != nil {
			return err
		}
		return errors.Join(f.Close(), s.syncNames())
	}
	slices.Sort(marks)
	var errs []error
	for _, n := range marks[:len(marks)-1] {
		errs = append(errs, s.folder.Remove(startPrefix+strconv.FormatInt(n, 10)))
	}
	errs = append(errs, s.folder.Rename(startPrefix+strconv.FormatInt(marks[len(marks)-1], 10), next), s.syncNames())
	return errors.Join(errs...)
}

// syncNames makes the names of the folder's files durable. On a file system that
// does not do so along with the next sync of any file, the names would fall
// behind the database by one for each power cut, and seem to be another log's.
func (s *Store) syncNames() error {
	if runtime.GOOS == "windows" { // which cannot
		return nil
	}
	folder, err := s.folder.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// meta returns all that the store knows of itself.
func (c *committer) meta(ctx context.Context) (map[string]string, error) {
	rows, err := c.conn.QueryContext(ctx, `SELECT key, value FROM meta`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	known := make(map[string]string)
	for rows.Next() {
		var key, value string
		if err := rows.Scan(&key, &value); err != nil {
			return nil, err
		}
		known[key] = value
	}
	return known, rows.Err()
}

// keep sets one fact that the store knows of itself.
func (c *committer) keep(ctx context.Context, key, value string) error {
	return c.exec(ctx, `INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2`, key, value)
}
