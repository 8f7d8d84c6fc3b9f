package link

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"
)

// tlsTransport returns the server's end of the only connection.
func (tl *testLinks) tlsTransport(t *testing.T) *tlsTransport {
	t.Helper()
	c := tl.onlyConn()
	k, ok := c.transport.(*tlsTransport)
	if !ok {
		t.Fatalf("a connection over TLS is a %T", c.transport)
	}
	return k
}

// whileIdle calls f when nothing runs for the connection, and keeps it so.
func (c *Conn) whileIdle(f func()) {
	for !c.state.CompareAndSwap(stateIdle, stateRunning) {
		runtime.Gosched()
	}
	f()
	c.state.Store(stateIdle)
	c.wake() // something may have come meanwhile
}

func TestSilentTLSConnectionHoldsNoBuffers(t *testing.T) {
	if !recordsKnown || !messagesKnown {
		t.Fatal("crypto/tls has other fields in this release of Go: tls_buffers_linux.go has to find its buffers anew")
	}
	tl := startLinks(t, Config{}, true, newEcho)
	c := tl.dial(t)
	k := tl.tlsTransport(t)
	for _, size := range []int{1, 60_000} {
		c.put(ws.NewBinaryFrame(bytes.Repeat([]byte("x"), size)))
		c.frame()
		k.conn.whileIdle(func() {
			if held := recordsOf(k.tls).Cap(); held > 0 || k.lent != nil {
				t.Errorf("after %d bytes: %d bytes for records", size, held)
			}
		})
	}
}

// TestRestOfRecordsIsBounded has a client take nothing, and things be written that
// do not wait for it.
func TestRestOfRecordsIsBounded(t *testing.T) {
	tl := startLinks(t, Config{}, true, newEcho)
	c := tl.dial(t)
	tcpBelow(c.nc).SetReadBuffer(4 << 10)
	k := tl.tlsTransport(t)
	record := []byte(strings.Repeat("x", 1000))
	written := 0
	for ; written < 64<<20; written += len(record) {
		if _, err := k.Write(record); err != nil {
			break
		}
		k.mu.Lock()
		held := len(k.rest)
		k.mu.Unlock()
		if held > maxRest {
			t.Fatalf("%d bytes wait", held)
		}
	}
	if written >= 64<<20 {
		t.Error("a client that reads nothing was sent 64 MiB")
	}
	for tl.Len() > 0 { // it is cut off
		runtime.Gosched()
	}
}

// TestDrainAfterCloseWritesNothing gives a closed connection's descriptor to another
// before the poller's word about it is heard.
func TestDrainAfterCloseWritesNothing(t *testing.T) {
	const far = 900 // no other test has a descriptor there
	pair := func() (ours, theirs int) {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fds[0]); unix.Close(fds[1]) })
		return fds[0], fds[1]
	}
	p, err := openPoller()
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	first, _ := pair()
	fd, err := unix.FcntlInt(uintptr(first), unix.F_DUPFD_CLOEXEC, far)
	if err != nil {
		t.Fatal(err)
	}
	k := &tlsTransport{tcpTransport: tcpTransport{poller: p, fd: fd}, rest: []byte("of the first")}
	if err := p.add(&k.tcpTransport); err != nil {
		t.Fatal(err)
	}
	k.close()
	second, reader := pair()
	if again, err := unix.FcntlInt(uintptr(second), unix.F_DUPFD_CLOEXEC, far); err != nil || again != fd {
		t.Fatalf("descriptor %d, want %d; %v", again, fd, err)
	}
	defer unix.Close(fd)
	k.drain()
	got := make([]byte, 64)
	if n, err := unix.Read(reader, got); err != unix.EAGAIN {
		t.Errorf("another connection is sent %q, %v", got[:max(n, 0)], err)
	}
}
