// Package server puts the HTTP doors together: the page, WebSockets, the five-line
// protocol, server-sent events, and REST (package rest). It serves them, with or
// without TLS, until it is stopped. Start reading at New.
//
// A door finds out who asks, and translates between bytes and values. It knows no
// rule of a room (package room), of people (package account), and no SQL.
package server

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"parley/internal/account"
	"parley/internal/certs"
	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/link"
	"parley/internal/rates"
	"parley/internal/rest"
	"parley/internal/room"
	"parley/web"
)

// Config says how the doors behave. Tagged fields are flags of the command line,
// and the tags have their defaults. A limit of 0 means no limit.
type Config struct {
	AllowOrigin  []string       `placeholder:"ORIGIN" help:"Origins whose pages may talk to this server besides its own, such as https://chat.example.org or https://*.example.org."`
	AllowHost    []string       `placeholder:"NAME" help:"Names by which this server may be asked for, besides addresses, localhost, names without a dot or below .local, --domain and those of --allow-origin, such as chat.example.org."`
	TrustedProxy []netip.Prefix `placeholder:"ADDRESS" help:"Addresses or networks of proxies whose Host, X-Forwarded-For and X-Forwarded-Proto are believed, such as 127.0.0.1 or 172.17.0.0/16."`

	TLSCert string   `name:"tls-cert" placeholder:"FILE" help:"PEM file with the certificate chain; with --tls-key serves HTTPS. Read again when it changes and on SIGHUP."`
	TLSKey  string   `name:"tls-key" placeholder:"FILE" help:"PEM file with the certificate's private key."`
	Domain  []string `placeholder:"NAME" help:"Serve HTTPS for this name with a certificate obtained and renewed by itself (ACME)."`
	ACMECA  string   `name:"acme-ca" placeholder:"URL" help:"With --domain: ACME directory to ask for certificates instead of Let's Encrypt."`

	HSTS time.Duration `name:"hsts" default:"24h" help:"With --domain or --tls-cert: how long browsers that have been here remember to come by HTTPS only; 0 for not at all."`

	MetricsListen string `placeholder:"ADDRESS" help:"Address and port for /metrics alone, which the other addresses then do not have. Default: it is at every address."`

	ConnectionsPerAddress int           `default:"256" help:"Connections (WebSockets and event streams) from one address at most; 0 for no limit."`
	GuestRate             float64       `default:"60" help:"New guests per minute from one address, who may also all come at once; 0 for no limit."`
	SearchRate            float64       `default:"20" help:"Searches per second from one address in the long run, and ten times as many at once; 0 for no limit."`
	RoomRate              float64       `default:"300" help:"Rooms per minute that somebody at one address may look at for the first time, who may also all come at once; 0 for no limit. Rooms of one's own list are always open."`
	RoomsPerConnection    int           `default:"100" help:"Rooms that one connection may be in; 0 for no limit."`
	FrameSize             int           `default:"65536" help:"Bytes of a WebSocket message or request body at most; 0 for no limit."`
	HeaderTimeout         time.Duration `default:"10s" help:"How long a client may take to send a request's header; 0 for no limit."`
	IdleTimeout           time.Duration `default:"90s" help:"A connection from which nothing came for so long is ended; 0 for never."`

	Drain time.Duration `placeholder:"DURATION" help:"Behind a balancer: how long a server that is asked to stop goes on and answers /readyz with 503, so that new clients go elsewhere. For at most the same time again it spreads the ends of its connections. Default: not at all; with --cluster-listen or --bus 10s."`

	DebugEcho bool `help:"For tests: answer each WebSocket message to /debug/echo with itself, as conformance suites expect. Only where no other machine can connect."`

	Ready         func(context.Context) error                            `kong:"-"` // returns an error if another server would serve clients better; default: none does
	Find          func(context.Context, chat.Search) (chat.Found, error) `kong:"-"` // the search; default: there is none
	Emoji         func() [][]string                                      `kong:"-"` // what a picker offers: each emoji, followed by its short-codes; default: none
	PersonalRate  float64                                                `kong:"-"` // as in account.Config
	PersonalBurst int                                                    `kong:"-"` // as in account.Config

	CertStore   certs.Storage   `kong:"-"` // for the certificates of Domain
	OwnNames    []string        `kong:"-"` // what the machine is called
	NetworkURLs func() []string `kong:"-"` // where other machines reach this server, the likeliest first; default: it is not known
	LinesLost   func() uint64   `kong:"-"` // how many lines of the log were lost; default: none
	Metrics     *Metrics        `kong:"-"` // default: metrics of its own
	Ledger      *rates.Ledger   `kong:"-"` // tells other nodes what is counted; nil: none
	Logger      *slog.Logger    `kong:"-"` // default: discard
}

