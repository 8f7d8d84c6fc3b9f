package server

import (
	"context"
	"crypto/tls"
	"errors"
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
	switch {
	case len(cfg.Domain) > 0 && cfg.TLSCert+cfg.TLSKey != "":
		return nil, errors.New("--domain gets a certificate by itself; it does not go with --tls-cert and --tls-key")
	case len(cfg.Domain) > 0:
		return newACME(cfg, logger), nil
	case cfg.TLSCert != "" && cfg.TLSKey != "":
		return newKeyPair(cfg.TLSCert, cfg.TLSKey, logger)
	case cfg.TLSCert+cfg.TLSKey != "":
		return nil, errors.New("--tls-cert and --tls-key go together")
	}
	return nil, nil
}

// ReloadCertificate reads the certificate's files again.
func (s *Server) ReloadCertificate() {
	if s.certs != nil {
		s.certs.reload()
	}
}
