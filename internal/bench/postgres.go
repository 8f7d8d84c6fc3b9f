package bench

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/pgserver"
)

// postgresName is the name in tables of Parley with its log in PostgreSQL; nodesName comes after the number of nodes.
const (
	postgresName = "parley on PostgreSQL"
	nodesName    = " nodes on PostgreSQL"
)

// databases is a PostgreSQL server with the databases of measured servers.
type databases struct {
	own *pgserver.Server // nil: it is somebody else's
	url string           // of a database of it, with which others can be made
}

// A measuredDatabase has the log of one measured server.
type measuredDatabase struct {
	*databases
	name string
}

// openDatabases starts the database server for Config.Postgres, or uses that of Config.Database.
func (b *runner) openDatabases(ctx context.Context) (err error) {
	b.databases = &databases{url: b.cfg.Database}
	if b.cfg.Postgres {
		b.databases.own, err = pgserver.Start(ctx, b.cfg.Dir)
		if errors.Is(err, pgserver.ErrNone) {
			return fmt.Errorf("--postgres: %w", err)
		}
		if err != nil {
			return fmt.Errorf("--postgres, with its data in %s, which the user postgres must be able to reach: %w",
				b.cfg.Dir, err)
		}
		b.databases.url = b.databases.own.URL("postgres")
	}
	p := Peer{Name: postgresName, protocol: parleyProtocol{}, hasHistory: true, onPostgres: true}
	b.field = append(b.field, p)
	if b.cfg.Nodes > 1 {
		p.Name, p.nodes = fmt.Sprint(b.cfg.Nodes, nodesName), b.cfg.Nodes
		b.field = append(b.field, p)
	}
	return nil
}

func (d *databases) stop() {
	if d.own != nil {
		d.own.Stop()
	}
}

// newDatabase makes an empty database.
func (d *databases) newDatabase(ctx context.Context) (*measuredDatabase, error) {
	m := &measuredDatabase{d, "parley_bench_" + strings.ToLower(rand.Text()[:8])}
	if err := d.execute(ctx, `CREATE DATABASE `+m.name); err != nil {
		return nil, fmt.Errorf("a database to measure with: %w", err)
	}
	return m, nil
}

// drop removes the database, if there is one.
func (m *measuredDatabase) drop() {
	if m != nil {
		// The measurement has succeeded without it.
		_ = m.execute(context.Background(), `DROP DATABASE `+m.name+` WITH (FORCE)`)
	}
}

func (d *databases) execute(ctx context.Context, text string) error {
	conn, err := pgx.Connect(ctx, d.url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, text)
	return err
}

// cpu returns the CPU time of the database server, if it is known.
func (d *databases) cpu() (time.Duration, error) {
	if d.own == nil {
		return 0, errors.New("the database server was not started here")
	}
	return d.own.CPU()
}

// address returns where the database server listens, with a port; "" if that is not one TCP address.
func (d *databases) address() string {
	cfg, err := pgx.ParseConfig(d.url)
	if err != nil || len(cfg.Fallbacks) > 0 || cfg.TLSConfig != nil || strings.HasPrefix(cfg.Host, "/") {
		return ""
	}
	return net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port)))
}

// urlParts are what comes before a database's name in a URL, and after it.
var urlParts = regexp.MustCompile(`^([a-z]+://[^/?]*)(?:/[^?]*)?(\?.*)?$`)

// env returns the variables for a server that keeps its log in the database. address leads to the database server; ""
// is its own.
func (m *measuredDatabase) env(address string) []string {
	// Not a flag: all users of a machine see command lines.
	return []string{"PARLEY_DATABASE=" + m.databaseURL(address)}
}

// databaseURL returns the URL of the database.
func (m *measuredDatabase) databaseURL(address string) string {
	parts := urlParts.FindStringSubmatch(m.url)
	if parts == nil { // words like host=…, of which the last one counts
		return m.url + " dbname=" + m.name
	}
	before := parts[1]
	if address != "" {
		before = before[:strings.LastIndexAny(before, "@/")+1] + address
	}
	return before + "/" + m.name + parts[2]
}

