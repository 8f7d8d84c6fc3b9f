package link

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestHTTPWithoutTLSIsToldSo(t *testing.T) {
	tl := startLinks(t, Config{}, true, newEcho)
	a, err := http.Get("http://" + tl.address)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	text, _ := io.ReadAll(a.Body)
	if a.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "https://") {
		t.Errorf("status %d: %s", a.StatusCode, text)
	}
}

func TestHandshakeThatDoesNotComeEndsTheConnection(t *testing.T) {
	tl := startLinks(t, Config{HandshakeTimeout: 50 * time.Millisecond}, true, newEcho)
	for name, begin := range map[string]string{
		"silence":           "",
		"a record's header": "\x16\x03\x01\x02\x00",
		"half a hello":      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	} {
		t.Run(name, func(t *testing.T) {
			wantEnded(t, tl.dialTCP(t, begin))
		})
	}
}

func wantEnded(t *testing.T, nc net.Conn) {
	t.Helper()
	nc.SetDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, nc); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("it is still open")
	}
}

// TestUnfinishedHandshakesDoNotKeepOthersOut takes all slots for handshakes, more than once.
func TestUnfinishedHandshakesDoNotKeepOthersOut(t *testing.T) {
	const slots = 4
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	links := New(Config{Logger: slog.New(slog.DiscardHandler)})
	l := links.listenTLS(ln, &tls.Config{Certificates: []tls.Certificate{newCertificate(t)}}, slots)
	defer l.Wait()
	defer l.Close()
	var silent []net.Conn
	for range 3 * slots {
		nc, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		silent = append(silent, nc)
	}
	shaken := make(chan error, 1)
	go func() {
		nc, err := tls.Dial("tcp", ln.Addr().String(), anyCertificate)
		if err == nil {
			defer nc.Close()
		}
		shaken <- err
	}()
	if _, err := l.Accept(); err != nil {
		t.Fatal(err)
	}
	if err := <-shaken; err != nil {
		t.Errorf("behind half handshakes: %v", err)
	}
	if got := len(l.slots); got > slots {
		t.Errorf("%d handshakes under way, at most %d", got, slots)
	}
	wantEnded(t, silent[0])
}

func TestTCPIsFoundBelowTLS(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	dialled, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer dialled.Close()
	tcp, _ := dialled.(*net.TCPConn)
	for what, nc := range map[string]net.Conn{
		"plain":                tcp,
		"TLS":                  tls.Server(tcp, anyCertificate),
		"TLS of a TLSListener": tls.Server(&rawConn{Conn: tcp}, anyCertificate),
	} {
		if tcpBelow(nc) != tcp {
			t.Errorf("%s: the TCP connection is not found", what)
		}
	}
}

// A handshake that begins after Close must not wait for its client.
func TestHandshakeThatBeginsTooLateEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		l := &TLSListener{
			links: New(Config{Logger: slog.New(slog.DiscardHandler)}), config: anyCertificate,
			done: make(chan accepted), closed: make(chan struct{}),
		}
		close(l.closed)
		l.shakeHands(ours) // has no time limit
		if l.underWay.Len() != 0 {
			t.Error("it is still under way")
		}
	})
}
