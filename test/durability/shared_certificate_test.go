package durability

import (
	"context"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/await"
	"parley/internal/store/postgres/pgtest"
)

// Two servers share a database. The first one requests a certificate; a balancer in front of both lets the authority
// ask the other one for the proof. Both serve the same certificate, and so does a third one later.
func TestServersOnOneDatabaseObtainOneCertificate(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs a certificate authority")
	}
	database := pgtest.Empty(t)
	dir := t.TempDir()
	ports := freePorts(t, 11)
	second := &node{https: ports[2], plain: ports[3]}
	authority := startPebble(t, dir, balance(t, second.https), balance(t, second.plain), ports[6], ports[7], ports[8])
	cluster := fmt.Sprintf("127.0.0.1:%d", ports[9])
	nodes := []*node{{https: ports[0], plain: ports[1]}, second, {https: ports[4], plain: ports[5]}}
	start := func(n *node, more ...string) {
		n.start(t, authority, append([]string{"--database", database}, more...)...)
	}

	start(nodes[0], "--cluster-listen", cluster)
	db, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.Background())
	await.True(t, "the first server requests a certificate", func() bool {
		locks := 0 // there is no table at first
		err := db.QueryRow(t.Context(), `SELECT count(*) FROM lease WHERE name LIKE 'certificate issue%'`).Scan(&locks)
		return err == nil && locks > 0
	})
	start(nodes[1], "--cluster-listen", fmt.Sprintf("127.0.0.1:%d", ports[10]), "--cluster-peers", cluster)
	serial := nodes[0].serial(t, authority)
	if got := nodes[1].serial(t, authority); got.Cmp(serial) != 0 {
		t.Errorf("the second server has the certificate %v, the first one %v", got, serial)
	}
	for _, n := range nodes[:2] {
		n.stop(t)
	}
	start(nodes[2])
	if got := nodes[2].serial(t, authority); got.Cmp(serial) != 0 {
		t.Errorf("a third server has the certificate %v, the first one had %v", got, serial)
	}
	if n := authority.issued.count(); n != 1 {
		t.Errorf("the authority has issued %d certificates, want 1", n)
	}
}

// A node is one of several servers with --domain.
type node struct {
	https, plain int
	cmd          *exec.Cmd
}

const sharedDomain = "chat.example.org"

func (n *node) start(t *testing.T, authority pebble, flags ...string) {
	t.Helper()
	n.cmd = exec.Command("parley", append([]string{
		"--domain", sharedDomain, "--acme-ca", authority.directory, "--data", t.TempDir(), "--drain", "1ms",
		"--listen", fmt.Sprintf("127.0.0.1:%d", n.https), "--http-listen", fmt.Sprintf("127.0.0.1:%d", n.plain),
	}, flags...)...)
	n.cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+authority.certFile) // for the authority's own address
	n.cmd.Stderr = t.Output()
	startCommand(t, n.cmd)
}

// serial waits until the server serves a certificate and returns its number.
func (n *node) serial(t *testing.T, authority pebble) *big.Int {
	t.Helper()
	client := clientFor(authority.root, n.https, n.plain)
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	home := answerOf(ctx, t, client, fmt.Sprintf("https://%s:%d/", sharedDomain, n.https))
	return home.TLS.PeerCertificates[0].SerialNumber
}

func (n *node) stop(t *testing.T) {
	t.Helper()
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := n.cmd.Wait(); err != nil {
		t.Errorf("the end: %v", err)
	}
}

// balance opens a port whose connections go to another port of this machine, once something listens there.
func balance(t *testing.T, to int) (port int) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var open sync.WaitGroup
	open.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			open.Go(func() { pass(ctx, client, to) })
		}
	})
	t.Cleanup(func() {
		cancel()
		ln.Close()
		open.Wait()
	})
	return ln.Addr().(*net.TCPAddr).Port
}

// pass passes on what comes from client to a port and back, until one of them ends or ctx does.
func pass(ctx context.Context, client net.Conn, to int) {
	defer client.Close()
	var server net.Conn
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		var err error
		server, err = new(net.Dialer).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", to))
		if err == nil {
			tick.Stop()
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
	defer server.Close()
	defer context.AfterFunc(ctx, func() { client.Close(); server.Close() })()
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		go func() {
			_, _ = io.Copy(way[1], way[0]) // either end may go first
			done <- struct{}{}
		}()
	}
	<-done
	client.Close()
	server.Close()
	<-done
}
