package link

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"parley/internal/chat"
	"parley/internal/wire"
)

// testLinks are Links behind an HTTP server on a socket. Each request becomes a
// WebSocket.
type testLinks struct {
	*Links
	address string
	secure  bool
	log     bytes.Buffer   // what is logged; read after stop
	counts  chan chat.Code // the errors that clients were told
	stop    func() error   // closes all connections; may be called again
}

// startLinks serves on a free port until the test ends.
func startLinks(t *testing.T, cfg Config, secure bool, newProtocol func(*Conn) Protocol) *testLinks {
	t.Helper()
	tl := &testLinks{secure: secure, counts: make(chan chat.Code, 100)}
	cfg.Counted = func(code chat.Code) { tl.counts <- code }
	cfg.Ended = func(netip.Addr) {}
	cfg.Logger = slog.New(slog.NewTextHandler(&tl.log, nil))
	tl.Links = New(cfg)
	if err := tl.Open(); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tl.address = ln.Addr().String()
	if secure {
		ln = tl.ListenTLS(ln, &tls.Config{Certificates: []tls.Certificate{newCertificate(t)}})
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nc, rw, _, err := ws.UpgradeHTTP(r, w)
		if err != nil || !tl.Enter() {
			t.Errorf("a WebSocket is refused: %v", err)
			return
		}
		first, _ := rw.Reader.Peek(rw.Reader.Buffered())
		tl.Start(nc, first, netip.MustParseAddr("192.0.2.1"), newProtocol)
	})}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { tl.Run(ctx) })
	wg.Go(func() { server.Serve(ln) })
	tl.stop = sync.OnceValue(func() error {
		late, done := context.WithTimeout(context.Background(), patience)
		defer done()
		err := server.Shutdown(late)
		tl.Close(late, 0)
		cancel()
		wg.Wait()
		if l, ok := ln.(*TLSListener); ok {
			l.Wait()
		}
		return errors.Join(err, late.Err())
	})
	t.Cleanup(func() {
		if err := tl.stop(); err != nil {
			t.Error(err)
		}
	})
	return tl
}

// newCertificate returns a self-signed certificate.
func newCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// patience is how long a test waits for what must come before it fails.
const patience = time.Minute

// anyCertificate is how the clients of the tests begin TLS.
var anyCertificate = &tls.Config{InsecureSkipVerify: true}

// A talker is a WebSocket client that speaks frames.
type talker struct {
	t  testing.TB
	nc net.Conn
	in *bufio.Reader
}

func (tl *testLinks) dial(t *testing.T) *talker {
	t.Helper()
	url := "ws://" + tl.address
	if tl.secure {
		url = "wss://" + tl.address
	}
	d := ws.Dialer{Timeout: patience, TLSConfig: anyCertificate}
	nc, in, _, err := d.Dial(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if in == nil {
		in = bufio.NewReader(nc)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(60 * time.Second))
	return &talker{t, nc, in}
}

// onlyConn waits for the server's end of the only connection, and returns it.
func (tl *testLinks) onlyConn() *Conn {
	for tl.Len() != 1 { // a handshake is answered before its connection is in the wheel
		runtime.Gosched()
	}
	return tl.wheel.all()[0]
}

// dialTCP connects, sends begin and waits for nothing.
func (tl *testLinks) dialTCP(t *testing.T, begin string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", tl.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	if _, err := io.WriteString(nc, begin); err != nil {
		t.Fatal(err)
	}
	return nc
}

// put sends one frame.
func (c *talker) put(f ws.Frame) {
	c.t.Helper()
	if err := ws.WriteFrame(c.nc, ws.MaskFrame(f)); err != nil {
		c.t.Fatal(err)
	}
}

// frame returns the next frame.
func (c *talker) frame() ws.Frame {
	c.t.Helper()
	header, err := ws.ReadHeader(c.in)
	if err != nil {
		c.t.Fatal(err)
	}
	f := ws.Frame{Header: header, Payload: make([]byte, header.Length)}
	if _, err := io.ReadFull(c.in, f.Payload); err != nil {
		c.t.Fatal(err)
	}
	return f
}

// wantClose fails unless the next frame but pings closes with code.
func (c *talker) wantClose(code wire.CloseCode) {
	c.t.Helper()
	for {
		f := c.frame()
		if f.Header.OpCode == ws.OpPing {
			continue
		}
		if got, _ := ws.ParseCloseFrameData(f.Payload); f.Header.OpCode != ws.OpClose || int(got) != int(code) {
			c.t.Fatalf("opcode %d, close code %d, want %d", f.Header.OpCode, got, code)
		}
		return
	}
}

// An echo is a Protocol that sends each message back.
type echo struct{ c *Conn }

func newEcho(c *Conn) Protocol {
	c.AcceptBinary()
	return echo{c}
}

func (echo) Begin(context.Context) error { return nil }

func (e echo) Receive(_ context.Context, m wire.WSMessage) {
	e.c.Out().QueueAnswer(func(dst []byte) []byte { return wire.AppendWSMessage(dst, m) })
}

func (echo) End() {}
