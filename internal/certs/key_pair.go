// Package certs holds the two sources of a TLS certificate: files that somebody else
// renews, and a certificate authority that speaks ACME. It knows nothing of rooms,
// people or routes. Start reading at KeyPair.
package certs

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// watchEvery is how often the files are checked for changes.
const watchEvery = time.Second

// A KeyPair is a certificate and its key in two PEM files, which somebody else renews.
type KeyPair struct {
	certFile, keyFile string
	logger            *slog.Logger
	again             chan struct{} // has room for one: read the files now
	current           atomic.Pointer[tls.Certificate]
	seen              [2]stampOfFile // owned by Run, after NewKeyPair
}

// A stampOfFile tells whether a file has changed.
type stampOfFile struct {
	modified time.Time
	size     int64
}

// NewKeyPair reads a certificate. The error names the files.
func NewKeyPair(certFile, keyFile string, logger *slog.Logger) (*KeyPair, error) {
	k := &KeyPair{certFile: certFile, keyFile: keyFile, logger: logger, again: make(chan struct{}, 1)}
	k.seen = k.look()
	return k, k.load()
}

// CheckPair returns why two files do not hold a certificate and its key.
func CheckPair(certFile, keyFile string) error {
	return (&KeyPair{certFile: certFile, keyFile: keyFile}).load()
}

func (k *KeyPair) load() error {
	cert, err := tls.LoadX509KeyPair(k.certFile, k.keyFile)
	if err != nil {
		return fmt.Errorf("the certificate in %s and %s: %w", k.certFile, k.keyFile, err)
	}
	k.current.Store(&cert)
	return nil
}

// IsFor reports whether the certificate is valid for a host name.
func (k *KeyPair) IsFor(name string) bool {
	leaf := k.current.Load().Leaf
	return leaf != nil && leaf.VerifyHostname(name) == nil
}

// Config returns a TLS configuration that serves the newest certificate.
func (k *KeyPair) Config() *tls.Config {
	return &tls.Config{
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return k.current.Load(), nil },
	}
}

// Run loads the files again when they have changed, until ctx ends. While they do not
// match (one is written before the other) the old certificate stays in use.
func (k *KeyPair) Run(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		asked := false
		select {
		case <-ctx.Done():
			return nil
		case <-k.again:
			asked = true
		case <-tick.C:
		}
		seen := k.look()
		if seen == k.seen && !asked {
			continue
		}
		k.seen = seen
		if err := k.load(); err != nil {
			k.logger.LogAttrs(ctx, slog.LevelWarn, "certificate kept as it was", slog.Any("err", err))
			continue
		}
		k.logger.LogAttrs(ctx, slog.LevelInfo, "certificate read again")
	}
}

// look returns the files' stamps, the zero one for a file that does not exist.
func (k *KeyPair) look() (seen [2]stampOfFile) {
	for i, name := range []string{k.certFile, k.keyFile} {
		if info, err := os.Stat(name); err == nil {
			seen[i] = stampOfFile{info.ModTime(), info.Size()}
		}
	}
	return seen
}

// Reload makes Run read the files now.
func (k *KeyPair) Reload() {
	select {
	case k.again <- struct{}{}:
	default: // Run is going to read them already
	}
}

// Challenges returns h: there is no authority that asks.
func (k *KeyPair) Challenges(h http.Handler) http.Handler { return h }