// A Server answers HTTP requests.
type Server struct {
	cfg      Config
	hub      *room.Hub
	accounts *account.Accounts
	site     *web.Site
	logger   *slog.Logger

	metrics   *Metrics
	door      *httpdoor.Door
	rest      *rest.API
	addresses addresses
	certs     certificates // nil without TLS
	links     *link.Links
	handler   http.Handler
	draining  atomic.Bool // new clients should go elsewhere; set by Drain
	stopping  atomic.Bool // no new connection is accepted; set by Serve
}

// New returns a Server for the rooms of hub and the people of stores. health returns
// an error while messages cannot be stored. Until Serve is called, only ServeHTTP
// works.
func New(
	cfg Config, hub *room.Hub, stores account.Stores, health func(context.Context) error, site *web.Site,
) (*Server, error) {
	s := &Server{
		cfg:    cfg,
		hub:    hub,
		site:   site,
		logger: cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)),
	}
	s.accounts = account.New(account.Config{
		GuestRate: cfg.GuestRate, PersonalRate: cfg.PersonalRate, PersonalBurst: cfg.PersonalBurst,
		Ledger: cfg.Ledger, Logger: s.logger,
	}, stores, hub)
	doorConfig := cfg.door()
	doorConfig.Certified, doorConfig.Counted, doorConfig.Logger = s.certified, s.counted, s.logger
	doorConfig.Ledger = cfg.Ledger
	var err error
	if s.door, err = httpdoor.New(doorConfig, hub, s.accounts); err != nil {
		return nil, err
	}
	if s.certs, err = newCertificates(cfg, s.logger); err != nil {
		return nil, err
	}
	if s.metrics = cfg.Metrics; s.metrics == nil {
		s.metrics = NewMetrics()
	}
	s.metrics.observe(s)
	s.addresses.limit = cfg.ConnectionsPerAddress
	s.rest = rest.New(rest.Config{
		FrameSize:      cfg.FrameSize,
		SearchRate:     cfg.SearchRate,
		WithoutMetrics: cfg.MetricsListen != "",
		Find:           cfg.Find,
		Emoji:          cfg.Emoji,
		Health:         health,
		Ready:          s.ready(health),
		NetworkURLs:    cfg.NetworkURLs,
		Ledger:         cfg.Ledger,
	}, s.door, hub, s.accounts)
	s.links = link.New(link.Config{
		FrameSize:        cfg.FrameSize,
		IdleTimeout:      cfg.IdleTimeout,
		HandshakeTimeout: cfg.HeaderTimeout,
		Ended:            func(from netip.Addr) { s.addresses.leave(httpdoor.Network(from)) },
		Counted:          s.counted,
		Logger:           s.logger,
	})
	s.handler = s.routes()
	return s, nil
}

// ready returns the check of /readyz: health and Config.Ready. It also fails once the server drains or stops.
func (s *Server) ready(health func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		if s.draining.Load() || s.stopping.Load() {
			return errStopping()
		}
		if err := health(ctx); err != nil || s.cfg.Ready == nil {
			return err
		}
		return s.cfg.Ready(ctx)
	}
}

// Accounts returns the people of the server.
func (s *Server) Accounts() *account.Accounts { return s.accounts }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }
