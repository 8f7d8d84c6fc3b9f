package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"parley/internal/await"
	"parley/internal/pgserver"
	"parley/internal/store/postgres/pgtest"
)

// A nodeProcess is a server and its log. It runs in the test's process or in one of its own.
type nodeProcess struct {
	mu     sync.Mutex
	stderr bytes.Buffer
	stop   func() (status int)
}

func (p *nodeProcess) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.Write(b)
}

// startNode starts a server with flags, until the test ends.
func startNode(t *testing.T, flags ...string) *nodeProcess {
	t.Helper()
	p := &nodeProcess{}
	args := append([]string{"serve", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--drain", "1ms"}, flags...)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() { done <- run(ctx, args, io.Discard, p) }()
	p.stop = sync.OnceValue(func() int {
		cancel()
		return <-done
	})
	t.Cleanup(func() { p.stop() })
	return p
}

// logs waits for a line that matches, and returns the match and its groups.
func (p *nodeProcess) logs(t testing.TB, pattern string) []string {
	t.Helper()
	var found []string
	await.True(t, "the log has a line "+pattern, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		found = regexp.MustCompile("(?m)" + pattern).FindStringSubmatch(p.stderr.String())
		return found != nil
	})
	return found
}

func TestNodesOnOneDatabaseHearEachOther(t *testing.T) {
	if !pgserver.Installed() {
		t.Skip("no PostgreSQL")
	}
	database := pgtest.Empty(t)
	a := startNode(t, "--database", database, "--node-name", "ada", "--cluster-listen", "127.0.0.1:0")
	address := a.logs(t, `msg="this server is one of several" node=ada/\w+ addr=(\S+)`)[1]
	url := a.url(t)
	b := startNode(t, "--database", database, "--node-name", "bob", "--cluster-listen", "127.0.0.1:0",
		"--cluster-peers", address+",127.0.0.1:1")
	a.logs(t, `msg="a node joined" node=bob/\w+ peers=1`)
	b.logs(t, `msg="a node joined" node=ada/\w+ peers=1`)

	answer, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := io.ReadAll(answer.Body)
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil || !strings.Contains(string(metrics), "\nparley_cluster_peers 1\n") {
		t.Errorf("no peers in /metrics (%v)", err)
	}

	alone := startNode(t, "--database", database)
	alone.logs(t, `parley: another parley \((ada|bob)\) has used this database since .*, in a cluster: give this one`)
	if status := alone.stop(); status != 1 {
		t.Errorf("a server without the flags of a cluster: exit status %d", status)
	}
	if status := b.stop(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	a.logs(t, `msg="a node left" node=bob/\w+ peers=0`)
}

// A sign-out on one server ends what the session has open on another one.
func TestSignOutEndsTheSessionOnAllServers(t *testing.T) {
	if !pgserver.Installed() {
		t.Skip("no PostgreSQL")
	}
	database := pgtest.Empty(t)
	a := startNode(t, "--database", database, "--node-name", "ada", "--cluster-listen", "127.0.0.1:0")
	address := a.logs(t, `msg="this server is one of several" node=ada/\w+ addr=(\S+)`)[1]
	b := startNode(t, "--database", database, "--node-name", "bob", "--cluster-listen", "127.0.0.1:0",
		"--cluster-peers", address)
	open := `msg=started .*open=\[?"?(http://[^\s"\]]+)`
	here, there := a.logs(t, open)[1], b.logs(t, open)[1]
	a.logs(t, `msg="a node joined" node=bob/\w+ peers=1`)
	b.logs(t, `msg="a node joined" node=ada/\w+ peers=1`)

	ask := func(method, url, session, body string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if session != "" {
			r.Header.Set("Authorization", "Bearer "+session)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { answer.Body.Close() })
		return answer
	}
	var ada struct{ Session string }
	made := ask(http.MethodPost, here+"/api/session", "", `{"name":"Ada"}`)
	if err := json.NewDecoder(made.Body).Decode(&ada); err != nil {
		t.Fatal(err)
	}
	stream := ask(http.MethodGet, there+"/api/rooms/lobby/events", ada.Session, "")
	out := ask(http.MethodDelete, here+"/api/session", ada.Session, "")
	if out.StatusCode != http.StatusNoContent {
		t.Fatalf("signing out: %s", out.Status)
	}
	told, err := io.ReadAll(stream.Body) // until the server ends it
	if err != nil || !strings.Contains(string(told), `"code":"session_ended"`) {
		t.Errorf("the stream on the other server ends with %q, %v", told, err)
	}
	answer := ask(http.MethodPost, there+"/api/rooms/lobby/messages", ada.Session, `{"text":"too late"}`)
	if answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("a message on the other server: %s", answer.Status)
	}
}

// Of three nodes of which one is cut off, balancers leave that one. If two are cut off from each other, they leave
// none.
func TestANodeThatHearsFewerNodesThanOthersIsNotReady(t *testing.T) {
	if !pgserver.Installed() {
		t.Skip("no PostgreSQL")
	}
	database := pgtest.Empty(t)
	flags := []string{"--database", database, "--cluster-listen", "127.0.0.1:0"}
	a := startNode(t, append(flags, "--node-name", "ada")...)
	address := a.logs(t, `msg="this server is one of several" node=ada/\w+ addr=(\S+)`)[1]
	lonely := startNode(t, append(flags, "--node-name", "eve")...)
	for _, p := range []*nodeProcess{a, lonely} {
		p.logs(t, `msg="cut off from other nodes"`)
		p.wantReady(t, http.StatusOK)
	}
	b := startNode(t, append(flags, "--node-name", "bob", "--cluster-peers", address)...)
	b.logs(t, `msg="a node joined" node=ada/`)
	lonely.wantReady(t, http.StatusServiceUnavailable)
	b.logs(t, `msg="cut off from other nodes"`)
	for _, p := range []*nodeProcess{a, b} {
		p.wantReady(t, http.StatusOK)
	}
}

// wantReady waits until /readyz has a status.
func (p *nodeProcess) wantReady(t *testing.T, want int) {
	t.Helper()
	url := p.url(t)
	await.True(t, "/readyz answers "+strconv.Itoa(want), func() bool {
		answer, err := http.Get(url + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode == want
	})
}
