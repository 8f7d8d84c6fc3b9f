package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"parley/internal/chat"
	"parley/internal/format"
	"parley/internal/room"
	"parley/internal/search"
	"parley/internal/server"
	"parley/internal/store"
	"parley/web"
)

type serveCmd struct {
	Listen     string `placeholder:"ADDRESS" help:"Address and port to listen on; port 0 is any free one. Default: :8080, with --domain :443."`
	HTTPListen string `name:"http-listen" placeholder:"ADDRESS" help:"With --domain: where plain HTTP is answered, to prove that the domain is ours and to send browsers to HTTPS. Default: :80."`

	dataFlag
	logFlags

	HTTP  server.Config `embed:""`
	Rooms room.Config   `embed:""`
}

// dataFlag is the flag of the commands that use the data folder.
type dataFlag struct {
	Data string `default:"parley-data" placeholder:"DIR" help:"Folder for all that is kept; made if it is missing. Default: ${default}."`
}

type logFlags struct {
	LogFormat string     `enum:"text,json" default:"text" help:"How log lines look on standard error: ${enum}."`
	LogLevel  slog.Level `default:"info" placeholder:"LEVEL" help:"What is logged: debug, info, warn or error."`
}

func (f logFlags) logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: f.LogLevel}
	if f.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// Run is the one place that knows every part: it builds them from the ground
// up, waits, and stops them in the reverse order, each once nobody needs it.
func (c *serveCmd) Run(ctx context.Context, con *console) (err error) {
	logger := c.logger(con.stderr)
	metrics := server.NewMetrics()
	site, err := web.New()
	if err != nil {
		return err
	}
	var index *search.Index
	log, err := store.Open(ctx, store.Config{
		Dir: c.Data, Logger: logger, Committed: metrics.Committed,
		Touched: func(room chat.RoomName, events int) { index.Touched(room, events) }, // not before log.Run
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	index = search.New(log, log, search.Config{Dir: c.Data, Epoch: log.Epoch(), Logger: logger})

	c.Rooms.NewBatch = server.NewBatch
	c.Rooms.Format, c.Rooms.Erased, c.Rooms.Flushed, c.Rooms.Logger = format.HTML, format.Forget, metrics.Flushed, logger
	hub := room.New(log, log, log.Epoch(), c.Rooms)

	c.HTTP.Find, c.HTTP.Emoji = index.Find, emoji
	c.HTTP.CertStore, c.HTTP.Metrics, c.HTTP.Logger = filepath.Join(c.Data, "certificates"), metrics, logger
	doors, err := server.New(c.HTTP, hub, log, log.Healthy, site)
	if err != nil {
		return err
	}
	ln, plain, err := c.listen(ctx)
	if err == nil {
		err = c.HTTP.MayListen(ln, plain)
	}
	if err != nil {
		return err
	}

	ctx, failed := context.WithCancel(ctx)
	defer failed()
	stopLog := start(ctx, log.Run, failed)
	stopHub := start(ctx, hub.Run, failed)
	stopIndex := start(ctx, index.Run, failed)
	stopReload := start(ctx, c.reload(doors), failed)
	open := c.addresses(ln)
	con.welcome(open)
	logger.LogAttrs(ctx, slog.LevelInfo, "started", slog.String("version", buildVersion()),
		slog.String("addr", ln.Addr().String()), slog.Any("open", append([]string{open.local}, open.others...)))

	err = doors.Serve(ctx, ln, plain) // until a signal comes, or a part fails
	err = errors.Join(err, stopReload(), stopIndex(), stopHub(), stopLog())
	logger.LogAttrs(ctx, slog.LevelInfo, "stopped")
	return err
}

// emoji returns what the page's picker offers.
func emoji() [][]string {
	var all [][]string
	for _, e := range format.Emoji() {
		all = append(all, append([]string{e.Emoji}, e.ShortCodes...))
	}
	return all
}

// start runs a part until stop is called, which waits for it. A part that ends
// by itself has failed: then the others are asked to end too.
func start(ctx context.Context, run func(context.Context) error, failed func()) (stop func() error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() {
		err := run(ctx)
		failed()
		done <- err
	}()
	return func() error {
		cancel()
		return <-done
	}
}

// reload has the certificate's files read again on SIGHUP. Without such files
// the signal keeps its meaning: the terminal has gone.
func (c *serveCmd) reload(doors *server.Server) func(context.Context) error {
	return func(ctx context.Context) error {
		hup := make(chan os.Signal, 1)
		if c.HTTP.TLSCert != "" {
			signal.Notify(hup, syscall.SIGHUP)
			defer signal.Stop(hup)
		}
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-hup:
				doors.ReloadCertificate()
			}
		}
	}
}

// listen opens the sockets: the second, for plain HTTP beside HTTPS, only with
// a domain.
func (c *serveCmd) listen(ctx context.Context) (ln, plain net.Listener, err error) {
	if len(c.HTTP.Domain) == 0 {
		ln, err = listen(ctx, cmp.Or(c.Listen, ":8080"), "--listen")
		return ln, nil, err
	}
	if ln, err = listen(ctx, cmp.Or(c.Listen, ":443"), "--listen"); err != nil {
		return nil, nil, err
	}
	if plain, err = listen(ctx, cmp.Or(c.HTTPListen, ":80"), "--http-listen"); err != nil {
		return nil, nil, errors.Join(err, ln.Close())
	}
	return ln, plain, nil
}

func listen(ctx context.Context, address, flag string) (net.Listener, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use by another program; stop that one, or choose another port with %s", address, flag)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("this user may not listen on %s; choose another port with %s, or let it (docs/operating.md says how)", address, flag)
	case err != nil:
		return nil, fmt.Errorf("%s %s: %w", flag, address, err)
	}
	return ln, nil
}
