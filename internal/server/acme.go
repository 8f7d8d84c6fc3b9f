package server

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

// acme gets certificates from an authority and renews them in time.
type acme struct {
	domains []string
	cache   *certmagic.Cache
	magic   *certmagic.Config
	issuer  *certmagic.ACMEIssuer
}

func newACME(cfg Config, logger *slog.Logger) *acme {
	log := zap.New(zapToSlog{logger: logger})
	a := &acme{domains: cfg.Domain}
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.magic, nil },
		Logger:           log,
	})
	a.magic = certmagic.New(a.cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: cfg.CertStore},
		Logger:  log,
	})
	a.issuer = certmagic.NewACMEIssuer(a.magic, certmagic.ACMEIssuer{
		CA:     cmp.Or(cfg.ACMECA, certmagic.LetsEncryptProductionCA),
		Agreed: true,
		Logger: log,
	})
	a.magic.Issuers = []certmagic.Issuer{a.issuer}
	return a
}

func (a *acme) config() *tls.Config { return a.magic.TLSConfig() }

// run has the certificates obtained and renewed. It is started once the
// sockets listen, as the authority comes to ask.
func (a *acme) run(ctx context.Context) error {
	defer a.cache.Stop()
	if err := a.magic.ManageAsync(ctx, a.domains); err != nil {
		return fmt.Errorf("certificates for %v: %w", a.domains, err)
	}
	<-ctx.Done()
	return nil
}

func (a *acme) reload() {}

func (a *acme) challenges(h http.Handler) http.Handler { return a.issuer.HTTPChallengeHandler(h) }

// listensOn tells where we listen already, so that no challenge asks for a
// socket of its own.
func (a *acme) listensOn(host string, https, http int) {
	a.issuer.ListenHost, a.issuer.AltTLSALPNPort, a.issuer.AltHTTPPort = host, https, http
}

// zapToSlog hands certmagic's log entries to our logger: the constant text as
// the message, everything else as attributes.
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
	z.logger.LogAttrs(context.Background(), level(e.Level), "certificates: "+e.Message, slog.GroupAttrs("acme", attrs...))
	return nil
}

func (z zapToSlog) Sync() error { return nil }
