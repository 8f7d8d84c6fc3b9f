package cli

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"parley/internal/await"
)

// TestCaddyTakesTheDeployedFile lets Caddy read deploy/cluster/Caddyfile.
func TestCaddyTakesTheDeployedFile(t *testing.T) {
	path, err := exec.LookPath("caddy")
	if err != nil {
		t.Skip("Caddy is not installed here")
	}
	cmd := exec.Command(path, "adapt", "--adapter", "caddyfile", "--config", "../../deploy/cluster/Caddyfile")
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte(`"/readyz"`)) {
		t.Errorf("caddy adapt: %v\n%s", err, out)
	}
}

// TestHAProxyWithTheDeployedFileUsesNodesThatAreReady starts HAProxy with deploy/cluster/haproxy.cfg in front of three
// servers.
func TestHAProxyWithTheDeployedFileUsesNodesThatAreReady(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for seconds")
	}
	t.Parallel()
	nodes := []*testNode{newTestNode(t, "node1"), newTestNode(t, "node2"), newTestNode(t, "node3")}
	url, client := startHAProxy(t, nodes)
	ask := func(path string) (status int, by string) {
		resp, err := get(t, client, url+path)
		if err != nil {
			return 0, ""
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		if from := resp.Header.Get("X-From"); from != "" && from != "127.0.0.1 https" {
			t.Errorf("a node believes that the client is %q", from)
		}
		return resp.StatusCode, resp.Header.Get("X-Node")
	}
	// asked returns by which nodes some requests are answered, one letter for each request.
	asked := func() string {
		var by string
		for range 12 {
			status, node := ask("/")
			by += strings.TrimPrefix(node, "node")
			if status != http.StatusOK {
				by += "?"
			}
		}
		return by
	}
	isUsed := func(node string) bool { return strings.Contains(asked(), node) }
	await.True(t, "all nodes are used", func() bool { return isUsed("1") && isUsed("2") && isUsed("3") })
	if status, _ := ask("/metrics"); status != http.StatusNotFound {
		t.Errorf("/metrics: %d, want 404", status)
	}

	nodes[0].isRed.Store(true) // it drains
	await.True(t, "a node that drains gets no requests", func() bool { return !isUsed("1") })
	nodes[1].server.CloseClientConnections()
	nodes[1].server.Close() // it was killed
	if by := asked(); strings.Contains(by, "?") {
		t.Errorf("with a node that is gone, requests were answered by %q, ? are failures", by)
	}
	nodes[2].isRed.Store(true) // the database is away
	await.True(t, "nodes that cannot store are used if there is no other", func() bool { return isUsed("1") })
}

// A testNode answers /readyz as it should, and everything else by its name.
type testNode struct {
	server *httptest.Server
	isRed  atomic.Bool
}

func newTestNode(t *testing.T, name string) *testNode {
	n := &testNode{}
	n.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Node", name)
		w.Header().Set("X-From", strings.Join(r.Header.Values("X-Forwarded-For"), ",")+" "+
			r.Header.Get("X-Forwarded-Proto"))
		if r.URL.Path == "/readyz" && n.isRed.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(n.server.Close)
	return n
}

// startHAProxy starts HAProxy with the deployed file, in which only addresses, the certificate and the user are
// others. It returns its URL, and a client that trusts it.
func startHAProxy(t *testing.T, nodes []*testNode) (url string, client *http.Client) {
	t.Helper()
	path, err := exec.LookPath("haproxy")
	if err != nil {
		t.Skip("HAProxy is not installed here")
	}
	dir := t.TempDir()
	authority := httptest.NewTLSServer(nil)
	t.Cleanup(authority.Close)
	certificate := filepath.Join(dir, "chat.pem")
	writePEM(t, certificate, authority.TLS.Certificates[0])
	plain, secure := freeAddress(t), freeAddress(t)
	config := strings.NewReplacer("bind :80\n", "bind "+plain+"\n", "bind :443 ", "bind "+secure+" ",
		"/etc/haproxy/chat.pem", certificate, "\tuser haproxy\n", "", "\tgroup haproxy\n", "",
		"\tlog /dev/log local0 notice\n", "", "maxconn 50000", "maxconn 100",
		"10.0.0.11:8080", nodes[0].server.Listener.Addr().String(),
		"10.0.0.12:8080", nodes[1].server.Listener.Addr().String(),
		"10.0.0.13:8080", nodes[2].server.Listener.Addr().String()).Replace(readDeployed(t, "cluster/haproxy.cfg"))
	if at := regexp.MustCompile(`10\.0\.0\.\d+`).FindString(config); at != "" {
		t.Fatalf("the file names %s, which is no node", at)
	}
	file := filepath.Join(dir, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-db", "-f", file)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("HAProxy: %s", said.Bytes())
		}
	})
	client = authority.Client()
	client.Transport.(*http.Transport).DisableKeepAlives = true
	await.True(t, "HAProxy answers", func() bool {
		resp, err := get(t, client, "https://"+secure+"/")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	})
	return "https://" + secure, client
}

// get requests a URL with a forged address.
func get(t *testing.T, client *http.Client, url string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Forwarded-For", "192.0.2.66")
	return client.Do(req)
}

// writePEM writes a certificate and its key into one file, as HAProxy wants them.
func writePEM(t *testing.T, file string, c tls.Certificate) {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	b := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})
	b = append(b, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// freeAddress returns an address on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}
