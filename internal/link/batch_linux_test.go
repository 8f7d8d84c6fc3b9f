package link

import (
	"bytes"
	"io"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"parley/internal/room"
)

// newTestRing returns a ring, or skips the test where the system has none.
func newTestRing(t *testing.T) *ring {
	t.Helper()
	r, err := newRing()
	if err != nil {
		t.Skipf("this system does not let a program use it: %v", err)
	}
	t.Cleanup(r.close)
	return r
}

func TestRingSendsWhatItCan(t *testing.T) {
	r := newTestRing(t)
	pair := func() (here, there int) {
		p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(p[0]); unix.Close(p[1]) })
		return p[0], p[1]
	}
	open, reads := pair()
	full, _ := pair()
	for err := error(nil); err == nil; {
		_, err = unix.Write(full, make([]byte, 1<<10))
	}
	left, gone := pair()
	if err := unix.Shutdown(gone, unix.SHUT_RDWR); err != nil {
		t.Fatal(err)
	}
	hello := []byte("hello")
	for round := range 100 { // the ring is gone round
		fds := []int{open, full, left, -1, open}
		for _, fd := range fds {
			r.send(fd, hello)
		}
		var results [ringSize]int32
		if err := r.enter(&results); err != nil {
			t.Fatal(err)
		}
		want := []int32{5, -int32(unix.EAGAIN), -int32(unix.EPIPE), -int32(unix.EBADF), 5}
		if got := results[:len(fds)]; !bytes.Equal(asBytes(got), asBytes(want)) {
			t.Fatalf("round %d: %v, want %v", round, got, want)
		}
		got := make([]byte, 100)
		if n, err := unix.Read(reads, got); err != nil || string(got[:n]) != "hellohello" {
			t.Fatalf("round %d: %q came, %v", round, got[:max(n, 0)], err)
		}
	}
}

func asBytes(numbers []int32) (b []byte) {
	for _, n := range numbers {
		b = append(b, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
	}
	return b
}

// TestRecordsStayInOrderBesideABatch has crypto/tls write, as it does for a key
// update, while records are in a batch and not sent yet.
func TestRecordsStayInOrderBesideABatch(t *testing.T) {
	newTestRing(t)
	tl := startLinks(t, Config{}, true, newEcho)
	c := tl.dial(t)
	k := tl.tlsTransport(t)
	b := NewBatch()
	defer b.Close()
	if !b.Add(&k.conn.out, []byte("first ")) {
		t.Fatal("a free connection is not taken")
	}
	if b.Add(&k.conn.out, []byte("never ")) {
		t.Error("a connection is in the batch twice")
	}
	if _, err := k.tls.Write([]byte("second ")); err != nil {
		t.Fatal(err)
	}
	if got := b.Send(); len(got) != 1 || got[0] != (room.Written{N: len("first ")}) {
		t.Errorf("the batch wrote %+v", got)
	}
	if _, err := k.tls.Write([]byte("third")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len("first second third"))
	if _, err := io.ReadFull(c.in, got); err != nil || string(got) != "first second third" {
		t.Errorf("%q came, %v", got, err)
	}
}

// TestBatchThatBreaksEndsItsConnections has the ring fail while connections are in a
// batch: how much they have been sent is unknown.
func TestBatchThatBreaksEndsItsConnections(t *testing.T) {
	newTestRing(t)
	for name, secure := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			tl := startLinks(t, Config{}, secure, newEcho)
			c := tl.dial(t)
			out := tl.onlyConn().Out()
			b, _ := NewBatch().(*batch)
			if !b.Add(out, []byte("lost")) {
				t.Fatal("a free connection is not taken")
			}
			no, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC) // a descriptor that is no ring
			if err != nil {
				t.Fatal(err)
			}
			if err := unix.Dup3(no, b.ring.fd, unix.O_CLOEXEC); err != nil {
				t.Fatal(err)
			}
			unix.Close(no)
			if got := b.Send(); len(got) != 1 || got[0].Err == nil {
				t.Errorf("the batch wrote %+v", got)
			}
			if b.Add(out, []byte("more")) {
				t.Error("a broken batch takes more")
			}
			io.Copy(io.Discard, c.in) // until it ends, in whatever way
			for tl.Len() > 0 {
				runtime.Gosched()
			}
		})
	}
}
