package natsbus_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"parley/internal/cluster/natsbus"
)

// An authority signs certificates for nodes on this machine.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.cert, a.key = a.sign(t, "ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true})
	return a
}

// sign writes a certificate and its key to name.pem and name.key. The authority's own is signed by itself.
func (a *authority) sign(t *testing.T, name string, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: name}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		a.file(name + ".pem"): {Type: "CERTIFICATE", Bytes: der},
		a.file(name + ".key"): {Type: "PRIVATE KEY", Bytes: pkcs8},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// node starts a bus with a certificate of the authority.
func (a *authority) node(t *testing.T, log io.Writer, name string, peers ...string) *natsbus.Bus {
	t.Helper()
	a.sign(t, name, &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	cfg, err := natsbus.FromFiles(a.file(name+".pem"), a.file(name+".key"), a.file("ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := natsbus.Listen(natsbus.ListenConfig{
		Address: "127.0.0.1:0", Peers: peers, TLS: cfg,
		Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, b)
	return b
}

func TestNodesWithCertificatesOfOneAuthorityHearEachOther(t *testing.T) {
	ours, theirs, log := newAuthority(t), newAuthority(t), &lockedBuffer{}
	a := ours.node(t, io.Discard, "a")
	b := ours.node(t, io.Discard, "b", a.Address())
	x := theirs.node(t, log, "x", a.Address())
	for _, bus := range []*natsbus.Bus{b, x} {
		bus.Subscribe("n")
	}
	join(t, a, b, "n")
	log.await(t, "TLS route handshake error")
	a.Publish("n", []byte("confidential"))
	if m := next(t, b); string(m.Payload) != "confidential" {
		t.Errorf("b got %v", m)
	}
	select {
	case m := <-x.Messages():
		t.Errorf("a node with a certificate of another authority got %v", m)
	default:
	}
}

func TestUnusableCertificatesAreRefusedAtTheStart(t *testing.T) {
	a := newAuthority(t)
	a.sign(t, "a", &x509.Certificate{})
	a.sign(t, "b", &x509.Certificate{})
	for _, tt := range []struct{ cert, key, ca, want string }{
		{"a.pem", "b.key", "ca.pem", "private key does not match"},
		{"a.pem", "a.key", "a.key", "has no certificate"},
		{"none", "a.key", "ca.pem", "no such file"},
		{"a.pem", "a.key", "none", "no such file"},
	} {
		_, err := natsbus.FromFiles(a.file(tt.cert), a.file(tt.key), a.file(tt.ca))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v", tt, err)
		}
	}
}

func TestServerOfSomebodyElseMayDemandACertificate(t *testing.T) {
	a := newAuthority(t)
	a.sign(t, "server", &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	a.sign(t, "node", &x509.Certificate{})
	trust, err := natsbus.FromFiles(a.file("server.pem"), a.file("server.key"), a.file("ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, TLS: true, TLSVerify: true, TLSConfig: trust,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	defer s.Shutdown()
	dial := func(cert, key, ca string) *natsbus.Bus {
		cfg, err := natsbus.FromFiles(cert, key, ca)
		if err != nil {
			t.Fatal(err)
		}
		b, err := natsbus.Dial(natsbus.DialConfig{
			URL: "tls://" + s.Addr().String(), TLS: cfg,
		})
		if err != nil {
			t.Fatal(err)
		}
		closeAtEnd(t, b)
		return b
	}
	node := dial(a.file("node.pem"), a.file("node.key"), a.file("ca.pem"))
	other := dial(a.file("node.pem"), a.file("node.key"), a.file("ca.pem"))
	nobody, distrusts := dial("", "", a.file("ca.pem")), dial("", "", "")
	other.Subscribe("n")
	join(t, node, other, "n")
	if nobody.IsConnected() || distrusts.IsConnected() {
		t.Error("connected without a certificate, or to a server that shows one of an unknown authority")
	}
}
