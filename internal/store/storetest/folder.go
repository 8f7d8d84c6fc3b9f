package storetest

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"testing"
	"testing/fstest"
)

// Folders returns a function that gives each test a folder of its own. They all have the files of one that fill has
// filled once: to copy an empty database takes a third of the time that its migrations take.
func Folders(fill func(dir string) error) func(t testing.TB) string {
	filled := sync.OnceValues(func() (fstest.MapFS, error) {
		dir, err := os.MkdirTemp("", "parley-empty-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		if err := fill(dir); err != nil {
			return nil, err
		}
		return filesOf(os.DirFS(dir))
	})
	return func(t testing.TB) string {
		t.Helper()
		files, err := filled()
		Must(t, err)
		dir := t.TempDir()
		Must(t, os.CopyFS(dir, files))
		return dir
	}
}

// filesOf reads the files of a folder without folders.
func filesOf(dir fs.FS) (fstest.MapFS, error) {
	names, err := fs.Glob(dir, "*")
	files := make(fstest.MapFS)
	for _, name := range names {
		b, readErr := fs.ReadFile(dir, name)
		err = errors.Join(err, readErr)
		files[name] = &fstest.MapFile{Data: b, Mode: 0o600}
	}
	return files, err
}
