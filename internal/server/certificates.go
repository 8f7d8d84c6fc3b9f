package server

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"

	"parley/internal/certs"
)

// certificates are where TLS gets its certificate from: files or a certificate
// authority.
type certificates interface {
	// Config returns the TLS configuration that serves them.
	Config() *tls.Config
	// Run keeps the certificates fresh until ctx ends.
	Run(ctx context.Context) error
	// Reload reads files again now.
	Reload()
	// Challenges answers a certificate authority's HTTP challenges, and passes all else to h.
	Challenges(h http.Handler) http.Handler
}

// newCertificates returns the source of certificates that cfg asks for, nil without TLS.
func newCertificates(cfg Config, logger *slog.Logger) (certificates, error) {
	if err := cfg.checkTLS(); err != nil {
		return nil, err
	}
	switch {
	case len(cfg.Domain) > 0:
		return certs.NewACME(cfg.Domain, cfg.ACMECA, cfg.CertStore, logger), nil
	case cfg.TLSCert != "":
		return certs.NewKeyPair(cfg.TLSCert, cfg.TLSKey, logger)
	}
	return nil, nil
}

// ReloadCertificate reads the certificate's files again.
func (s *Server) ReloadCertificate() {
	if s.certs != nil {
		s.certs.Reload()
	}
}

// certified reports whether the certificate in --tls-cert is valid for name. A browser does not
// connect under a name for which the certificate is not valid.
func (s *Server) certified(name string) bool {
	k, ok := s.certs.(*certs.KeyPair)
	return ok && k.IsFor(name)
}
