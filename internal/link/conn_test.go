package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"parley/internal/chat"
	"parley/internal/wire"
)

// wantContained waits until a panic has been counted. It checks that the panic
// was logged with its stack, which names where, and that another connection,
// good, is served on.
func (tl *testLinks) wantContained(t *testing.T, good *talker, what, where string) {
	t.Helper()
	if code := <-tl.counts; code != chat.Internal {
		t.Errorf("counted %q", code)
	}
	good.put(ws.NewTextFrame([]byte("still here")))
	if f := good.frame(); string(f.Payload) != "still here" {
		t.Errorf("the good client is sent %q", f.Payload)
	}
	good.nc.Close()
	if err := tl.stop(); err != nil { // a lock that is still held would keep it from ending
		t.Error(err)
	}
	if n := len(tl.counts); n > 0 {
		t.Errorf("counted %d panics more", n)
	}
	got := tl.log.String()
	if !strings.Contains(got, "level=ERROR") || !strings.Contains(got, what) || !strings.Contains(got, where) {
		t.Errorf("logged %q, want %q in %s", got, what, where)
	}
}

// startFaulty serves newFaulty's protocol to each connection but the first,
// which it returns.
func startFaulty(t *testing.T, newFaulty func(*Conn) Protocol) (tl *testLinks, good *talker) {
	t.Helper()
	var first sync.Once
	tl = startLinks(t, Config{}, false, func(c *Conn) (p Protocol) {
		first.Do(func() { p = newEcho(c) })
		if p == nil {
			p = newFaulty(c)
		}
		return p
	})
	good = tl.dial(t)
	tl.onlyConn()
	return tl, good
}

// A brokenProtocol panics in one of its methods.
type brokenProtocol struct {
	in    string
	ended chan struct{}
}

func (b brokenProtocol) Begin(context.Context) error {
	if b.in == "Begin" {
		panic("a mistake in Begin")
	}
	return nil
}

func (b brokenProtocol) Receive(context.Context, wire.WSMessage) {
	if b.in == "Receive" {
		panic("a mistake in Receive")
	}
}

func (b brokenProtocol) End() { close(b.ended) }

func TestPanicInAProtocolClosesWith1011AndCallsEnd(t *testing.T) {
	for _, in := range []string{"Begin", "Receive"} {
		broken := brokenProtocol{in: in, ended: make(chan struct{})}
		tl, good := startFaulty(t, func(*Conn) Protocol { return broken })
		bad := tl.dial(t)
		if in == "Receive" {
			bad.put(ws.NewTextFrame([]byte("hi")))
		}
		bad.wantClose(wire.CloseInternal)
		bad.nc.Close()
		<-broken.ended
		tl.wantContained(t, good, "a mistake in "+in, "brokenProtocol")
	}
}

func TestConnectionIsCompleteBeforeOthersSeeIt(t *testing.T) {
	made := make(chan error, 1)
	tl, _ := startFaulty(t, func(c *Conn) Protocol {
		switch {
		case c.transport == nil || c.in.transport == nil || c.out.transport == nil || c.out.ended == nil:
			made <- fmt.Errorf("the protocol begins with %+v", c.transport)
		case slices.Contains(c.links.wheel.all(), c):
			made <- errors.New("the wheel has it already")
		default:
			c.checkAlive(time.Now().Add(time.Hour), time.Minute) // as the wheel might at once
			made <- nil
		}
		return newEcho(c)
	})
	tl.dial(t).wantClose(wire.CloseIdle)
	if err := <-made; err != nil {
		t.Error(err)
	}
}

// A brokenTransport panics when something is written to it.
type brokenTransport struct{ transport }

func (brokenTransport) write(_, _ []byte) (int, error) { panic("a mistake in writing") }

// A firstRead closes reading when the runner reads for the first time. After
// that the runner writes nothing until something has come.
type firstRead struct {
	transport
	once    *sync.Once
	reading chan struct{}
}

func (f firstRead) read(p []byte) (int, error) {
	f.once.Do(func() { close(f.reading) })
	return f.transport.read(p)
}

func TestPanicOnTheWheelOrInLateAnswersEndsThatConnectionAlone(t *testing.T) {
	for name, provoke := range map[string]func(c *Conn){
		"the wheel": func(c *Conn) {
			silent := time.Since(processStart) - time.Duration(c.lastReceived.Load())
			c.checkAlive(time.Now(), silent*2)
		},
		"late answers": (*Conn).SendLater,
	} {
		t.Run(name, func(t *testing.T) {
			there, reading := make(chan *Conn, 1), make(chan struct{})
			tl, good := startFaulty(t, func(c *Conn) Protocol {
				c.in.transport = firstRead{c.transport, new(sync.Once), reading}
				c.out.transport = brokenTransport{c.transport}
				there <- c
				return newEcho(c)
			})
			bad := tl.dial(t)
			c := <-there
			<-reading
			c.out.QueueAnswer(func(dst []byte) []byte { return wire.AppendControl(dst, wire.OpPing, nil) })
			provoke(c)
			if _, err := io.Copy(io.Discard, bad.in); err != nil {
				t.Error(err)
			}
			tl.wantContained(t, good, "a mistake in writing", "brokenTransport")
		})
	}
}
