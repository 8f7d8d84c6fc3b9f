package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/pgserver"
)

// postgresName is the name in tables of Parley with its log in PostgreSQL.
const postgresName = "parley on PostgreSQL"

// startPostgres starts the database server for Config.Postgres.
func (b *runner) startPostgres(ctx context.Context) (err error) {
	b.postgres, err = pgserver.Start(ctx, b.cfg.Dir)
	if errors.Is(err, pgserver.ErrNone) {
		return fmt.Errorf("--postgres: %w", err)
	}
	if err != nil {
		return fmt.Errorf("--postgres, with its data in %s, which the user postgres must be able to reach: %w",
			b.cfg.Dir, err)
	}
	b.field = append(b.field, Peer{Name: postgresName, protocol: parleyProtocol{}, hasHistory: true, onPostgres: true})
	return nil
}

// databaseFor returns the variables for a server that keeps its log in a new database. address leads to the database
// server; "" is its own.
func databaseFor(ctx context.Context, s *pgserver.Server, address string) ([]string, error) {
	name, err := s.NewDatabase(ctx)
	if err != nil {
		return nil, fmt.Errorf("a database to measure with: %w", err)
	}
	if address == "" {
		address = s.Address()
	}
	// Not a flag: all users of a machine see command lines.
	return []string{"PARLEY_DATABASE=" + s.URLBy(name, address)}, nil
}

// roundTrips notes how many round trips to the database a commit takes, under load and one by one. It measures with a
// server of its own, because counting takes time.
func (s *testbed) roundTrips(ctx context.Context, senders, window int) error {
	counter, err := newTripCounter(s.postgres.Address())
	if err != nil {
		return err
	}
	defer counter.close()
	counted := &testbed{cfg: s.cfg, peer: s.peer, postgres: s.postgres, label: s.label, spoke: s.spoke}
	if counted.env, err = databaseFor(ctx, s.postgres, counter.ln.Addr().String()); err != nil {
		return err
	}
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
		_, err := counted.pump(ctx, theRoom, senders, window, func(int) bool { return time.Since(began) < s.cfg.For })
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
	ln    net.Listener
	trips atomic.Int64
	wg    sync.WaitGroup
}

func newTripCounter(upstream string) (*tripCounter, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &tripCounter{ln: ln}
	c.wg.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			c.wg.Go(func() { c.serve(client, upstream) })
		}
	})
	return c, nil
}

// serve passes on the bytes of one connection until one side closes it.
func (c *tripCounter) serve(client net.Conn, upstream string) {
	defer client.Close()
	server, err := net.Dial("tcp", upstream)
	if err != nil {
		return // the client notices
	}
	defer server.Close()
	var answered atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer client.Close()
		copyEach(client, server, func() { answered.Store(true) })
	}()
	copyEach(server, client, func() {
		if answered.Swap(false) {
			c.trips.Add(1)
		}
	})
	server.Close()
	<-done
}

// copyEach copies until an end or an error, and calls seen before it passes on what it has read.
func copyEach(dst io.Writer, src io.Reader, seen func()) {
	buf := make([]byte, 64<<10)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			seen()
			if _, err := dst.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// close ends the proxy when its connections have ended.
func (c *tripCounter) close() {
	c.ln.Close()
	c.wg.Wait()
}

// comparePostgres compares Parley on PostgreSQL with Parley on SQLite by the medians of a case's rates. It returns ""
// if one is missing.
func comparePostgres(group []Result) string {
	var file, postgres *Result
	for i := range group {
		switch group[i].Peer {
		case parleyName:
			file = &group[i]
		case postgresName:
			postgres = &group[i]
		}
	}
	if file == nil || postgres == nil {
		return ""
	}
	var parts []string
	for _, c := range group[0].Columns {
		a, b := file.Values[c.Key].Median, postgres.Values[c.Key].Median
		switch {
		case c.Unit != count || a == 0 || b == 0 || c.Key == generator.Key:
		case strings.HasSuffix(c.Key, "_per_cpu_second"):
			parts = append(parts, written(a/b, factor)+" the CPU time for each")
		default:
			parts = append(parts, written(b/a, factor)+" "+c.Title)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return postgresName + ", of that on SQLite: " + strings.Join(parts, ", ") + "."
}
