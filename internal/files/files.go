// Package files writes files such that one with its final name is always whole:
// beside it under another name, synced, renamed, and the folder synced. Start
// reading at New and Replace.
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

// New makes the file path, which only its owner may read and which must not
// exist yet. write fills a file beside it. Only when that one is whole and on the
// disk does it get the name path, so a file with that name is always whole. After
// an error nothing is left. What a killed process has left is removed by the next
// one that makes the same file.
func New(path string, write func(partial string) error) error {
	if _, err := os.Lstat(path); err == nil {
		return exists(path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return writeBeside(path, claimFile, write, renameNew)
}

// Replace is New for a file that may exist: then it holds what it held before, or
// all that is new. While another process replaces the file, it waits for a moment.
func Replace(path string, write func(partial string) error) error {
	return writeBeside(path, claimSoon, write, os.Rename)
}

func writeBeside(path string, claim func(string) (*os.File, error), write func(partial string) error, rename func(from, to string) error) (err error) {
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
		os.Remove(partial + "-journal") // SQLite's
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

// claimFile makes an empty file that only this process writes, until the result is
// closed. One that a killed process has left is removed first: it may be a second
// name of a file that is whole.
func claimFile(path string) (*os.File, error) {
	const attempts = 3 // another process may remove what we have just made, or finish
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

// claimSoon is claimFile for what others write in a moment.
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

// renameNew renames a file to a name that must not exist. Where the file system
// knows links the kernel checks that, else we look first.
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

// syncFile has the disk hold what was written to a file.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// SyncFolder has the disk hold a folder's names.
func SyncFolder(path string) error {
	if runtime.GOOS == "windows" { // which does so by itself
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
