package bench

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// tlsFiles are needed for measurements with TLS: a certificate for the servers, and the clients'
// settings. A nil one means that nothing is encrypted.
type tlsFiles struct {
	dir       string
	cert, key string // PEM files in dir
	config    *tls.Config
}

// newTLSFiles makes a certificate for an ECDSA key on P-256, as certificate authorities issue them
// today. Clients do not verify it, because servers are measured and not clients, and they keep no
// tickets, so that each handshake is a full one.
func newTLSFiles() (*tlsFiles, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	s := &tlsFiles{config: &tls.Config{
		InsecureSkipVerify: true, ServerName: "localhost", SessionTicketsDisabled: true,
		DynamicRecordSizingDisabled: true,
	}}
	if s.dir, err = os.MkdirTemp("", "parley-bench-tls-"); err != nil {
		return nil, err
	}
	s.cert, s.key = filepath.Join(s.dir, "cert.pem"), filepath.Join(s.dir, "key.pem")
	err = errors.Join(
		os.WriteFile(s.cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600),
		os.WriteFile(s.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600),
	)
	if err != nil {
		s.remove()
		return nil, err
	}
	return s, nil
}

func (s *tlsFiles) remove() {
	if s != nil {
		os.RemoveAll(s.dir)
	}
}

// scheme returns http or https, or for "ws" ws or wss.
func (s *tlsFiles) scheme(plain string) string {
	if s == nil {
		return plain
	}
	return plain + "s"
}

// client returns an HTTP client for the server.
func (s *tlsFiles) client() *http.Client {
	if s == nil {
		return http.DefaultClient
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: s.config.Clone(), DisableKeepAlives: true}}
}

// Handshakes is clients that connect, do a TLS handshake, and disconnect.
type Handshakes struct {
	AtOnce    int      `default:"32" help:"Clients at once. Default: ${default}."`
	Exchanges []string `default:"X25519MLKEM768,X25519" help:"Key exchanges that clients offer, each measured by itself: X25519MLKEM768, X25519, CurveP256. Default: ${default}."`
}

var (
	handshakesPerCPU = Column{Key: "handshakes_per_cpu_second", Title: "handshakes/CPU-s", Unit: count}
	cpuPerHandshake  = Column{Key: "cpu_per_handshake", Title: "CPU/handshake", Unit: seconds, Less: true}
	handshakes       = Column{Key: "handshakes_per_second", Title: "handshakes/s", Unit: count}
)

var exchanges = []tls.CurveID{tls.X25519MLKEM768, tls.X25519, tls.CurveP256}

func (h *Handshakes) cases() (cases []Case) {
	for _, name := range h.Exchanges {
		cases = append(cases, Case{
			Scenario: "handshakes", Size: h.AtOnce,
			Setting: fmt.Sprintf(
				"%d clients at once come, shake hands with %s and an ECDSA key on P-256, and go; no tickets", h.AtOnce,
				name),
			Columns:     []Column{handshakesPerCPU, cpuPerHandshake, handshakes, p50, p99, rss},
			connections: h.AtOnce, needsTLS: true,
			measure: func(ctx context.Context, s *testbed) (Values, error) { return h.measure(ctx, s, name) },
		})
	}
	return cases
}

func (h *Handshakes) measure(ctx context.Context, s *testbed, exchange string) (Values, error) {
	i := slices.IndexFunc(exchanges, func(id tls.CurveID) bool { return id.String() == exchange })
	if i < 0 {
		return nil, fmt.Errorf("no key exchange is called %q: there are %v", exchange, exchanges)
	}
	config := s.cfg.tlsFiles.config.Clone()
	config.CurvePreferences = exchanges[i : i+1]
	var came atomic.Int64
	visit := func(ctx context.Context) (time.Duration, error) {
		d := net.Dialer{LocalAddr: s.source(int(came.Add(1)) % (100 * perAddress))}
		began := time.Now()
		nc, err := d.DialContext(ctx, "tcp", s.address)
		if err != nil {
			return 0, err
		}
		defer nc.Close()
		t := tls.Client(nc, config)
		if err := t.HandshakeContext(ctx); err != nil {
			return 0, err
		}
		if state := t.ConnectionState(); state.DidResume || state.Version != tls.VersionTLS13 {
			return 0, fmt.Errorf("a handshake of %s, resumed: %v", tls.VersionName(state.Version), state.DidResume)
		}
		took := time.Since(began)
		return took, t.Close()
	}
	if _, err := visit(ctx); err != nil {
		return nil, err
	}
	m := s.meter()
	took, err := h.visits(ctx, s.cfg.For, visit)
	if err != nil {
		return nil, err
	}
	u := m.read()
	slices.Sort(took)
	v := Values{
		handshakes.Key: float64(len(took)) / u.wall.Seconds(),
		p50.Key:        quantile(took, .5), p99.Key: quantile(took, .99),
	}
	if u.known && u.cpu > 0 {
		v[handshakesPerCPU.Key] = float64(len(took)) / u.cpu.Seconds()
		v[cpuPerHandshake.Key] = u.cpu.Seconds() / float64(len(took))
	}
	if mem, ok := s.memory(); ok {
		v[rss.Key] = mem.rss
	}
	return v, nil
}

// visits lets clients connect for d, and returns how long each handshake took.
func (h *Handshakes) visits(ctx context.Context, d time.Duration,
	visit func(context.Context) (time.Duration, error),
) (all []time.Duration, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	began := time.Now()
	for range h.AtOnce {
		wg.Go(func() {
			var own []time.Duration
			var failed error
			for failed == nil && ctx.Err() == nil && (len(own) == 0 || time.Since(began) < d) {
				took, e := visit(ctx)
				if failed = e; e == nil {
					own = append(own, took)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, own...)
			if failed != nil {
				err = cmp.Or(err, failed)
				cancel()
			}
		})
	}
	wg.Wait()
	return all, err
}