// roundTrips notes how many round trips to the database a commit takes, under load and one by one. It measures with a
// server of its own, because counting takes time.
func (s *testbed) roundTrips(ctx context.Context, c *Store) error {
	upstream := s.database.address()
	if upstream == "" {
		return nil
	}
	counter, err := newTripCounter(upstream)
	if err != nil {
		return err
	}
	defer counter.close()
	counted := &testbed{cfg: s.cfg, peer: s.peer, label: s.label, spoke: s.spoke}
	if counted.database, err = s.database.newDatabase(ctx); err != nil {
		return err
	}
	counted.env = counted.database.env(counter.address())
	if err := counted.startInFolder(ctx); err != nil {
		return err
	}
	defer counted.end()
	per := func(load func() error) (float64, error) {
		commits, err := counted.commits(ctx)
		if err != nil {
			return 0, err
		}
		trips := counter.trips.Load()
		if err := load(); err != nil {
			return 0, err
		}
		now, err := counted.commits(ctx)
		if err == nil && now == commits {
			err = errors.New("nothing was committed")
		}
		return float64(counter.trips.Load()-trips) / (now - commits), err
	}
	alone, err := per(func() error {
		_, _, err := counted.oneByOne(ctx)
		return err
	})
	if err != nil {
		return err
	}
	loaded, err := per(func() error {
		began := time.Now()
		more := func(int) bool { return time.Since(began) < s.cfg.For }
		_, err := counted.pump(ctx, c.rooms(), c.Senders, c.Window, more)
		return err
	})
	if err != nil {
		return err
	}
	s.note("round trips to the database per commit: %.1f one by one, %.1f under load.", alone, loaded)
	return nil
}

// commits returns how many commits a server has made.
func (s *testbed) commits(ctx context.Context) (float64, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if n, ok := strings.CutPrefix(lines.Text(), "parley_commit_messages_count "); ok {
			return strconv.ParseFloat(n, 64)
		}
	}
	return 0, errors.New("the metrics do not count commits")
}

// A tripCounter is a proxy before a database server that counts round trips: how often a client sends something after
// the server has.
type tripCounter struct {
	*databaseProxy
	trips atomic.Int64
}

func newTripCounter(upstream string) (c *tripCounter, err error) {
	c = &tripCounter{}
	c.databaseProxy, err = newDatabaseProxy(upstream, func() (asked, answered func([]byte)) {
		var isAnswered atomic.Bool
		asked = func([]byte) {
			if isAnswered.Swap(false) {
				c.trips.Add(1)
			}
		}
		return asked, func([]byte) { isAnswered.Store(true) }
	})
	return c, err
}

// compareStores compares Parley on PostgreSQL with Parley on SQLite, and several nodes with one, by the medians of a
// case's rates. There is no line about what is missing.
func compareStores(group []Result) (lines []string) {
	find := func(matches func(Result) bool) *Result {
		if i := slices.IndexFunc(group, matches); i >= 0 {
			return &group[i]
		}
		return nil
	}
	file := find(func(r Result) bool { return r.Peer == parleyName })
	one := find(func(r Result) bool { return r.Peer == postgresName })
	many := find(func(r Result) bool { return strings.HasSuffix(r.Peer, nodesName) })
	for _, pair := range []struct {
		is, of *Result
		text   string
	}{
		{one, file, postgresName + ", of that on SQLite: "},
		{many, one, "several nodes, of one: "},
	} {
		if pair.is == nil || pair.of == nil {
			continue
		}
		if parts := ratios(*pair.is, *pair.of); len(parts) > 0 {
			lines = append(lines, pair.text+strings.Join(parts, ", ")+".")
		}
	}
	return lines
}

// ratios returns the rates of one result as multiples of those of another.
func ratios(is, of Result) (parts []string) {
	for _, c := range is.Columns {
		a, b := of.Values[c.Key].Median, is.Values[c.Key].Median
		switch {
		case c.Unit != count || a == 0 || b == 0 || c.Key == generator.Key:
		case strings.HasSuffix(c.Key, "_per_cpu_second"):
			parts = append(parts, written(a/b, factor)+" the CPU time for each")
		default:
			parts = append(parts, written(b/a, factor)+" "+c.Title)
		}
	}
	return parts
}
