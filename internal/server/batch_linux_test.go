package server

import (
	"bytes"
	"io"
	"sync/atomic"
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

// A counted batch counts what is added to it.
type countedBatch struct {
	room.Batch
	added *atomic.Int64
}

func (b countedBatch) Add(sink room.Sink, p []byte) bool {
	added := b.Batch.Add(sink, p)
	if added {
		b.added.Add(1)
	}
	return added
}

func TestDeliveriesGoOutInBatches(t *testing.T) {
	newTestRing(t)
	for name, secure := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			var added atomic.Int64
			newBatch = func() room.Batch { return countedBatch{NewBatch(), &added} }
			overTLS = secure
			defer func() { newBatch, overTLS = NewBatch, false }()
			ts := startServer(t, Config{}, room.Config{})
			const members, messages = 3*ringSize + 1, 20
			a := newAudience(t, ts, "hall", members)
			for range messages {
				a.say(t, "hall", members)
			}
			if got := added.Load(); got < members*messages/2 {
				t.Errorf("%d of %d deliveries were in a batch", got, members*messages)
			}
		})
	}
}

// TestWithoutBatches is for systems that have no io_uring or do not allow it.
func TestWithoutBatches(t *testing.T) {
	newBatch = func() room.Batch { return nil }
	defer func() { newBatch = NewBatch }()
	for name, test := range map[string]func(*testing.T){
		"two people talk":       TestTwoPeopleTalk,
		"one who takes nothing": TestClientThatTakesNothingIsClosedAndDelaysNobody,
		"delivery":              TestDeliveryAllocatesNothing,
	} {
		t.Run(name, test)
	}
}

// TestRecordsStayInOrderBesideABatch has crypto/tls write, as it does for a key
// update, while records are in a batch and not sent yet.
func TestRecordsStayInOrderBesideABatch(t *testing.T) {
	newTestRing(t)
	ts := startSecure(t, Config{DebugEcho: true})
	c := ts.dial(t, "/debug/echo")
	k := ts.secureSocket(t)
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
// batch: nobody knows what they have been sent.
func TestBatchThatBreaksEndsItsConnections(t *testing.T) {
	newTestRing(t)
	for name, secure := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			overTLS = secure
			defer func() { overTLS = false }()
			ts := startServer(t, Config{DebugEcho: true}, room.Config{})
			c := ts.dial(t, "/debug/echo")
			until(t, "the connection", func() bool { return len(ts.links.wheel.all()) == 1 })
			out := &ts.links.wheel.all()[0].out
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
			until(t, "the connection to be gone", func() bool { return len(ts.links.wheel.all()) == 0 })
		})
	}
}
