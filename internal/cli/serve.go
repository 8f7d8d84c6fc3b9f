package cli

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
	"time"

	"parley/internal/account"
	"parley/internal/certs"
	"parley/internal/chat"
	"parley/internal/format"
	"parley/internal/link"
	"parley/internal/room"
	"parley/internal/search"
	"parley/internal/server"
	"parley/internal/store/sqlite"
	"parley/web"
)

type serveCmd struct {
	Listen     string `placeholder:"ADDRESS" help:"Address and port to listen on; port 0 is any free one. Default: :8080, with --domain :443."`
	HTTPListen string `name:"http-listen" placeholder:"ADDRESS" help:"With --domain: where plain HTTP is answered, to prove that the domain is ours and to send browsers to HTTPS. Default: :80."`

	dataFlag
	databaseFlags
	clusterFlags
	UpgradeWithoutCopy bool `help:"Bring an older database up to date without a copy of it as it was, and so without a way back; for a disk that has no room for a copy."`
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

// tellLost writes a line about lost log lines.
func (f logFlags) tellLost(w io.Writer, lines uint64) {
	f.logger(w).Warn("log lines lost", slog.Uint64("lines", lines))
}

// Run is the one place that knows every part. It builds the parts from the ground up, waits, and
// stops them in the reverse order, each when nothing uses it any more.
func (c *serveCmd) Run(ctx context.Context, con *console) (err error) {
	defer ignoreSIGPIPE()() // otherwise a log line that nobody reads would end the server
	stdout, stderr := newLossyWriter(con.stdout, nil), newLossyWriter(con.stderr, c.tellLost)
	defer stdout.close()
	defer stderr.close()
	logger := c.logger(stderr)
	metrics := server.NewMetrics()
	log, err := c.openDatabase(ctx, metrics, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	node, err := c.openNode(ctx, log, metrics, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, node.close()) }()
	index := search.New(log, search.Config{Dir: c.Data, Epoch: log.Epoch(), Logger: logger})

	c.Rooms.NewBatch = link.NewBatch
	c.Rooms.Format = func(text string, left *room.Budget) string { return format.HTML(text, (*format.Budget)(left)) }
	c.Rooms.Followers = append(node.followers(), index.EventStored, forgetDeleted)
	c.Rooms.Flushed, c.Rooms.Ledger, c.Rooms.Logger = metrics.Flushed, node.ledger(), logger
	hub := room.New(log, log, log.Epoch(), c.Rooms)
	node.connectRooms(hub, index)

	c.HTTP.Find, c.HTTP.Emoji, c.HTTP.Drain = index.Find, emoji, c.drain()
	metrics.Searches(index.Lag)
	c.HTTP.CertStore, c.HTTP.Metrics, c.HTTP.Logger = c.certificates(log), metrics, logger
	c.HTTP.OwnNames, c.HTTP.LinesLost, c.HTTP.Ledger = ownNames(), stderr.lostLines, node.ledger()
	people := account.Stores{People: log, Lists: log, Personal: log, States: log}
	c.HTTP.Ready = node.ready
	var ln, plain, own net.Listener
	c.HTTP.NetworkURLs = func() []string { return c.addresses(ln).forOthers() } // anew, as a laptop changes networks
	site := web.New()
	doors, err := server.New(c.HTTP, hub, people, log.Healthy, site)
	if err != nil {
		return err
	}
	node.connectPeople(doors)
	ln, plain, own, err = c.listen(ctx)
	if err != nil {
		return err
	}

	asked := ctx.Done() // closed by a signal
	ctx, failed := context.WithCancel(context.WithoutCancel(ctx))
	defer failed()
	stopDrain := start(ctx, func(ctx context.Context) error { return doors.Drain(ctx, asked) }, failed)
	stopNode := start(ctx, node.run, failed) // first, so that it tells the others what the log stores at last
	stopLog := start(ctx, log.Run, failed)
	stopEpoch := start(ctx, sameEpoch(log.Epoch), failed)
	stopHub := start(ctx, hub.Run, failed)
	stopIndex := start(ctx, index.Run, failed)
	stopReload := start(ctx, c.reload(doors), failed)
	stopPage := start(ctx, site.Run, failed)
	stopSocket := start(ctx, c.serveBackups(log, logger), failed)
	stopHeap := start(ctx, newHeap().Run, failed)
	stopMetrics := start(ctx, func(ctx context.Context) error { return serveMetrics(ctx, doors, own) }, failed)
	open := c.addresses(ln)
	welcome(stdout, stderr, isTerminal(con.stderr), open)
	logStarted(ctx, logger, ln, own, open)

	err = doors.Serve(ctx, ln, plain) // until the server has drained, or a part fails
	err = errors.Join(err, stopMetrics(), stopHeap(), stopSocket(), stopPage(), stopReload(),
		stopIndex(), stopHub(), stopEpoch(), stopLog(), stopNode(), stopDrain())
	logger.LogAttrs(ctx, slog.LevelInfo, "stopped")
	return err
}

// A database keeps rooms, people and sessions: a SQLite file, or PostgreSQL.
type database interface {
	room.Log
	room.Archive
	search.Source
	account.People
	account.RoomLists
	account.Personal
	account.PersonStates

	Epoch() string                     // of the log
	Healthy(ctx context.Context) error // whether it can write
	Run(ctx context.Context) error     // commits what is queued, until ctx ends
	Close() error
}

// openDatabase opens the database that the flags name.
func (c *serveCmd) openDatabase(ctx context.Context, metrics *server.Metrics, logger *slog.Logger) (database, error) {
	if c.Database != "" {
		return openPostgres(ctx, c.databaseFlags, c.clusterFlags, c.Data, metrics, logger)
	}
	return sqlite.Open(ctx, sqlite.Config{
		Dir: c.Data, Logger: logger, Committed: metrics.Committed,
		Version: buildVersion(), UpgradeWithoutCopy: c.UpgradeWithoutCopy,
	})
}

// certificates returns where the certificates of --domain are kept: in PostgreSQL, where all servers find them, or in
// the data folder.
func (c *serveCmd) certificates(log database) certs.Storage {
	if s, ok := log.(*postgresStore); ok {
		return s.Certificates()
	}
	return certs.InFolder(filepath.Join(c.Data, "certificates"))
}

// serveBackups returns the part that lets other processes back up a SQLite file. PostgreSQL has its own ways.
func (c *serveCmd) serveBackups(log database, logger *slog.Logger) func(context.Context) error {
	if file, ok := log.(*sqlite.Store); ok {
		return newSocket(c.Data, file, logger).Run
	}
	return func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	}
}

