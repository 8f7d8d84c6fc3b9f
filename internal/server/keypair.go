package server

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

// watchEvery is how often the certificate's files are looked at.
const watchEvery = time.Second

// A keyPair is a certificate in two files, which somebody else renews.
type keyPair struct {
	certFile, keyFile string
	logger            *slog.Logger
	again             chan struct{} // has room for one: read the files now
	current           atomic.Pointer[tls.Certificate]
	seen              [2]stampOfFile // owned by run, after newKeyPair
}

// A stampOfFile tells whether a file has changed.
type stampOfFile struct {
	modified time.Time
	size     int64
}

func newKeyPair(certFile, keyFile string, logger *slog.Logger) (*keyPair, error) {
	k := &keyPair{certFile: certFile, keyFile: keyFile, logger: logger, again: make(chan struct{}, 1)}
	k.seen = k.look()
	return k, k.load()
}

func (k *keyPair) load() error {
	cert, err := tls.LoadX509KeyPair(k.certFile, k.keyFile)
	if err != nil {
		return fmt.Errorf("the certificate in %s and %s: %w", k.certFile, k.keyFile, err)
	}
	k.current.Store(&cert)
	return nil
}

// isFor reports whether the certificate is for a host's name.
func (k *keyPair) isFor(name string) bool {
	leaf := k.current.Load().Leaf
	return leaf != nil && leaf.VerifyHostname(name) == nil
}

func (k *keyPair) config() *tls.Config {
	return &tls.Config{
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return k.current.Load(), nil },
	}
}

// run loads the files again when they have changed. While they do not fit
// together (one is written before the other) the old certificate stays.
func (k *keyPair) run(ctx context.Context) error {
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

// look returns the files' stamps; the zero one for a file that is not there.
func (k *keyPair) look() (seen [2]stampOfFile) {
	for i, name := range []string{k.certFile, k.keyFile} {
		if info, err := os.Stat(name); err == nil {
			seen[i] = stampOfFile{info.ModTime(), info.Size()}
		}
	}
	return seen
}

func (k *keyPair) reload() {
	select {
	case k.again <- struct{}{}:
	default: // it is about to happen anyway
	}
}

func (k *keyPair) challenges(h http.Handler) http.Handler { return h }
