package server

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
)

// certificates are where TLS gets its certificate from: files or a certificate
// authority.
type certificates interface {
	// config returns what TLS needs to know.
	config() *tls.Config
	// run keeps the certificates fresh until ctx ends.
	run(ctx context.Context) error
	// reload reads again what may have changed.
	reload()
	// challenges lets a certificate authority look for its proofs before h.
	challenges(h http.Handler) http.Handler
}

// newCertificates returns what cfg asks for, nil if that is no TLS.
func newCertificates(cfg Config, logger *slog.Logger) (certificates, error) {
	if err := cfg.checkTLS(); err != nil {
		return nil, err
	}
	switch {
	case len(cfg.Domain) > 0:
		return newACME(cfg, logger), nil
	case cfg.TLSCert != "":
		return newKeyPair(cfg.TLSCert, cfg.TLSKey, logger)
	}
	return nil, nil
}

// ReloadCertificate reads the certificate's files again.
func (s *Server) ReloadCertificate() {
	if s.certs != nil {
		s.certs.reload()
	}
}
