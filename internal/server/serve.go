package server

import (
	"bytes"
	"context"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/internal/certs"
	"parley/internal/httpdoor"
)

// answerTimeout is how long clients have to read their last answers.
const answerTimeout = 8 * time.Second

// Drain waits until asked is closed, and then for Config.Drain. Meanwhile the server
// serves everybody as before, but /readyz fails, so that balancers send no new client.
// Drain returns early, without an error, when ctx ends. Stop Serve after it.
func (s *Server) Drain(ctx context.Context, asked <-chan struct{}) error {
	select {
	case <-asked:
	case <-ctx.Done():
		return nil
	}
	s.draining.Store(true)
	if s.cfg.Drain <= 0 {
		return nil
	}
	s.logger.LogAttrs(ctx, slog.LevelInfo, "draining", slog.Duration("took", s.cfg.Drain))
	timer := time.NewTimer(s.cfg.Drain)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil
}

// Serve answers requests that come to ln until ctx ends. plain may be nil. It is
// the socket without TLS beside ln: it redirects browsers to ln and answers
// challenges of certificate authorities.
//
// Then Serve accepts no further connection, answers what it has accepted once that is
// stored, and closes each WebSocket with 1001: all at once or, with Config.Drain, over a
// time. The hub has to run until Serve has returned.
func (s *Server) Serve(ctx context.Context, ln, plain net.Listener) error {
	if err := s.links.Open(); err != nil {
		return err
	}
	main := s.httpServer(s)
	servers := []*http.Server{main}
	g, ctx := errgroup.WithContext(ctx)
	if s.certs == nil {
		g.Go(func() error { return ended(main.Serve(ln)) })
	} else {
		secure := s.links.ListenTLS(ln, s.certs.Config())
		main.TLSConfig = secure.Config() // net/http looks there for HTTP/2 and changes it
		if a, ok := s.certs.(*certs.ACME); ok {
			a.ListensOn(hostAndPorts(ln, plain))
		}
		g.Go(func() error {
			defer secure.Wait()
			return ended(main.Serve(secure))
		})
		g.Go(func() error { return s.certs.Run(ctx) })
	}
	if plain != nil {
		other := s.httpServer(s.certs.Challenges(s.door.KnownHosts(s.toTLS(portOf(ln)))))
		servers = append(servers, other)
		g.Go(func() error { return ended(other.Serve(plain)) })
	}

	running, stopLinks := context.WithCancel(context.WithoutCancel(ctx))
	g.Go(func() error { return s.links.Run(running) })
	g.Go(func() error {
		defer stopLinks()
		<-ctx.Done()
		return s.shutDown(context.WithoutCancel(ctx), servers)
	})
	return g.Wait()
}

// shutDown closes the listening sockets first, so that no client connects while the
// others are closed.
func (s *Server) shutDown(ctx context.Context, servers []*http.Server) error {
	s.stopping.Store(true)
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Drain+answerTimeout)
	defer cancel()
	var g errgroup.Group
	for _, srv := range servers {
		g.Go(func() error {
			if err := srv.Shutdown(ctx); err != nil {
				s.logger.LogAttrs(ctx, slog.LevelWarn, "requests cut off", slog.Any("err", err))
				return srv.Close()
			}
			return nil
		})
	}
	g.Go(func() error { s.links.Close(ctx, s.cfg.Drain); return nil })
	return g.Wait()
}

func (s *Server) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           s.recoverHandler(limitBodyTime(h)),
		ReadHeaderTimeout: s.cfg.HeaderTimeout,
		IdleTimeout:       s.cfg.IdleTimeout,
		WriteTimeout:      writeTimeout,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          log.New(httpErrorWriter{s.logger}, "", 0),
	}
}

// An httpErrorWriter logs the errors of net/http. Most are about scanners and
// broken connections, so their level is Debug. Connections that cannot be accepted,
// for want of file descriptors, need an operator: their level is Warn.
type httpErrorWriter struct{ logger *slog.Logger }

func (l httpErrorWriter) Write(line []byte) (int, error) {
	level := slog.LevelDebug
	if bytes.Contains(line, []byte("Accept error")) {
		level = slog.LevelWarn
	}
	l.logger.LogAttrs(context.Background(), level, "http server", slog.String("err", strings.TrimSpace(string(line))))
	return len(line), nil
}

// ended returns err, but nil for the error that Shutdown causes.
func ended(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// toTLS redirects requests without TLS to the same address with TLS, on a host of
// --domain.
func (s *Server) toTLS(port int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := httpdoor.SplitHost(r.Host)
		if !slices.Contains(s.cfg.Domain, host) {
			host = s.cfg.Domain[0]
		}
		if port != 443 {
			host = net.JoinHostPort(host, strconv.Itoa(port))
		}
		w.Header().Set("Connection", "close")
		there := url.URL{
			Scheme: "https", Host: host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery,
		}
		http.Redirect(w, r, there.String(), http.StatusPermanentRedirect)
	})
}

func hostAndPorts(ln, plain net.Listener) (host string, https, http int) {
	if addr, ok := ln.Addr().(*net.TCPAddr); ok && !addr.IP.IsUnspecified() {
		host = addr.IP.String()
	}
	return host, portOf(ln), portOf(plain)
}

// portOf returns the TCP port of a listening socket; 0 for nil and for sockets that
// are not TCP.
func portOf(ln net.Listener) int {
	if ln == nil {
		return 0
	}
	if addr, ok := ln.Addr().(*net.TCPAddr); ok {
		return addr.Port
	}
	return 0
}
