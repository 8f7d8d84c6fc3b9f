package torture

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// copyFiles copies the files of a folder, over existing ones.
func copyFiles(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it was removed meanwhile
		}
		if err != nil {
			return err
		}
		rest, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rest)
		switch {
		case d.IsDir():
			return os.MkdirAll(target, 0o700)
		case !d.Type().IsRegular():
			return nil
		}
		if err := copyFile(path, target); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}

// keepTimes gives the files of a folder the times of the files that they are copies of.
func keepTimes(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() {
			err = os.Chtimes(filepath.Join(to, e.Name()), time.Now(), info.ModTime())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// emptyFolder removes the content of a folder, which may be the root of a disk.
func emptyFolder(folder string) error {
	entries, err := os.ReadDir(folder)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(folder, e.Name())))
	}
	return err
}

// overwritePages overwrites some pages of a file with noise or zeros.
func overwritePages(rnd *rand.Rand, path string) error {
	const pageSize = 4096
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	noise := byte(rnd.IntN(2))
	page := make([]byte, pageSize)
	for i := range page {
		page[i] = noise * byte(rnd.IntN(256))
	}
	for range 1 + rnd.IntN(20) {
		if _, err := f.WriteAt(page, rnd.Int64N(max(1, info.Size()/pageSize))*pageSize); err != nil {
			return err
		}
	}
	return nil
}
