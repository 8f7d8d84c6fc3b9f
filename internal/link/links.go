// Package link is the bytes of long-lived connections: WebSockets and open
// HTTP responses, over plain TCP and TLS. It reads and writes their sockets
// without a goroutine for each of them, cuts what comes into messages, buffers
// what goes out, and keeps connections alive. Start reading at Conn.
//
// It knows no routes, sessions or rules of rooms: a Protocol receives the
// messages, and an Outbound is where rooms send events to.
package link

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/chat"
)

// Config says how Links treat their connections. A limit of 0 means no limit.
type Config struct {
	FrameSize        int              // bytes of a WebSocket message
	IdleTimeout      time.Duration    // a connection is closed if nothing comes from it for so long
	HandshakeTimeout time.Duration    // of a TLS handshake
	Ended            func(netip.Addr) // called when a WebSocket from an address has ended
	Counted          func(chat.Code)  // called for each error that a client is told
	Logger           *slog.Logger
}

// Links are the long-lived connections of a server, WebSockets and event
// streams, and what they share.
type Links struct {
	cfg    Config
	conns  sync.WaitGroup // one for each connection, and for each goroutine of a WebSocket
	poller *poller        // nil where the system has none
	wheel  keepAliveWheel
	acks   ackQueue

	retryWithin atomic.Int64 // nanoseconds within which clients come back; set by Close

	admission sync.Mutex // guards what follows
	isClosed  bool       // Close has been called
	streams   map[*Stream]struct{}
}

// New returns Links without connections. It needs Open and Run.
func New(cfg Config) *Links {
	l := &Links{cfg: cfg, streams: map[*Stream]struct{}{}}
	l.acks.init()
	l.wheel.init()
	return l
}

// Open prepares for connections. It is called once, before the first one.
func (l *Links) Open() (err error) {
	l.poller, err = openPoller()
	return err
}

// Run wakes connections, keeps them alive and sends late answers until ctx ends.
func (l *Links) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(l.poller.run)
	wg.Go(l.acks.run)
	wg.Go(func() { l.wheel.run(ctx, l.cfg.IdleTimeout) })
	<-ctx.Done()
	l.acks.close()
	l.poller.close()
	wg.Wait()
	return nil
}

// Enter counts a connection, for which Close waits until Leave. Start must follow
// it, or Leave; a WebSocket that was started leaves by itself. Enter returns false,
// and does not count the connection, if Close has been called.
func (l *Links) Enter() bool {
	l.admission.Lock()
	defer l.admission.Unlock()
	if l.isClosed {
		return false
	}
	l.conns.Add(1)
	return true
}

// Leave ends what Enter began.
func (l *Links) Leave() { l.conns.Done() }

// Len returns how many WebSockets are open.
func (l *Links) Len() int { return len(l.wheel.all()) }
