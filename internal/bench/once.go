package bench

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// Once is rooms to which somebody sent one message, and in which nobody is.
type Once struct {
	Rooms  []int         `default:"100000" min:"1" help:"Rooms. Default: ${default}."`
	Settle time.Duration `default:"150s" help:"How long the server may tidy up before its memory is read; Go servers do within some two minutes. Default: ${default}."`
}

var (
	overEmpty  = Column{Key: "rss_over_empty", Title: "RSS over empty", Unit: bytesOf, Less: true}
	cpuPerRoom = Column{Key: "cpu_per_room", Title: "CPU/room", Unit: seconds, Less: true}
)

func (c *Once) cases() (cases []Case) {
	for _, n := range c.Rooms {
		cases = append(cases, Case{
			Scenario: "once", Size: n,
			Setting: fmt.Sprintf("%d rooms, each visited by one who says one thing and leaves; memory after %v", n,
				c.Settle),
			Columns:     []Column{overEmpty, empty, rss, cpuPerRoom},
			connections: visitors, needsStore: true, needsStart: true,
			measure: func(ctx context.Context, s *testbed) (Values, error) { return c.measure(ctx, s, n) },
		})
	}
	return cases
}

const (
	visitors = 8
	tour     = 50 // rooms that a visitor is in at once
)

func (c *Once) measure(ctx context.Context, s *testbed, n int) (Values, error) {
	if err := s.warmUp(ctx); err != nil {
		return nil, err
	}
	if err := s.settle(ctx, c.Settle); err != nil {
		return nil, err
	}
	before, ok := s.memory()
	if !ok {
		return nil, errNoProc
	}
	m := s.meter()
	if err := s.tour(ctx, n); err != nil {
		return nil, err
	}
	u := m.read()
	if err := s.settle(ctx, c.Settle); err != nil {
		return nil, err
	}
	after, _ := s.memory()
	return Values{
		overEmpty.Key: after.rss - before.rss, empty.Key: before.rss, rss.Key: after.rss,
		cpuPerRoom.Key: u.cpu.Seconds() / float64(n),
	}, nil
}

// settle waits for d.
func (s *testbed) settle(ctx context.Context, d time.Duration) error {
	for left := d; left > 0; left -= time.Second {
		s.progress("%v until the memory is read", left)
		if err := sleep(ctx, min(left, time.Second)); err != nil {
			return err
		}
	}
	return nil
}

// tour lets visitors go through n rooms. Each visitor is in several at once, sends one message to
// each, and leaves it.
func (s *testbed) tour(ctx context.Context, n int) error {
	conns, err := s.gather(ctx, make([]member, visitors))
	if err != nil {
		return err
	}
	defer conns.close()
	var wg sync.WaitGroup
	for v, o := range conns.all {
		loop := conns.loopOf(o)
		loop.mu.Lock()
		o.acks = newCounter("answers")
		loop.mu.Unlock()
		wg.Go(func() {
			answers := int64(0)
			for first := v * tour; first < n; first += visitors * tour {
				last := min(n, first+tour)
				var out []byte
				for i := first; i < last; i++ {
					out = visit(out, o, theRoom+"-"+strconv.Itoa(i))
				}
				answers += 3 * int64(last-first)
				err := o.write(out)
				if err == nil {
					err = o.acks.await(conns.ctx, answers)
				}
				if err != nil {
					conns.fail(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(conns.ctx)
}

// visit appends the frames for joining a room, sending a message, and leaving.
func visit(dst []byte, o *conn, room string) []byte {
	command := func(op string) {
		frame, start := openFrame(dst, textFrame)
		frame = append(append(frame, `{"op":"`...), op...)
		frame = append(append(append(frame, `","id":9,"room":"`...), room...), `"}`...)
		dst = closeTheFrame(frame, start)
	}
	command("join")
	o.room = room
	dst = parleyProtocol{}.message(dst, o, greeting)
	command("leave")
	return dst
}
