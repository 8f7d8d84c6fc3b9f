package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"parley/client"
)

// Rolling restarts one node after the other while many listen.
type Rolling struct {
	Clients int           `default:"1000" min:"1" help:"Listeners. Default: ${default}."`
	Every   time.Duration `default:"250ms" min:"1ms" help:"How often somebody says something. Default: ${default}."`
	Drain   time.Duration `default:"10s" min:"1ms" help:"How long a node drains, and at most takes to end its connections. Default: ${default}, as that of nodes."`
}

var (
	silence = Column{Key: "silence", Title: "longest silence of a listener", Unit: seconds, Less: true}
	returns = Column{Key: "returns", Title: "returns", Unit: count}
	// All CPU time, so also that of the messages. With few of them, it is nearly that of the returns.
	cpuPerReturn = Column{Key: "cpu_per_return", Title: "all CPU/return", Unit: seconds, Less: true}
	ownPerReturn = Column{Key: "generator_per_return", Title: "the clients' own", Unit: seconds, Less: true}
)

func (r *Rolling) cases() []Case {
	return []Case{{
		Scenario: "rolling", Size: r.Clients,
		Setting: fmt.Sprintf("each node is restarted, one after the other, while one talks every %v and %d listen",
			r.Every, r.Clients),
		Columns:     []Column{silence, lostCount, doubledCount, ackedCount, returns, cpuPerReturn, ownPerReturn},
		connections: r.Clients, needsNodes: true, drain: r.Drain, measure: r.measure,
	}}
}

func (r *Rolling) measure(ctx context.Context, s *testbed) (Values, error) {
	c := newUsers(s)
	all, goHome := context.WithCancel(ctx)
	defer goHome()
	listeners := make([]*listener, r.Clients)
	var wg sync.WaitGroup
	defer wg.Wait()
	for i := range listeners {
		l, err := c.listen(ctx, i)
		if err != nil {
			return nil, fmt.Errorf("listener %d: %w", i, err)
		}
		listeners[i] = l
		wg.Go(func() { l.hear(all) })
		s.progress("%d of %d listen", i, r.Clients)
	}
	talking, hush := context.WithCancel(ctx)
	defer hush()
	talked := make(chan error, 1)
	go func() { talked <- c.talk(talking, r.Clients, r.Every) }()
	if err := c.nextAnswer(ctx); err != nil {
		return nil, err
	}
	m := s.meter()
	err := s.restartNodes(ctx)
	u := m.read()
	hush()
	if err := errors.Join(err, <-talked); err != nil {
		return nil, err
	}
	lost, doubled, err := c.compare(ctx)
	if err != nil {
		return nil, err
	}
	v := Values{ackedCount.Key: float64(len(c.stored))}
	for _, l := range listeners {
		quiet, missed, again := l.await(ctx, len(c.stored))
		v[silence.Key] = max(v[silence.Key], quiet.Seconds())
		lost, doubled = lost+missed, doubled+again
		v[returns.Key] += float64(l.connected - 1)
	}
	v[lostCount.Key], v[doubledCount.Key] = float64(lost), float64(doubled)
	if n := v[returns.Key]; n > 0 && u.known {
		v[cpuPerReturn.Key], v[ownPerReturn.Key] = u.cpu.Seconds()/n, u.own.Seconds()/n
	}
	goHome()
	return v, nil
}

// restartNodes asks each node to end, and starts it again when it has.
func (s *testbed) restartNodes(ctx context.Context) error {
	for i, p := range s.processes() {
		s.progress("restarting node %d", i+1)
		p.stop()
		s.ended += p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
		again, err := startProcess(ctx, p.cmd.Args, s.env, s.cfg.TLS)
		if err != nil {
			return fmt.Errorf("restart node %d: %w", i+1, err)
		}
		if i == 0 {
			s.process = again
		} else {
			s.others[i-1] = again
		}
		if err := sleep(ctx, 2*time.Second); err != nil { // until the next, as balancers need it
			return err
		}
	}
	return nil
}

// A listener is a person who only listens.
type listener struct {
	person *client.Client

	mu        sync.Mutex
	connected int           // how often
	seen      map[int64]int // how often each message came
	last      time.Time
	silence   time.Duration // the longest between two messages
}

// listen connects person number who and joins the room.
func (c *users) listen(ctx context.Context, who int) (*listener, error) {
	person, err := c.dial(ctx, who)
	if err != nil {
		return nil, err
	}
	if _, err := person.JoinAfter(ctx, c.room, client.Position{}); err != nil {
		person.Close()
		return nil, err
	}
	return &listener{person: person, seen: map[int64]int{}}, nil
}

// hear counts messages until ctx ends.
func (l *listener) hear(ctx context.Context) {
	defer l.person.Close()
	for e := range l.person.Events(ctx) {
		l.mu.Lock()
		switch e := e.(type) {
		case client.Connected:
			l.connected++
		case client.Message:
			l.seen[e.Seq]++
			now := time.Now()
			if !l.last.IsZero() {
				l.silence = max(l.silence, now.Sub(l.last))
			}
			l.last = now
		}
		l.mu.Unlock()
	}
}

// await waits until n messages have come, but not for ever. It returns the longest silence, and how many messages did
// not come or came again.
func (l *listener) await(ctx context.Context, n int) (quiet time.Duration, missed, again int) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		l.mu.Lock()
		if missed = n - len(l.seen); missed <= 0 || ctx.Err() != nil {
			break
		}
		l.mu.Unlock()
		sleep(ctx, 10*time.Millisecond) // the loop notices the end
	}
	defer l.mu.Unlock()
	for _, times := range l.seen {
		again += times - 1
	}
	return l.silence, max(0, missed), again
}