// logStarted logs where the server listens. metrics is nil if /metrics has no socket of its own.
func logStarted(ctx context.Context, logger *slog.Logger, ln, metrics net.Listener, open addresses) {
	started := []slog.Attr{
		slog.String("version", buildVersion()), slog.String("addr", ln.Addr().String()),
		slog.Any("open", append([]string{open.local}, open.others...)),
	}
	if metrics != nil {
		started = append(started, slog.String("metrics", metrics.Addr().String()))
	}
	logger.LogAttrs(ctx, slog.LevelInfo, "started", started...)
}

// forgetDeleted is the room.Follower that drops deleted texts from the cache of rendered messages.
func forgetDeleted(c chat.Commit) {
	if len(c.DeletedTexts) > 0 {
		format.Forget(c.DeletedTexts...)
	}
}

// emoji returns the emoji of the page's picker.
func emoji() [][]string {
	var all [][]string
	for _, e := range format.Emoji() {
		all = append(all, append([]string{e.Emoji}, e.ShortCodes...))
	}
	return all
}

// start runs a part until stop is called; stop waits for it. When a part ends by itself, failed asks
// the other parts to end.
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

// reload reads the certificate's files again on SIGHUP. Without such files the signal keeps its
// default effect: the terminal was closed.
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

// drain returns how long the server drains before it stops.
func (c *serveCmd) drain() time.Duration {
	if c.isNode() {
		return cmp.Or(c.HTTP.Drain, nodeDrain)
	}
	return c.HTTP.Drain
}

// listenAddress returns the address for pages and everything else.
func (c *serveCmd) listenAddress() string {
	if len(c.HTTP.Domain) > 0 {
		return cmp.Or(c.Listen, ":443")
	}
	return cmp.Or(c.Listen, ":8080")
}

// httpListenAddress returns the address for plain HTTP beside HTTPS.
func (c *serveCmd) httpListenAddress() string { return cmp.Or(c.HTTPListen, ":80") }

// listen opens the sockets. plain, for HTTP beside HTTPS, exists only with a domain; metrics only
// with its own address.
func (c *serveCmd) listen(ctx context.Context) (ln, plain, metrics net.Listener, err error) {
	var open []net.Listener
	try := func(address, flag string) (ln net.Listener) {
		if err == nil {
			ln, err = listen(ctx, address, flag)
		}
		if err == nil {
			open = append(open, ln)
		}
		return ln
	}
	ln = try(c.listenAddress(), "--listen")
	if len(c.HTTP.Domain) > 0 {
		plain = try(c.httpListenAddress(), "--http-listen")
	}
	if c.HTTP.MetricsListen != "" {
		metrics = try(c.HTTP.MetricsListen, "--metrics-listen")
	}
	if err != nil {
		for _, ln := range open {
			err = errors.Join(err, ln.Close())
		}
		return nil, nil, nil, err
	}
	return ln, plain, metrics, nil
}

// serveMetrics serves /metrics on its own socket, if there is one, until ctx ends.
func serveMetrics(ctx context.Context, doors *server.Server, ln net.Listener) error {
	if ln == nil {
		<-ctx.Done()
		return nil
	}
	return doors.ServeMetrics(ctx, ln)
}

func listen(ctx context.Context, address, flag string) (net.Listener, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf(
			"%s is in use by another program; stop that one, or choose another port with %s", address, flag)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf(
			"this user may not listen on %s; choose another port with %s, or let it (docs/operating.md says how)",
			address, flag)
	case err != nil:
		return nil, fmt.Errorf("%s %s: %w", flag, address, err)
	}
	return ln, nil
}
