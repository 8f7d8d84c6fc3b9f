package files

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func folderNames(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestFileHasItsNameOnlyWhenItIsWhole(t *testing.T) {
	fill := func(partial string) error { return os.WriteFile(partial, []byte("whole"), 0o600) }
	tests := map[string]struct {
		before func(t *testing.T, path string)
		write  func(partial string) error
		fails  string // part of the error
		left   []string
	}{
		"new":         {nil, fill, "", []string{"copy"}},
		"not written": {nil, func(string) error { return errors.New("no space") }, "no space", nil},
		"half written": {nil, func(partial string) error {
			return errors.Join(os.WriteFile(partial, []byte("wh"), 0o600), os.WriteFile(partial+"-journal", nil, 0o600),
				errors.New("no space"))
		}, "no space", nil},
		"there already": {
			func(t *testing.T, path string) { must(t, os.WriteFile(path, []byte("before"), 0o600)) }, fill, "exists",
			[]string{"copy"},
		},
		"there as a folder": {
			func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o700)) }, fill, "exists", []string{"copy"},
		},
		"there as a link to nothing": {
			func(t *testing.T, path string) { must(t, os.Symlink("nowhere", path)) }, fill, "exists", []string{"copy"},
		},
		"made meanwhile": {nil, func(partial string) error {
			return errors.Join(fill(partial),
				os.WriteFile(strings.TrimSuffix(partial, Suffix), []byte("before"), 0o600))
		}, "exists", []string{"copy"}},
		"left by one that was killed": {func(t *testing.T, path string) {
			must(t, os.WriteFile(path+Suffix, []byte(strings.Repeat("longer", 100)), 0o600))
			must(t, os.WriteFile(path+Suffix+"-journal", nil, 0o600))
		}, fill, "", []string{"copy"}},
		"left with two names and moved": {func(t *testing.T, path string) {
			must(t, os.WriteFile(path+"-moved", []byte("before"), 0o600))
			must(t, os.Link(path+"-moved", path+Suffix))
		}, fill, "", []string{"copy", "copy-moved"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "copy")
			if tt.before != nil {
				tt.before(t, path)
			}
			err := New(path, tt.write)
			if said := errors.Join(err); (err != nil) != (tt.fails != "") ||
				err != nil && !strings.Contains(said.Error(), tt.fails) {
				t.Errorf("error %v, want %q", err, tt.fails)
			}
			if left := folderNames(t, dir); !slices.Equal(left, tt.left) {
				t.Errorf("the folder holds %q, want %q", left, tt.left)
			}
			if text, _ := os.ReadFile(path); err == nil && string(text) != "whole" {
				t.Errorf("the file holds %q", text)
			}
			for _, kept := range []string{path, path + "-moved"} {
				text, err2 := os.ReadFile(kept)
				if is := string(text); err2 == nil && is != "before" && (is != "whole" || kept != path || err != nil) {
					t.Errorf("%s holds %q", kept, is)
				}
			}
		})
	}
}

// Two writers of the same file must not damage each other's content.
func TestFileIsWrittenByOneAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "copy")
	err := New(path, func(partial string) error {
		if err := New(path, func(string) error { return nil }); err == nil ||
			!strings.Contains(err.Error(), "another process writes it") {
			t.Errorf("a second one: %v", err)
		}
		return os.WriteFile(partial, []byte("whole"), 0o600)
	})
	must(t, err)
	if text, err := os.ReadFile(path); err != nil || string(text) != "whole" {
		t.Errorf("the file holds %q, %v", text, err)
	}
}

func TestFileIsReplacedAsAWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "session.json")
	for _, text := range []string{"first", "second"} {
		must(t, Replace(path, func(partial string) error { return os.WriteFile(partial, []byte(text), 0o600) }))
		if is, err := os.ReadFile(path); err != nil || string(is) != text {
			t.Errorf("the file holds %q, %v", is, err)
		}
	}
	err := Replace(path, func(partial string) error {
		return errors.Join(os.WriteFile(partial, []byte("thi"), 0o600), errors.New("no space"))
	})
	if is, _ := os.ReadFile(path); err == nil || string(is) != "second" {
		t.Errorf("after a failure (%v) the file holds %q", err, is)
	}
	if names := folderNames(t, dir); len(names) != 1 {
		t.Errorf("the folder holds %q", names)
	}
}

func TestFileReplacedByManyIsOneOfTheirs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "session.json")
	var all sync.WaitGroup
	for _, text := range []string{"one", "two", "three", "four"} {
		all.Go(func() {
			if err := Replace(path,
				func(partial string) error { return os.WriteFile(partial, []byte(text), 0o600) }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if is, err := os.ReadFile(path); err != nil ||
		!slices.Contains([]string{"one", "two", "three", "four"}, string(is)) {
		t.Errorf("the file holds %q, %v", is, err)
	}
}
