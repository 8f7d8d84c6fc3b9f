package durability

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/letsencrypt/challtestsrv"
)

// The authority is Pebble, with which Let's Encrypt tests its clients. It resolves every name to
// this machine, and requests the proofs at the program's own ports.
func TestDomainObtainsItsCertificate(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs a certificate authority")
	}
	const domain = "chat.example.org"
	dir := t.TempDir()
	ports := freePorts(t, 5)
	https, plain := ports[0], ports[1]
	authority := startPebble(t, dir, https, plain, ports[2], ports[3], ports[4])

	data := filepath.Join(dir, "data")
	parley := exec.Command("parley", "--domain", domain, "--acme-ca", authority.directory, "--data", data,
		"--listen", fmt.Sprintf("127.0.0.1:%d", https), "--http-listen", fmt.Sprintf("127.0.0.1:%d", plain))
	parley.Env = append(os.Environ(), "SSL_CERT_FILE="+authority.certFile) // for the authority's own address
	stderr := &bytes.Buffer{}
	parley.Stderr = stderr
	stdout, err := parley.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	startCommand(t, parley)
	address := fmt.Sprintf("https://%s:%d", domain, https)
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "listening on "+address+"\n" {
		t.Fatalf("it says %q (%v):\n%s", line, err, stderr)
	}

	client := clientFor(authority.root, https, plain)
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	home := answerOf(ctx, t, client, address+"/")
	if got := home.Header.Get("Strict-Transport-Security"); !strings.HasPrefix(got, "max-age=") {
		t.Errorf("Strict-Transport-Security %q", got)
	}
	if names := home.TLS.PeerCertificates[0].DNSNames; len(names) != 1 || names[0] != domain {
		t.Errorf("the certificate is for %q", names)
	}

	redirect := answerOf(ctx, t, client, "http://"+domain+"/r/lobby?x=1")
	if got, want := redirect.Header.Get("Location"),
		address+"/r/lobby?x=1"; redirect.StatusCode != http.StatusPermanentRedirect || got != want {
		t.Errorf("plain HTTP: status %d to %q, want %q", redirect.StatusCode, got, want)
	}
	if _, err := os.Stat(filepath.Join(data, "certificates")); err != nil {
		t.Errorf("the certificate is not kept: %v", err)
	}

	health := exec.Command("parley", "health", "--domain", domain, "--listen", fmt.Sprintf("127.0.0.1:%d", https))
	if out, err := health.CombinedOutput(); err != nil || string(out) != "ok\n" {
		t.Errorf("its health: %s, %v", out, err)
	}

	if err := parley.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := parley.Wait(); err != nil {
		t.Errorf("the end: %v", err)
	}
}

// clientFor returns a client that resolves every name to this machine, and trusts only root.
func clientFor(root *x509.CertPool, https, plain int) *http.Client {
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		port := https
		if strings.HasSuffix(address, ":80") {
			port = plain
		}
		return new(net.Dialer).DialContext(ctx, network, fmt.Sprintf("127.0.0.1:%d", port))
	}
	return &http.Client{
		Transport:     &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{RootCAs: root}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// answerOf requests url until there is an answer.
func answerOf(ctx context.Context, t *testing.T, client *http.Client, url string) *http.Response {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(r)
		if err == nil {
			answer.Body.Close()
			return answer
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %v", url, err)
		case <-tick.C:
		}
	}
}

// A pebble is a certificate authority for one test.
type pebble struct {
	directory string         // its ACME address
	certFile  string         // the certificate of that address
	root      *x509.CertPool // the root of the certificates that it issues
	issued    *countingWriter
}

// A countingWriter counts lines that contain a text.
type countingWriter struct {
	text string

	mu    sync.Mutex
	rest  []byte // of a line
	lines int
}

func (w *countingWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, b...)
	for {
		line, rest, whole := bytes.Cut(w.rest, []byte("\n"))
		if !whole {
			return len(b), nil
		}
		if bytes.Contains(line, []byte(w.text)) {
			w.lines++
		}
		w.rest = rest
	}
}

func (w *countingWriter) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lines
}

func startPebble(t *testing.T, dir string, https, plain, acme, management, dns int) pebble {
	t.Helper()
	resolver, err := challtestsrv.New(challtestsrv.Config{
		DNSAddrs: []string{fmt.Sprintf("127.0.0.1:%d", dns)},
		Log:      log.New(io.Discard, "", 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	resolver.SetDefaultDNSIPv4("127.0.0.1")
	resolver.SetDefaultDNSIPv6("")
	go resolver.Run()
	t.Cleanup(resolver.Shutdown)

	certFile, keyFile := filepath.Join(dir, "pebble.pem"), filepath.Join(dir, "pebble-key.pem")
	writeAuthority(t, certFile, keyFile)
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress":           fmt.Sprintf("127.0.0.1:%d", acme),
		"managementListenAddress": fmt.Sprintf("127.0.0.1:%d", management),
		"certificate":             certFile,
		"privateKey":              keyFile,
		"httpPort":                plain,
		"tlsPort":                 https,
		"keyAlgorithm":            "ecdsa",
	}})
	if err != nil {
		t.Fatal(err)
	}
	configFile := filepath.Join(dir, "pebble.json")
	if err := os.WriteFile(configFile, config, 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "pebble")
	if out, err := exec.Command("go", "build", "-o", program,
		"github.com/letsencrypt/pebble/v2/cmd/pebble").CombinedOutput(); err != nil {
		t.Fatalf("building pebble: %v\n%s", err, out)
	}
	cmd := exec.Command(program, "-config", configFile, "-dnsserver", fmt.Sprintf("127.0.0.1:%d", dns))
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1")
	issued := &countingWriter{text: "Issued certificate serial"}
	cmd.Stdout = issued
	startCommand(t, cmd)

	p := pebble{
		directory: fmt.Sprintf("https://127.0.0.1:%d/dir", acme), certFile: certFile, root: x509.NewCertPool(),
		issued: issued,
	}
	trusted := x509.NewCertPool()
	own, err := os.ReadFile(certFile)
	if err != nil || !trusted.AppendCertsFromPEM(own) {
		t.Fatalf("pebble's own certificate: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}}
	defer client.CloseIdleConnections()
	answerOf(ctx, t, client, p.directory)
	answer, err := client.Get(fmt.Sprintf("https://127.0.0.1:%d/roots/0", management))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	root, err := io.ReadAll(answer.Body)
	if err != nil || !p.root.AppendCertsFromPEM(root) {
		t.Fatalf("pebble's root: %v\n%s", err, root)
	}
	return p
}

// startCommand runs cmd until the test ends.
func startCommand(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			cmd.Process.Kill()
			cmd.Wait() // its status shows only that it was killed
		}
	})
}

// writeAuthority writes a self-signed certificate for 127.0.0.1 and its key.
func writeAuthority(t *testing.T, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// freePorts returns ports on which nothing listens at present.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		ports = append(ports, ln.Addr().(*net.TCPAddr).Port)
	}
	return ports
}
