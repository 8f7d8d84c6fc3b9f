// Package natsbus carries the messages of a cluster over NATS: by a NATS server inside each node (Listen), or by one
// that somebody else runs (Dial).
//
// It does not know what the messages say, and makes no message come that was lost: see cluster.Bus.
package natsbus

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"parley/internal/cluster"
)

// What may wait in each direction. More is dropped.
const (
	maxWaiting      = 16384
	maxWaitingBytes = 32 << 20
)

// A Bus is a cluster.Bus over one connection to a NATS server. It connects again for ever.
type Bus struct {
	prefix string
	logger *slog.Logger
	nats   *nats.Conn     // only send waits for it: its calls stand still while the NATS server takes nothing
	server *server.Server // nil if it is somebody else's

	outbound      chan cluster.Message
	outboundBytes atomic.Int64
	arriving      chan *nats.Msg // of all subscriptions
	inbound       chan cluster.Message
	done          chan struct{} // closed by Close
	wg            sync.WaitGroup

	connected atomic.Bool

	mu      sync.Mutex
	wanted  map[string]bool // by subject
	changed []string        // subjects of wanted that send has not compared with subscriptions
	wake    chan struct{}   // tells send of changed

	subscriptions map[string]*nats.Subscription // owned by send
}

// connect makes a Bus from a connection that options describe. All subjects begin with prefix.
func connect(url, prefix string, logger *slog.Logger, options ...nats.Option) (*Bus, error) {
	b := &Bus{
		prefix: prefix, logger: logger,
		outbound: make(chan cluster.Message, maxWaiting),
		arriving: make(chan *nats.Msg, 1024),
		inbound:  make(chan cluster.Message),
		done:     make(chan struct{}),
		wanted:   map[string]bool{}, wake: make(chan struct{}, 1),
		subscriptions: map[string]*nats.Subscription{},
	}
	options = append([]nats.Option{
		nats.Name("parley"),
		nats.NoEcho(),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(500 * time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, 100*time.Millisecond),
		nats.ReconnectBufSize(-1), // what cannot be sent now is dropped
		nats.IgnoreAuthErrorAbort(),
		nats.PingInterval(2 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.FlusherTimeout(time.Second), // of a write to a server that takes nothing
		nats.ReconnectOnFlusherError(),
		nats.ConnectHandler(func(*nats.Conn) { b.connected.Store(true) }),
		nats.ReconnectHandler(func(*nats.Conn) { b.connected.Store(true) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			logger.LogAttrs(context.Background(), slog.LevelDebug, "bus", slog.Any("err", err))
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			b.connected.Store(false)
			logger.LogAttrs(context.Background(), slog.LevelDebug, "bus disconnected", slog.Any("err", err))
		}),
	}, options...)
	conn, err := nats.Connect(url, options...)
	if err != nil {
		return nil, err
	}
	b.nats = conn
	b.wg.Go(b.send)
	b.wg.Go(b.receive)
	return b, nil
}

// Publish queues a message. NATS itself may wait for a slow socket, so send gives it the messages.
func (b *Bus) Publish(subject string, payload []byte) {
	size := int64(len(payload))
	if b.outboundBytes.Add(size) > maxWaitingBytes {
		b.outboundBytes.Add(-size)
		return
	}
	select {
	case b.outbound <- cluster.Message{Subject: subject, Payload: payload}:
	default:
		b.outboundBytes.Add(-size)
	}
}

func (b *Bus) send() {
	for {
		select {
		case <-b.done:
			b.sendRest()
			return
		case <-b.wake:
			b.subscribe()
		case m := <-b.outbound:
			b.subscribe() // before m, which may ask for what is to be received
			b.sendOne(m)
		}
	}
}

// sendRest sends what Publish took before Close.
func (b *Bus) sendRest() {
	for {
		select {
		case m := <-b.outbound:
			b.sendOne(m)
		default:
			return
		}
	}
}

// sendOne gives a message to NATS. If it cannot be sent now, it is lost.
func (b *Bus) sendOne(m cluster.Message) {
	b.outboundBytes.Add(-int64(len(m.Payload)))
	_ = b.nats.Publish(b.prefix+m.Subject, m.Payload)
}

// receive moves what arrives into a queue with a limit in bytes, which the channel from NATS does not have.
func (b *Bus) receive() {
	var waiting []cluster.Message
	bytes := 0
	for {
		out, next := b.inbound, cluster.Message{}
		if len(waiting) > 0 {
			next = waiting[0]
		} else {
			out = nil
		}
		select {
		case <-b.done:
			return
		case m := <-b.arriving:
			if len(waiting) < maxWaiting && bytes < maxWaitingBytes {
				subject := strings.TrimPrefix(m.Subject, b.prefix)
				waiting = append(waiting, cluster.Message{Subject: subject, Payload: m.Data})
				bytes += len(m.Data)
			}
		case out <- next:
			waiting[0] = cluster.Message{}
			waiting, bytes = waiting[1:], bytes-len(next.Payload)
		}
	}
}

// Subscribe begins to receive a subject's messages: soon, and before what is published afterwards is sent. It never
// blocks. It works while there is no connection, too.
func (b *Bus) Subscribe(subject string) { b.want(subject, true) }

// Unsubscribe ends a subscription. It never blocks.
func (b *Bus) Unsubscribe(subject string) { b.want(subject, false) }

func (b *Bus) want(subject string, wanted bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if wanted {
		b.wanted[subject] = true
	} else {
		delete(b.wanted, subject)
	}
	b.changed = append(b.changed, subject)
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// subscribe makes the subscriptions those that are wanted.
func (b *Bus) subscribe() {
	b.mu.Lock()
	changed := b.changed
	b.changed = nil
	wanted := make([]bool, len(changed))
	for i, subject := range changed {
		wanted[i] = b.wanted[subject]
	}
	b.mu.Unlock()
	for i, subject := range changed {
		s := b.subscriptions[subject]
		switch {
		case wanted[i] && s == nil:
			s, err := b.nats.ChanSubscribe(b.prefix+subject, b.arriving)
			if err != nil { // its messages are only found by beats
				b.logger.LogAttrs(context.Background(), slog.LevelError, "the bus refuses a subscription",
					slog.Any("err", err))
				continue
			}
			b.subscriptions[subject] = s
		case !wanted[i] && s != nil:
			_ = s.Unsubscribe() // fails only if the connection is closed
			delete(b.subscriptions, subject)
		}
	}
}

// Messages returns the channel of all that comes.
func (b *Bus) Messages() <-chan cluster.Message { return b.inbound }

// IsConnected reports whether there is a connection to the NATS server, be it the node's own.
func (b *Bus) IsConnected() bool { return b.connected.Load() }

// Close sends what has been published and ends the connection, and the NATS server if it is the node's own.
func (b *Bus) Close() error {
	close(b.done)
	b.wg.Wait()
	if b.IsConnected() {
		_ = b.nats.FlushTimeout(time.Second) // what the bus does not take in time is lost
	}
	b.nats.Close()
	if b.server != nil {
		b.server.Shutdown()
		b.server.WaitForShutdown()
	}
	return nil
}
