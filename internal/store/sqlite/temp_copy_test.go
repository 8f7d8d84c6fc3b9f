package sqlite

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A copy is given up when the write-ahead log has grown too large beside it, and
// only then.
func TestCopyIsGivenUpWhenTheLogGrows(t *testing.T) {
	for name, tt := range map[string]struct {
		grows int64
		want  error
	}{
		"a little":         {mayGrow, nil},
		"beyond the bound": {mayGrow + 20<<10 + 1, errGrown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), databaseName)
				must(t, os.WriteFile(path, make([]byte, 80<<10), 0o600))
				must(t, os.WriteFile(path+walSuffix, make([]byte, 5000), 0o600))
				err := guarded(t.Context(), path, func(ctx context.Context) error {
					must(t, os.Truncate(path+walSuffix, 5000+tt.grows))
					select {
					case <-ctx.Done():
						return ctx.Err()
					case <-time.After(10 * growthEvery):
						return nil
					}
				})
				if !errors.Is(err, tt.want) {
					t.Errorf("error %v, want %v", err, tt.want)
				}
			})
		})
	}
	if err := guarded(t.Context(), filepath.Join(t.TempDir(), databaseName),
		func(context.Context) error { return io.ErrUnexpectedEOF }); err != io.ErrUnexpectedEOF {
		t.Errorf("another error became %v", err)
	}
}

// The copy that a store makes of itself is what Backup writes, has no name, and does
// not stay.
func TestCopyOfAStoreInUse(t *testing.T) {
	s, stop := start(t, t.TempDir())
	post(t, s, numbered(1, 300)...)
	before := folderNames(t, s.dir)
	f, err := s.Copy(t.Context())
	must(t, err)
	if after := folderNames(t, s.dir); !slices.Equal(before, after) {
		t.Errorf("the folder holds %v, before %v", after, before)
	}
	text, err := io.ReadAll(f)
	must(t, err)
	must(t, f.Close())
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, databaseName), text, 0o600))
	restored, _ := start(t, dir)
	wantNumbered(t, restored, 300)
	if restored.Epoch() == s.Epoch() {
		t.Error("the copy has the epoch of the original")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Copy(ctx); err == nil {
		t.Error("a copy that was cancelled was made")
	}
	if after := folderNames(t, s.dir); !slices.Equal(before, after) {
		t.Errorf("after a copy that was cancelled the folder holds %v, before %v", after, before)
	}
	for _, name := range []string{copyName, copyName + "-journal", databaseName + ".partial"} { // as a kill leaves them
		must(t, os.WriteFile(filepath.Join(s.dir, name), []byte("part"), 0o600))
	}
	stop()
	epochOf(t, s.dir)
	if names := strings.Join(folderNames(t, s.dir), " "); strings.Contains(names, "partial") ||
		strings.Contains(names, copyName) {
		t.Errorf("the folder holds %s", names)
	}
}
