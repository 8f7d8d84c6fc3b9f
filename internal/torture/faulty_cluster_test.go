package torture_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/cluster"
	"parley/internal/cluster/clustertest"
	"parley/internal/pgserver"
	"parley/internal/room"
	"parley/internal/search"
	"parley/internal/store/postgres"
	"parley/internal/torture"
)

// Faults of servers that only several of them can have.
const (
	takeRollback breakage = "takes a transaction that failed for one that was committed"
	skipGaps     breakage = "does not read what it has missed"
	oldReplica   breakage = "resumes from a replica that is behind" // is no fault: the rest comes later
)

const (
	eventsOfGap = 128                    // as many events a hub reads at once to fill a gap
	replicaLag  = 500 * time.Millisecond // of oldReplica
)

// A nodeOf makes a subject one of several on a database.
type nodeOf struct {
	url  string // of the database
	name string
	dir  string
	bus  func() *clustertest.Bus

	kept  *postgres.Store
	index *search.Index
}

func (n *nodeOf) open(ctx context.Context) (_ Store, err error) {
	n.kept, err = postgres.Open(ctx, postgres.Config{URL: n.url, Name: n.name})
	if err == nil {
		n.index = search.New(n.kept, search.Config{Dir: n.dir, Epoch: n.kept.Epoch()})
	}
	return n.kept, err
}

// connect connects a hub to those of the other nodes, until stop is called.
func (n *nodeOf) connect(hub *room.Hub) (stop func() error) {
	bus := n.bus()
	node := cluster.New(bus, cluster.Config{Name: n.name})
	cluster.ConnectRooms(node, hub, cluster.RoomsConfig{
		Heads:  n.kept.HeadsOf,
		Stored: n.index.StoredElsewhere, Deleted: func([]string) {}, Missed: n.index.StoredAnywhere,
	})
	stopNode, stopIndex := inBackground(node.Run), inBackground(n.index.Run)
	return func() error { return errors.Join(stopNode(), stopIndex(), bus.Close()) }
}

// A clusterSubject is several of this program's servers in this process, on one PostgreSQL and a bus in memory. Their
// parts are correct; the fault is between them.
type clusterSubject struct {
	database *pgserver.Server
	name     string // of the database
	network  *clustertest.Network
	nodes    []*subject

	mu   sync.Mutex
	away int // which node cannot answer; -1: none
}

func newClusterSubject(t *testing.T, database *pgserver.Server, breaks breakage) *clusterSubject {
	t.Helper()
	name, err := database.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := &clusterSubject{database: database, name: name, network: clustertest.New(1), away: -1}
	for i := range 3 {
		node := &nodeOf{url: database.URL(name), name: fmt.Sprint("node", i+1), dir: t.TempDir(), bus: c.network.Bus}
		c.nodes = append(c.nodes, &subject{breaks: breaks, node: node, address: quietAddress(t)})
	}
	return c
}

// quietAddress returns an address on a port that no outgoing connection takes by chance.
func quietAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprint("127.0.0.1:", 12000+rand.IntN(8000))
		if ln, err := net.Listen("tcp", address); err == nil {
			if err := ln.Close(); err != nil {
				t.Fatal(err)
			}
			return address
		}
	}
	t.Fatal("no free port")
	return ""
}

func (c *clusterSubject) URLs() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	urls := make([]string, len(c.nodes))
	for i, n := range c.nodes {
		if i != c.away {
			urls[i] = "http://" + n.address
		}
	}
	return urls
}

func (c *clusterSubject) setAway(i int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = i
}

func (c *clusterSubject) Start(ctx context.Context) (string, error) {
	for _, n := range c.nodes {
		if _, err := n.Start(ctx); err != nil {
			return "", err
		}
	}
	return c.URLs()[0], nil
}

func (c *clusterSubject) Kill() error { return c.end((*subject).Kill) }

func (c *clusterSubject) Stop() error { return c.end((*subject).Stop) }

func (c *clusterSubject) end(how func(*subject) error) error {
	var errs []error
	for _, n := range c.nodes {
		errs = append(errs, how(n))
	}
	return errors.Join(errs...)
}

func (c *clusterSubject) Faults() []torture.SubjectFault {
	return []torture.SubjectFault{
		{
			Name: "nodekill", Serves: true,
			Begin: func(rnd *rand.Rand) error {
				i := rnd.IntN(len(c.nodes))
				c.setAway(i)
				return c.nodes[i].Kill()
			},
			End: func(*rand.Rand) error {
				_, err := c.nodes[c.away].Start(context.Background())
				c.setAway(-1)
				return err
			},
		},
		{
			Name: "buslose",
			Begin: func(*rand.Rand) error {
				c.network.SetFaults(clustertest.Faults{Drop: 0.3})
				return nil
			},
		},
		{Name: "dbcancel", Begin: func(*rand.Rand) error { return c.cancelWrites() }},
	}
}

// cancelWrites cancels what the database is doing, again and again, so that transactions fail.
func (c *clusterSubject) cancelWrites() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.database.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	for ctx.Err() == nil {
		_, err := conn.Exec(ctx, `
			SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND state = 'active'`, c.name)
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

func TestEachBreakageOfNodesIsFound(t *testing.T) {
	if os.Getenv("PARLEY_TORTURE") == "" {
		t.Skip("make torture-short and make torture run it")
	}
	database, err := pgserver.Start(t.Context(), "", "fsync=off", "max_connections=300")
	if errors.Is(err, pgserver.ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := database.Stop(); err != nil {
			t.Error(err)
		}
	})
	for breaks, tt := range map[breakage]struct {
		faults []string
		want   []torture.Rule
		stuck  string // or a part of the error that nothing can be checked
	}{
		none:         {faults: []string{"kill", "nodekill", "buslose", "dbcancel", "cut"}},
		publishEarly: {[]string{"kill"}, []torture.Rule{torture.Unstored, torture.Different, torture.Skipped}, ""},
		takeRollback: {[]string{"dbcancel"}, []torture.Rule{torture.Lost, torture.Moved, torture.Altered}, ""},
		skipGaps:     {[]string{"buslose"}, []torture.Rule{torture.Unserved}, "stores nothing"},
		oldReplica:   {faults: []string{"cut", "nodekill"}},
		readOld:      {[]string{"delay"}, []torture.Rule{torture.Stale}, ""},
	} {
		t.Run(filepath.Base("nodes: "+string(breaks)), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(4) {
				report, err := torture.Run(t.Context(), torture.Config{
					For: 5 * time.Second, Round: 5 * time.Second, Seed: seed + 3, Faults: tt.faults, Rate: 150,
					Herd: 10, Subject: newClusterSubject(t, database, breaks),
				})
				if len(tt.want) == 0 {
					if err != nil {
						t.Error(err)
					}
					return
				}
				if tt.stuck != "" && err != nil && strings.Contains(err.Error(), tt.stuck) {
					t.Log(err)
					return
				}
				broken, ok := errors.AsType[*torture.Broken](err)
				if ok && slices.ContainsFunc(broken.Found,
					func(f torture.Finding) bool { return slices.Contains(tt.want, f.Rule) }) {
					t.Log(broken)
					return
				}
				t.Logf("found %v in %+v, want one of %v", err, report, tt.want)
			}
			t.Error("it was not found")
		})
	}
}
