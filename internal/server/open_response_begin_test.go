package server

import (
	"bufio"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
)

// hijackable is an answer on a connection that can be taken over.
type hijackable struct {
	*httptest.ResponseRecorder
	nc net.Conn
}

func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.nc, bufio.NewReadWriter(bufio.NewReader(h.nc), bufio.NewWriter(h.nc)), nil
}

// Whoever does not read what they have asked for before, so that not even the head
// of a stream finds room, is not waited for without end.
func TestHeadOfAStreamWaitsForNobodyForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		w := hijackable{httptest.NewRecorder(), ours}
		r := httptest.NewRequest(http.MethodGet, "/api/rooms/lobby/events", nil)
		if _, err := beginResponse(w, r, 0); err == nil {
			t.Error("a stream has begun whose head nobody takes")
		}
		if _, err := theirs.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the connection goes on: %v", err)
		}
	})
}

// What is set for the TCP connection of a stream is set over TLS too.
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
		"TLS of a tlsListener": tls.Server(&rawConn{Conn: tcp}, anyCertificate),
	} {
		if tcpBelow(nc) != tcp {
			t.Errorf("%s: the TCP connection is not found", what)
		}
	}
}

// A handshake that begins when the listener has been closed already keeps nobody waiting.
func TestHandshakeThatBeginsTooLateEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		l := &TLSListener{
			links: newLinks(linkConfig{Logger: slog.New(slog.DiscardHandler)}), config: anyCertificate,
			done: make(chan accepted), closed: make(chan struct{}),
		}
		close(l.closed)
		l.shakeHands(ours) // has no time limit
		if l.underWay.Len() != 0 {
			t.Error("it is still under way")
		}
	})
}
