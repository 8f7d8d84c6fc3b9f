package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley/client"
	"parley/internal/pgserver"
	"parley/internal/store/postgres/pgtest"
)

// url waits until the node listens, and returns where.
func (p *nodeProcess) url(t testing.TB) string {
	t.Helper()
	return p.logs(t, `msg=started .*open=\[?"?(http://[^\s"\]]+)`)[1]
}

// Two nodes are stopped by turns, and started again, while a client sends and another one
// listens. Each client knows both, in another order.
func TestClientsGoFromNodeToNode(t *testing.T) {
	if !pgserver.Installed() {
		t.Skip("no PostgreSQL")
	}
	const messages, stops = 400, 4
	flags := []string{
		"--database", pgtest.Empty(t), "--cluster-listen", "127.0.0.1:0", "--message-rate", "0", "--drain", "100ms",
	}
	running := startNode(t, flags...)
	peer := running.logs(t, `msg="this server is one of several" .*addr=(\S+)`)[1]
	flags = append(flags, "--cluster-peers", peer)
	other := startNode(t, flags...)
	one, two := running.url(t), other.url(t)

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	talker, err := client.Dial(ctx, one, client.Options{Name: "Ada", More: []string{two}})
	if err != nil {
		t.Fatal(err)
	}
	defer talker.Close()
	listener, err := client.Dial(ctx, two, client.Options{Name: "Grace", More: []string{one}})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if _, err := listener.JoinAfter(ctx, "lobby", client.Position{}); err != nil {
		t.Fatal(err)
	}
	var sent, heard []string
	var both sync.WaitGroup
	progress := make(chan struct{}, messages)
	both.Go(func() {
		for n := range messages {
			sent = append(sent, fmt.Sprintf("message %d", n))
			if _, err := talker.Send(ctx, "lobby", sent[n]); err != nil {
				t.Errorf("message %d: %v", n, err)
				cancel()
				return
			}
			progress <- struct{}{}
		}
	})
	both.Go(func() {
		for len(heard) < messages {
			e, err := listener.Next(ctx)
			if err != nil {
				t.Errorf("after %d messages: %v", len(heard), err)
				return
			}
			if m, ok := e.(client.Message); ok {
				heard = append(heard, m.Text)
			}
		}
	})
	for range stops {
		for range messages / (stops + 1) {
			select {
			case <-progress:
			case <-ctx.Done():
			}
		}
		at := running.url(t)
		if status := running.stop(); status != 0 {
			t.Errorf("exit status %d", status)
		}
		again := startNode(t, append(flags, "--listen", strings.TrimPrefix(at, "http://"))...)
		again.url(t)
		running, other = other, again
	}
	both.Wait()
	if !slices.Equal(heard, sent) {
		t.Errorf("heard %q", heard)
	}
}
