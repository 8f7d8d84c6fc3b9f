package bench

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// Across is one who talks on one node and one who listens on another, one message at a time.
type Across struct {
	Messages int           `default:"500" min:"1" help:"Messages at most, if --for allows. Default: ${default}."`
	Pause    time.Duration `default:"5ms" help:"Pause before each, so that nothing waits for anything else. Default: ${default}."`
}

var (
	shownP50  = Column{Key: "shown_p50", Title: "commit to another node: median", Unit: seconds, Less: true}
	shownP99  = Column{Key: "shown_p99", Title: "p99", Unit: seconds, Less: true}
	notifyP50 = Column{Key: "notify_p50", Title: "by NOTIFY and a read: median", Unit: seconds, Less: true}
	notifyP99 = Column{Key: "notify_p99", Title: "p99", Unit: seconds, Less: true}
	sameP50   = Column{Key: "same_p50", Title: "to the same node: median", Unit: seconds, Less: true}
	ofNotify  = Column{Key: "shown_of_notify", Title: "first of the sum of these two", Unit: factor, Less: true}
)

func (a *Across) cases() []Case {
	return []Case{{
		Scenario: "across", Size: a.Messages,
		Setting: "one talks on one node, one listens on another, one message at a time, from the answer to the " +
			"sender; beside it a program that inserts a row, says so with NOTIFY and reads it after LISTEN, which a " +
			"server would do before it shows the message",
		Columns:     []Column{shownP50, shownP99, sameP50, notifyP50, notifyP99, ofNotify},
		connections: 8, needsNodes: true, measure: a.measure,
	}}
}

func (a *Across) measure(ctx context.Context, s *testbed) (Values, error) {
	// One listens on each node; the last connection is to the first node again.
	conns, err := s.gather(ctx, membersOf(s.peer.nodes+1, theRoom))
	if err != nil {
		return nil, err
	}
	defer conns.close()
	if err := conns.quiet(ctx); err != nil {
		return nil, err
	}
	notify, err := newNotify(ctx, s.database)
	if err != nil {
		return nil, err
	}
	defer notify.close()
	var shown, same, notified []time.Duration
	const warm = 5
	m := s.meter()
	// In turn, so that other load on the machine affects both alike.
	for n := int64(1); len(shown) < a.Messages+warm && (m.elapsed() < 2*s.cfg.For || n <= warm+1); n++ {
		if err := sleep(ctx, a.Pause); err != nil {
			return nil, err
		}
		other, own, err := once(conns, n)
		if err != nil {
			return nil, err
		}
		shown, same = append(shown, other), append(same, own)
		if err := sleep(ctx, a.Pause); err != nil {
			return nil, err
		}
		took, err := notify.once(ctx)
		if err != nil {
			return nil, err
		}
		notified = append(notified, took)
	}
	shown, same, notified = shown[warm:], same[warm:], notified[warm:]
	slices.Sort(shown)
	slices.Sort(same)
	slices.Sort(notified)
	return Values{
		shownP50.Key: quantile(shown, .5), shownP99.Key: quantile(shown, .99), sameP50.Key: quantile(same, .5),
		notifyP50.Key: quantile(notified, .5), notifyP99.Key: quantile(notified, .99),
		ofNotify.Key: quantile(shown, .5) / (quantile(same, .5) + quantile(notified, .5)),
	}, nil
}

// once sends the nth message and returns how long after its answer it is shown on another node and on the same.
func once(conns *connections, n int64) (other, same time.Duration, err error) {
	talker, last := conns.all[0], conns.all[len(conns.all)-1]
	if err := talker.write(conns.protocol.message(nil, talker, greeting)); err != nil {
		return 0, 0, err
	}
	if err := conns.acks.await(conns.ctx, n); err != nil {
		return 0, 0, err
	}
	if err := conns.events.await(conns.ctx, n*int64(len(conns.all))); err != nil {
		return 0, 0, err
	}
	return max(0, conns.all[1].last-talker.answered), max(0, last.last-talker.answered), nil
}

// A notify is what a program without a bus would do: one connection inserts rows and says so, another listens and reads
// them.
type notify struct {
	writer, reader *pgx.Conn
}

func newNotify(ctx context.Context, m *measuredDatabase) (_ *notify, err error) {
	url := m.databaseURL("")
	n := &notify{}
	if n.writer, err = pgx.Connect(ctx, url); err != nil {
		return nil, fmt.Errorf("to measure NOTIFY: %w", err)
	}
	if n.reader, err = pgx.Connect(ctx, url); err != nil {
		n.writer.Close(ctx)
		return nil, fmt.Errorf("to measure NOTIFY: %w", err)
	}
	_, err = n.writer.Exec(ctx,
		`CREATE TABLE notified (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text)`)
	if err == nil {
		_, err = n.reader.Exec(ctx, `LISTEN notified`)
	}
	if err != nil {
		n.close()
		return nil, fmt.Errorf("to measure NOTIFY: %w", err)
	}
	return n, nil
}

// once inserts a row and returns how long after its commit the other connection has read it.
func (n *notify) once(ctx context.Context) (time.Duration, error) {
	type read struct {
		at  time.Time
		err error
	}
	done := make(chan read, 1)
	go func() {
		told, err := n.reader.WaitForNotification(ctx)
		if err != nil {
			done <- read{err: err}
			return
		}
		var text string
		err = n.reader.QueryRow(ctx, `SELECT text FROM notified WHERE seq = $1`, told.Payload).Scan(&text)
		done <- read{time.Now(), err}
	}()
	var seq int64
	err := n.writer.QueryRow(ctx, `INSERT INTO notified (text) VALUES ($1) RETURNING seq`, greeting).Scan(&seq)
	if err != nil {
		return 0, err
	}
	committed := time.Now()
	if _, err := n.writer.Exec(ctx, `SELECT pg_notify('notified', $1)`, strconv.FormatInt(seq, 10)); err != nil {
		return 0, err
	}
	r := <-done
	return r.at.Sub(committed), r.err
}

func (n *notify) close() {
	n.writer.Close(context.Background())
	n.reader.Close(context.Background())
}
