package certs

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// An ACME obtains certificates from an authority (RFC 8555) and renews them in time.
type ACME struct {
	domains []string
	cache   *certmagic.Cache
	magic   *certmagic.Config
	issuer  *certmagic.ACMEIssuer
}

// A Storage keeps keys, certificates and the proofs that an authority asks for. Servers
// with the same Storage serve the same certificates, and any of them can give the
// proofs.
type Storage = certmagic.Storage

// InFolder returns a Storage in files.
func InFolder(path string) Storage { return &certmagic.FileStorage{Path: path} }

// NewACME returns an ACME for domains. It asks authority, the URL of an ACME directory
// ("" is Let's Encrypt), and keeps keys and certificates in store. It does nothing until
// Run.
func NewACME(domains []string, authority string, store Storage, logger *slog.Logger) *ACME {
	log := zap.New(zapToSlog{logger: logger})
	a := &ACME{domains: domains}
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.magic, nil },
		Logger:           log,
	})
	a.magic = certmagic.New(a.cache, certmagic.Config{
		Storage: store,
		Logger:  log,
	})
	a.issuer = certmagic.NewACMEIssuer(a.magic, certmagic.ACMEIssuer{
		CA:     cmp.Or(authority, certmagic.LetsEncryptProductionCA),
		Agreed: true,
		Logger: log,
	})
	a.magic.Issuers = []certmagic.Issuer{a.issuer}
	return a
}

// Config returns a TLS configuration that serves the certificates.
func (a *ACME) Config() *tls.Config { return a.magic.TLSConfig() }

// Run obtains and renews the certificates until ctx ends. Start it once the sockets
// listen, because the authority connects to them.
func (a *ACME) Run(ctx context.Context) error {
	defer a.cache.Stop()
	if err := a.magic.ManageAsync(ctx, a.domains); err != nil {
		return fmt.Errorf("certificates for %v: %w", a.domains, err)
	}
	<-ctx.Done()
	return nil
}

// Reload does nothing: Run notices by itself when a certificate has to be renewed.
func (a *ACME) Reload() {}

// Challenges answers the HTTP challenges of the authority, and passes all else to h.
func (a *ACME) Challenges(h http.Handler) http.Handler { return a.issuer.HTTPChallengeHandler(h) }

// ListensOn says where the server listens already, so that no challenge opens a socket
// of its own. Call it before Run.
func (a *ACME) ListensOn(host string, https, http int) {
	a.issuer.ListenHost, a.issuer.AltTLSALPNPort, a.issuer.AltHTTPPort = host, https, http
}

// zapToSlog passes certmagic's log entries to a slog.Logger: the constant text as the
// message, all else as attributes.
type zapToSlog struct {
	logger *slog.Logger
	fields []zapcore.Field
}

func level(l zapcore.Level) slog.Level {
	switch {
	case l < zapcore.InfoLevel:
		return slog.LevelDebug
	case l < zapcore.WarnLevel:
		return slog.LevelInfo
	case l < zapcore.ErrorLevel:
		return slog.LevelWarn
	}
	return slog.LevelError
}

func (z zapToSlog) Enabled(l zapcore.Level) bool {
	return z.logger.Enabled(context.Background(), level(l))
}

func (z zapToSlog) With(fields []zapcore.Field) zapcore.Core {
	return zapToSlog{z.logger, append(z.fields[:len(z.fields):len(z.fields)], fields...)}
}

func (z zapToSlog) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if z.Enabled(e.Level) {
		return c.AddCore(e, z)
	}
	return c
}

func (z zapToSlog) Write(e zapcore.Entry, fields []zapcore.Field) error {
	m := zapcore.NewMapObjectEncoder()
	for _, f := range append(z.fields[:len(z.fields):len(z.fields)], fields...) {
		f.AddTo(m)
	}
	attrs := make([]slog.Attr, 0, len(m.Fields))
	for name, value := range m.Fields {
		attrs = append(attrs, slog.Any(name, value))
	}
	z.logger.LogAttrs(context.Background(), level(e.Level), "certificates: "+e.Message,
		slog.GroupAttrs("acme", attrs...))
	return nil
}

func (z zapToSlog) Sync() error { return nil }
