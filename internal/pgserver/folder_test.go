package pgserver

import (
	"errors"
	"path/filepath"
	"testing"
)

func TestFolderOfAServerHasAWholePath(t *testing.T) {
	t.Chdir(t.TempDir())
	s, err := newServer(nil, ".", "", nil)
	if errors.Is(err, ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	if !filepath.IsAbs(s.dir) {
		t.Errorf("folder %q", s.dir)
	}
}
