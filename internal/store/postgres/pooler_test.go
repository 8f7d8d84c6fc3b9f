package postgres

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"parley/internal/store/postgres/pgtest"
	"parley/internal/store/storetest"
)

// A pooler passes on what clients send. With byTransaction each transaction gets the connection that was
// last used, as in PgBouncer's pool_mode = transaction; else a client keeps its own.
type pooler struct {
	url           string
	byTransaction bool

	mu   sync.Mutex
	idle []*pgconn.HijackedConn
}

// startPooler returns the URL of a database through a pooler.
func startPooler(t *testing.T, url string, byTransaction bool) string {
	t.Helper()
	cfg, err := pgconn.ParseConfig(url)
	storetest.Must(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	storetest.Must(t, err)
	p := &pooler{url: url, byTransaction: byTransaction}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				if err := p.serve(conn); err != nil {
					t.Error(err)
				}
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		serving.Wait()
		for _, c := range p.idle {
			c.Conn.Close()
		}
	})
	return strings.Replace(url, net.JoinHostPort(cfg.Host, port(cfg)), ln.Addr().String(), 1)
}

func port(cfg *pgconn.Config) string {
	_, address := pgconn.NetworkAddress(cfg.Host, cfg.Port)
	_, port, _ := net.SplitHostPort(address)
	return port
}

// take returns a connection to the database.
func (p *pooler) take() (*pgconn.HijackedConn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = slices.Delete(p.idle, n-1, n)
		return c, nil
	}
	conn, err := pgconn.Connect(context.Background(), p.url)
	if err != nil {
		return nil, err
	}
	return conn.Hijack()
}

func (p *pooler) give(c *pgconn.HijackedConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, c)
}

// serve serves a client until it leaves.
func (p *pooler) serve(conn net.Conn) error {
	client := pgproto3.NewBackend(conn, conn)
	if _, err := client.ReceiveStartupMessage(); err != nil {
		return nil // it has left
	}
	server, err := p.take()
	if err != nil {
		return err
	}
	client.Send(&pgproto3.AuthenticationOk{})
	for name, value := range server.ParameterStatuses {
		client.Send(&pgproto3.ParameterStatus{Name: name, Value: value})
	}
	client.Send(&pgproto3.BackendKeyData{SecretKey: []byte{0, 0, 0, 1}})
	client.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	for status := byte('I'); client.Flush() == nil; {
		if p.byTransaction && status == 'I' && server != nil {
			p.give(server)
			server = nil
		}
		m, err := client.Receive()
		if _, ends := m.(*pgproto3.Terminate); err != nil || ends {
			break
		}
		if server == nil {
			if server, err = p.take(); err != nil {
				return err
			}
		}
		server.Frontend.Send(m)
		switch m.(type) {
		case *pgproto3.Query, *pgproto3.Sync:
			if status, err = answer(server.Frontend, client); err != nil {
				return err
			}
		}
	}
	if server != nil {
		return server.Conn.Close()
	}
	return nil
}

// answer passes on what the database answers, and returns the status of the transaction.
func answer(from *pgproto3.Frontend, to *pgproto3.Backend) (status byte, err error) {
	if err := from.Flush(); err != nil {
		return 0, err
	}
	for {
		m, err := from.Receive()
		if err != nil {
			return 0, err
		}
		to.Send(m)
		if ready, ok := m.(*pgproto3.ReadyForQuery); ok {
			return ready.TxStatus, nil
		}
	}
}

func TestPoolerThatWorksByTransactionIsRefused(t *testing.T) {
	url := pgtest.Empty(t)
	s, err := Open(t.Context(), Config{URL: startPooler(t, url, true)})
	if err == nil {
		s.Close()
	}
	if !errors.Is(err, errPooler) {
		t.Error(err)
	}
	const tables = `SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace`
	if n := one[int](t, url, tables); n > 0 {
		t.Error("tables are made before")
	}
}

func TestPoolerThatWorksBySessionIsUsed(t *testing.T) {
	s, _ := start(t, startPooler(t, pgtest.Empty(t), false))
	storetest.Do(t, s, storetest.Draft("lobby", storetest.Ada, "hi", ""))
}
