package natsbus

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"parley/internal/cluster"
)

// ListenConfig says how nodes reach each other.
type ListenConfig struct {
	Address string // where other nodes connect: host and port
	// Peers are where other nodes listen: host and port. Of each two nodes one must have the other among its peers, as
	// nodes learn of no others.
	Peers []string
	// TLS is for both sides of each connection; nil sends everything in the clear and lets everybody in.
	TLS    *tls.Config
	Prefix string       // of all subjects: nodes with another one hear nothing of each other
	Logger *slog.Logger // gets what NATS has to say, as debug lines; default: discard
}

// Listen starts a NATS server in this process, which connects to those of other nodes. It has no port for clients.
func Listen(cfg ListenConfig) (*Bus, error) {
	logger := cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	options, err := serverOptions(cfg)
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(options)
	if err != nil {
		return nil, err
	}
	log := &natsLog{logger: logger, fatal: make(chan string, 1)}
	s.SetLoggerV2(log, logger.Enabled(context.Background(), slog.LevelDebug), false, false)
	s.Start()
	startRouting(s)
	stop := func() {
		s.Shutdown()
		s.WaitForShutdown()
	}
	if s.ClusterAddr() == nil {
		stop()
		return nil, errors.New(<-log.fatal)
	}
	b, err := connect("", cfg.Prefix, logger, nats.InProcessServer(s))
	if err != nil {
		stop()
		return nil, err
	}
	b.server = s
	return b, nil
}

// startRouting lets a server listen to others and connect to them. Start does that itself unless DontListen is set:
// then its goroutine waits for ever for the clients' port (nats-server 2.15.3). StartRouting does what that goroutine
// was to do, also to Shutdown's count of goroutines.
func startRouting(s *server.Server) {
	noClients := make(chan struct{})
	close(noClients)
	s.StartRouting(noClients)
}

// Address returns where other nodes connect.
func (b *Bus) Address() string { return b.server.ClusterAddr().String() }

// nowhere is the address by which nodes tell each other of third ones. NATS would tell the address that it sees, which
// behind a NAT may be no node's, or may lead past a proxy. An address where nobody listens is tried once; only peers
// that were named are tried for ever.
const nowhere = "127.0.0.1:1"

func serverOptions(cfg ListenConfig) (*server.Options, error) {
	host, portText, err := net.SplitHostPort(cfg.Address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, err
	}
	options := &server.Options{
		DontListen:          true, // nobody but this process is a client
		NoSigs:              true,
		NoSystemAccount:     true,
		NoFastProducerStall: true, // who cannot take what there is loses it
		MaxPayload:          1 << 20,
		Cluster: server.ClusterOpts{
			Name: "parley", Host: host, Port: cmp.Or(port, server.RANDOM_PORT),
			TLSConfig: cfg.TLS, TLSTimeout: 5,
			PoolSize:      -1, // one connection to each node, so that messages keep their order
			Advertise:     nowhere,
			PingInterval:  2 * time.Second,
			MaxPingsOut:   2,
			WriteDeadline: time.Second,
			WriteTimeout:  server.WriteTimeoutPolicyClose,
		},
	}
	for _, peer := range cfg.Peers {
		options.Routes = append(options.Routes, &url.URL{Scheme: "nats-route", Host: peer})
	}
	return options, nil
}

// natsLog writes what the NATS server has to say as debug lines.
type natsLog struct {
	logger *slog.Logger
	fatal  chan string // gets the first reason why it cannot listen
}

func (l *natsLog) write(format string, v []any) {
	l.logger.LogAttrs(context.Background(), slog.LevelDebug, "bus", slog.String("op", fmt.Sprintf(format, v...)))
}

func (l *natsLog) Noticef(format string, v ...any) { l.write(format, v) }
func (l *natsLog) Warnf(format string, v ...any)   { l.write(format, v) }
func (l *natsLog) Errorf(format string, v ...any)  { l.write(format, v) }
func (l *natsLog) Debugf(format string, v ...any)  { l.write(format, v) }
func (l *natsLog) Tracef(format string, v ...any)  { l.write(format, v) }

func (l *natsLog) Fatalf(format string, v ...any) {
	l.write(format, v)
	select {
	case l.fatal <- fmt.Sprintf(format, v...):
	default:
	}
}

var _ cluster.Bus = (*Bus)(nil)
