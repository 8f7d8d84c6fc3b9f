package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	"parley/internal/store/storetest"
)

var (
	_ certmagic.Storage          = (*Certificates)(nil)
	_ certmagic.TryLocker        = (*Certificates)(nil)
	_ certmagic.LockLeaseRenewer = (*Certificates)(nil)
)

// certmagic's own storage is the measure of what its methods mean.
func TestCertificatesAreKeptLikeFiles(t *testing.T) {
	s, _ := start(t, newDatabase(t))
	ours, files := s.Certificates(), &certmagic.FileStorage{Path: t.TempDir()}
	both := func(f func(kept certmagic.Storage) string) {
		t.Helper()
		if got, want := f(ours), f(files); got != want {
			t.Errorf("in the database: %s\nin files: %s", got, want)
		}
	}
	ctx := t.Context()
	keys := []string{
		"", "a", "acme", "acme/ca", "acme/ca/users", "acme/ca/users/me", "acme/ca/users/me/me.key", "acme/ca2/x",
		"acme/ca-1/x", "acme/cb", "nothing", "ocsp/100%_of'it",
	}
	look := func() {
		t.Helper()
		for _, key := range keys {
			both(func(kept certmagic.Storage) string {
				value, loadErr := kept.Load(ctx, key)
				info, statErr := kept.Stat(ctx, key)
				isFolder := statErr == nil && !info.IsTerminal
				if isFolder { // a folder's size and a failure to load it depend on the system
					info.Size, loadErr = 0, nil
				}
				return fmt.Sprintf("%q: value %q, missing %v, exists %v, %q of %d bytes, file %v, missing %v", key,
					value, errors.Is(loadErr, fs.ErrNotExist), kept.Exists(ctx, key), info.Key, info.Size,
					info.IsTerminal, errors.Is(statErr, fs.ErrNotExist))
			})
			for _, recursive := range []bool{false, true} {
				both(func(kept certmagic.Storage) string {
					found, err := kept.List(ctx, key, recursive)
					slices.Sort(found)
					return fmt.Sprintf("list of %q, recursive %v: %q, missing %v", key, recursive, found,
						errors.Is(err, fs.ErrNotExist))
				})
			}
		}
	}
	for _, key := range []string{
		"acme/ca/users/me/me.key", "acme/ca/users/me/me.json", "acme/ca2/x", "acme/ca-1/x", "acme/cb",
		"ocsp/100%_of'it",
	} {
		for _, kept := range []certmagic.Storage{ours, files} {
			storetest.Must(t, kept.Store(ctx, key, []byte("first of "+key)))
		}
	}
	look()
	for _, kept := range []certmagic.Storage{ours, files} {
		storetest.Must(t, kept.Store(ctx, "acme/cb", []byte{0, 1, 255}))
		storetest.Must(t, kept.Delete(ctx, "acme/ca"))
		storetest.Must(t, kept.Delete(ctx, "ocsp/100%_of'it"))
		storetest.Must(t, kept.Delete(ctx, "nothing"))
	}
	keys = slices.DeleteFunc(keys, func(key string) bool { return key == "" }) // files keep an empty folder
	look()
	if err := ours.Store(ctx, "a\x00b", nil); err == nil {
		t.Error("a key with a NUL is taken")
	}
	info, err := ours.Stat(ctx, "acme/cb")
	if age := time.Since(info.Modified); err != nil || age.Abs() > time.Minute {
		t.Errorf("changed %v ago, %v", age, err)
	}
}

func TestOtherNodesSeeTheSameCertificates(t *testing.T) {
	url := newDatabase(t)
	a, _ := start(t, url)
	b, _ := start(t, url)
	storetest.Must(t, a.Certificates().Store(t.Context(), "x/y", []byte("of a")))
	if got, err := b.Certificates().Load(t.Context(), "x/y"); string(got) != "of a" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// Goroutines of one node and of another take turns.
func TestLockIsHeldByOneAtATime(t *testing.T) {
	url := newDatabase(t)
	a, _ := start(t, url)
	b, _ := start(t, url)
	var holders atomic.Int32
	var wg sync.WaitGroup
	one, other := a.Certificates(), b.Certificates()
	for _, kept := range []*Certificates{one, one, other, other} {
		wg.Go(func() {
			if err := kept.Lock(t.Context(), "chat.example.org"); err != nil {
				t.Error(err)
				return
			}
			if holders.Add(1) > 1 {
				t.Error("two have it")
			}
			if err := kept.RenewLockLease(t.Context(), "chat.example.org", time.Minute); err != nil {
				t.Error(err)
			}
			holders.Add(-1)
			if err := kept.Unlock(t.Context(), "chat.example.org"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if left := ask[int](t, a, `SELECT count(*) FROM lease`); left != 0 {
		t.Errorf("%d leases are left", left)
	}
}

func TestLockOfADeadNodeIsFree(t *testing.T) {
	url := newDatabase(t)
	a, stopA := start(t, url)
	b, _ := start(t, url)
	kept := b.Certificates()
	storetest.Must(t, a.Certificates().Lock(t.Context(), "x"))
	if got, err := kept.TryLock(t.Context(), "x"); got || err != nil {
		t.Errorf("taken %v while another node has it, %v", got, err)
	}
	if err := kept.RenewLockLease(t.Context(), "x", time.Minute); err == nil {
		t.Error("another node's lock is renewed")
	}
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error, 1)
	go func() { waiting <- kept.Lock(ctx, "x") }()
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("after its context has ended Lock returns %v", err)
	}
	stopA()
	storetest.Must(t, kept.Lock(t.Context(), "x"))
	if got, err := kept.TryLock(t.Context(), "x"); got || err != nil {
		t.Errorf("taken %v a second time by the same node, %v", got, err)
	}
	storetest.Must(t, kept.Unlock(t.Context(), "x"))
	if got, err := kept.TryLock(t.Context(), "x"); !got || err != nil {
		t.Errorf("taken %v after it was given back, %v", got, err)
	}
}
