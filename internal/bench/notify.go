package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// A notify is what nodes without a bus would do, reduced to the least: one inserts rows and says so, the others read
// them and send them to a client each.
type notify struct {
	clock  *commitClock
	writer *pgx.Conn // inserts, by way of the clock
	teller *pgx.Conn // says so
	nodes  []*notifiedNode
	end    context.CancelFunc
	wg     sync.WaitGroup
}

// A notifiedNode is one that reads, and its client.
type notifiedNode struct {
	reader         *pgx.Conn
	socket, client net.Conn
	shown          chan time.Time // when the client has a row; closed if none can come any more
}

// newNotify starts as many programs as the testbed has nodes.
func newNotify(ctx context.Context, s *testbed) (_ *notify, err error) {
	running, end := context.WithCancel(ctx)
	n := &notify{clock: s.clock, end: end}
	defer func() {
		if err != nil {
			n.close()
		}
	}()
	if n.writer, err = pgx.Connect(ctx, s.database.databaseURL(s.clock.address())); err != nil {
		return nil, err
	}
	if n.teller, err = pgx.Connect(ctx, s.database.databaseURL("")); err != nil {
		return nil, err
	}
	if _, err := n.teller.Exec(ctx, `
		CREATE TABLE notified (
			seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, author text, text text, at timestamptz DEFAULT now()
		)`); err != nil {
		return nil, err
	}
	for range s.peer.nodes - 1 {
		if err := n.addNode(ctx, running, s.database.databaseURL("")); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// addNode starts a program that reads rows until running ends.
func (n *notify) addNode(ctx, running context.Context, url string) (err error) {
	node := &notifiedNode{shown: make(chan time.Time, 1)}
	n.nodes = append(n.nodes, node)
	if node.reader, err = pgx.Connect(ctx, url); err != nil {
		return err
	}
	if node.socket, node.client, err = socketPair(); err != nil {
		return err
	}
	if _, err := node.reader.Exec(ctx, `LISTEN notified`); err != nil {
		return err
	}
	n.wg.Go(func() {
		defer node.socket.Close()
		for node.read(running) == nil {
		}
	})
	n.wg.Go(func() {
		defer close(node.shown)
		for lines := bufio.NewScanner(node.client); lines.Scan(); {
			node.shown <- time.Now()
		}
	})
	return nil
}

// read waits for a row, reads it and sends it to the client.
func (n *notifiedNode) read(ctx context.Context) error {
	told, err := n.reader.WaitForNotification(ctx)
	if err != nil {
		return err
	}
	var row struct {
		Seq          int64
		Author, Text string
		At           time.Time
	}
	err = n.reader.QueryRow(ctx, `SELECT seq, author, text, at FROM notified WHERE seq = $1`, told.Payload).Scan(
		&row.Seq, &row.Author, &row.Text, &row.At)
	if err != nil {
		return err
	}
	frame, err := json.Marshal(row)
	if err != nil {
		return err
	}
	_, err = n.socket.Write(append(frame, '\n'))
	return err
}

// once inserts a row and returns how long after its commit the client of the first node that reads has it.
func (n *notify) once(ctx context.Context) (took time.Duration, err error) {
	var seq int64
	if err := n.writer.QueryRow(ctx, `INSERT INTO notified (author, text) VALUES ('Ada', $1) RETURNING seq`, greeting).
		Scan(&seq); err != nil {
		return 0, err
	}
	committed := *n.clock.latest.Load()
	if _, err := n.teller.Exec(ctx, `SELECT pg_notify('notified', $1)`, strconv.FormatInt(seq, 10)); err != nil {
		return 0, err
	}
	for i, node := range n.nodes {
		at, ok := <-node.shown
		if !ok {
			return 0, net.ErrClosed
		}
		if i == 0 {
			took = at.Sub(committed)
		}
	}
	return took, nil
}

func (n *notify) close() {
	n.end()
	for _, node := range n.nodes {
		for _, c := range []net.Conn{node.socket, node.client} {
			if c != nil {
				c.Close()
			}
		}
	}
	n.wg.Wait()
	for _, node := range n.nodes {
		if node.reader != nil {
			node.reader.Close(context.Background())
		}
	}
	for _, c := range []*pgx.Conn{n.writer, n.teller} {
		if c != nil {
			c.Close(context.Background())
		}
	}
}

// socketPair returns both ends of a TCP connection within this machine.
func socketPair() (a, b net.Conn, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer ln.Close()
	if a, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		return nil, nil, err
	}
	if b, err = ln.Accept(); err != nil {
		a.Close()
		return nil, nil, err
	}
	return a, b, nil
}
