package sqlite

import (
	"testing"

	"golang.org/x/sys/unix"

	"parley/internal/chat"
)

// limitFiles lets this process make no file larger than so many bytes, until
// the test ends or lift is called.
func limitFiles(t *testing.T, bytes uint64) (lift func()) {
	t.Helper()
	var before unix.Rlimit
	must(t, unix.Getrlimit(unix.RLIMIT_FSIZE, &before))
	lift = func() { must(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &before)) }
	t.Cleanup(lift)
	must(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: before.Max}))
	return lift
}

// A limit of the size of files is like a full disk: when it goes, writing goes on.
func TestStoreHealsAfterALimitOfItsFiles(t *testing.T) {
	s, stop := start(t, t.TempDir())
	post(t, s, draft("lobby", ada, "before", "n1"))
	lift := limitFiles(t, 4096)
	for range 3 {
		wantRefused(t, post(t, s, draft("lobby", ada, "during", "n2")), chat.Unavailable)
	}
	wantHead(t, s, "lobby", 1)
	lift()
	if c := post(t, s, draft("lobby", ada, "during", "n2"))[0]; c.Err != nil || c.Repeated || c.Event.Seq != 2 {
		t.Errorf("after the limit: %+v, want seq 2", c)
	}
	if err := s.Healthy(t.Context()); err != nil {
		t.Errorf("after the limit: %v", err)
	}
	stop()
	s, _ = start(t, s.dir)
	wantHead(t, s, "lobby", 2)
}
