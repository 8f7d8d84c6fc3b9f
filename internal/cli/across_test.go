package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/client"
	"parley/internal/pgserver"
	"parley/internal/store/postgres/pgtest"
)

// BenchmarkNodesByBusAndByNotify measures how long after its commit a message on one node is with a client of another
// one, if nodes tell each other by their bus, with TLS, and if the same nodes do that by PostgreSQL's NOTIFY and read
// the store. Each node is a process. There is one message at a time, by turns of both kinds, so that other load on the
// machine affects both alike. The database does not wait for its disk. That favours NOTIFY, which is a commit too.
func BenchmarkNodesByBusAndByNotify(b *testing.B) {
	if !pgserver.Installed() {
		b.Skip("no PostgreSQL")
	}
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	bus, notify := startTwoNodes(b, "bus"), startTwoNodes(b, "notify")
	const warm = 50
	for range warm {
		bus.pass(ctx, b)
		notify.pass(ctx, b)
	}
	tick := time.NewTicker(5 * time.Millisecond) // so that nothing waits for anything else
	defer tick.Stop()
	for b.Loop() {
		<-tick.C
		bus.pass(ctx, b)
		<-tick.C
		notify.pass(ctx, b)
	}
	byBus, byNotify := bus.end(b)[warm:], notify.end(b)[warm:]
	slices.Sort(byBus)
	slices.Sort(byNotify)
	b.ReportMetric(0, "ns/op")
	for name, took := range map[string][]time.Duration{"bus": byBus, "notify": byNotify} {
		b.ReportMetric(quantile(took, .5).Seconds()*1000, name+"-p50-ms")
		b.ReportMetric(quantile(took, .99).Seconds()*1000, name+"-p99-ms")
	}
	b.ReportMetric(quantile(byBus, .5).Seconds()/quantile(byNotify, .5).Seconds(), "bus/notify-p50")
}

// quantile returns that of a sorted list.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// twoNodes are nodes of a database of their own, one who talks on the first, and one who listens on the second.
type twoNodes struct {
	first, second    *toldProcess
	talker, listener *client.Client
	shown            []time.Time // each message
}

func startTwoNodes(b *testing.B, by string) *twoNodes {
	secret := filepath.Join(b.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(strings.Repeat("s3cret", 10)), 0o600); err != nil {
		b.Fatal(err)
	}
	flags := []string{
		by, "--database", pgtest.Empty(b), "--listen", "127.0.0.1:0", "--message-rate", "0",
		"--cluster-listen", "127.0.0.1:0", "--cluster-secret-file", secret,
	}
	two := &twoNodes{first: startTold(b, flags...)}
	peer := two.first.logs(b, `msg="this server is one of several" .*addr=(\S+)`)[1]
	two.second = startTold(b, append(flags, "--cluster-peers", peer)...)
	two.talker, two.listener = comeTo(b, two.first, "Ada"), comeTo(b, two.second, "Grace")
	for _, p := range []*toldProcess{two.first, two.second} {
		p.logs(b, `msg="a node joined"`)
	}
	return two
}

// comeTo makes a member of the lobby on a node.
func comeTo(b *testing.B, p *toldProcess, name string) *client.Client {
	c, err := client.Dial(b.Context(), p.url(b), client.Options{Name: name})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	if _, err := c.Join(b.Context(), "lobby"); err != nil {
		b.Fatal(err)
	}
	return c
}

// pass sends a message, and waits until both have it.
func (n *twoNodes) pass(ctx context.Context, b *testing.B) {
	text := fmt.Sprint("message ", len(n.shown))
	var both sync.WaitGroup
	both.Go(func() {
		awaitText(ctx, b, n.listener, text)
		n.shown = append(n.shown, time.Now())
	})
	both.Go(func() { awaitText(ctx, b, n.talker, text) })
	if _, err := n.talker.Send(ctx, "lobby", text); err != nil {
		b.Error(err)
	}
	both.Wait()
	if b.Failed() {
		b.FailNow()
	}
}

// awaitText waits until a client has a message.
func awaitText(ctx context.Context, b *testing.B, c *client.Client, text string) {
	for {
		switch e, err := c.Next(ctx); m := e.(type) {
		case nil:
			b.Error(err)
			return
		case client.Message:
			if m.Text == text {
				return
			}
		}
	}
}

// end ends the nodes, and returns how long after its commit each message was shown.
func (n *twoNodes) end(b *testing.B) (took []time.Duration) {
	n.second.finish(b)
	var committed []int64
	if err := json.Unmarshal(n.first.finish(b), &committed); err != nil || len(committed) != len(n.shown) {
		b.Fatalf("%d messages were committed, %d shown (%v)", len(committed), len(n.shown), err)
	}
	for i, at := range committed {
		took = append(took, n.shown[i].Sub(time.Unix(0, at)))
	}
	return took
}

// A toldProcess is a process of the program told-node.
type toldProcess struct {
	nodeProcess
	finish func(*testing.B) (stdout []byte)
}

func startTold(b *testing.B, args ...string) *toldProcess {
	p := &toldProcess{}
	cmd := exec.Command("told-node", append(args, "--data", b.TempDir())...)
	var stdout bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, p
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	end := sync.OnceValue(func() error {
		stdin.Close()
		return cmd.Wait()
	})
	b.Cleanup(func() { end() })
	p.finish = func(b *testing.B) []byte {
		if err := end(); err != nil {
			b.Fatalf("a node: %v\n%s", err, &p.stderr)
		}
		return stdout.Bytes()
	}
	return p
}
