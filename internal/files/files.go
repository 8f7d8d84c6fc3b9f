// Package files writes files so that a file with its final name is always complete: it writes to
// another name in the same folder, syncs, renames, and syncs the folder. Start reading at New and
// Replace.
//
// It does not know what is in a file.
package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// Suffix ends the name of a file that is being written.
const Suffix = ".partial"

// New creates the file path, readable only by its owner. It fails if path exists. write fills a
// file beside it, which gets the name path only when it is complete and on the disk. After an error
// nothing is left. A partial file that a killed process left is removed by the next process that
// creates the same file.
func New(path string, write func(partial string) error) error {
	if _, err := os.Lstat(path); err == nil {
		return exists(path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return writeBeside(path, claimFile, write, renameNew)
}

// Replace is like New for a file that may exist. Afterwards path holds either its old content or
// all of the new one. If another process is replacing the file, Replace waits for it.
func Replace(path string, write func(partial string) error) error {
	return writeBeside(path, claimSoon, write, os.Rename)
}

func writeBeside(path string, claim func(string) (*os.File, error), write func(partial string) error,
	rename func(from, to string) error,
) (err error) {
	partial := path + Suffix
	claimed, err := claim(partial)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, claimed.Close())
	}()
	defer func() {
		if err != nil {
			os.Remove(partial)
		}
		os.Remove(partial + "-journal") // left by SQLite
	}()
	if err := write(partial); err != nil {
		return err
	}
	if err := syncFile(partial); err != nil {
		return err
	}
	if err := rename(partial, path); err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(path))
}

// claimFile creates an empty file that only this process writes, until the result is closed. It
// first removes a file that a killed process left, because that may be a hard link to a complete
// file.
func claimFile(path string) (*os.File, error) {
	const attempts = 3 // another process may remove the file that we have just created, or finish
	for range attempts {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		stale := errors.Is(err, fs.ErrExist)
		if stale {
			f, err = os.OpenFile(path, os.O_RDWR, 0)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return nil, err
		case claim(f) != nil:
			return nil, errors.Join(writtenByAnother(path), f.Close())
		}
		is, err := os.Stat(path)
		mine, err2 := f.Stat()
		same := err == nil && err2 == nil && os.SameFile(is, mine)
		if same && !stale {
			return f, nil
		}
		if same {
			err = os.Remove(path)
		}
		if err := errors.Join(err2, f.Close()); err != nil {
			return nil, err
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return nil, writtenByAnother(path)
}

// claimSoon is claimFile with retries, for files that other processes write within moments.
func claimSoon(path string) (f *os.File, err error) {
	for range 100 {
		if f, err = claimFile(path); !errors.Is(err, errBeingWritten) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return f, err
}

var errBeingWritten = errors.New("another process writes it")

func writtenByAnother(path string) error {
	return fmt.Errorf("%s: %w; wait for that one, or choose another name", path, errBeingWritten)
}

func exists(path string) error {
	return fmt.Errorf("%s exists; choose another name: nothing is replaced", path)
}

// renameNew renames a file to a name that must not exist. If the file system has hard links, the
// kernel checks that; otherwise renameNew checks it first.
func renameNew(from, to string) error {
	err := os.Link(from, to)
	switch {
	case err == nil:
		return os.Remove(from)
	case errors.Is(err, fs.ErrExist):
		return exists(to)
	}
	if _, err := os.Lstat(to); err == nil {
		return exists(to)
	}
	return os.Rename(from, to)
}

// syncFile syncs a file's content to the disk.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// SyncFolder syncs a folder's names to the disk.
func SyncFolder(path string) error {
	if runtime.GOOS == "windows" { // Windows does this itself
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
