package bench

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// Rooms measures many rooms in which everybody sends a message from time to time.
type Rooms struct {
	Rooms   []int         `default:"1000" min:"1" help:"Rooms. Default: ${default}."`
	Members int           `default:"10" min:"1" help:"Members of each. Default: ${default}."`
	Every   time.Duration `default:"1s" min:"1ms" help:"How often each member says something. Default: ${default}."`
}

func (r *Rooms) cases() (cases []Case) {
	for _, n := range r.Rooms {
		cases = append(cases, Case{
			Scenario: "rooms", Size: n,
			Setting:     fmt.Sprintf("%d rooms of %d, each member talks every %v", n, r.Members, r.Every),
			Columns:     []Column{cpuPerDelivery, deliveriesPerCPU, messages, p50, p99, p999, rss},
			connections: n * r.Members,
			measure:     func(ctx context.Context, s *testbed) (Values, error) { return r.measure(ctx, s, n) },
		})
	}
	return cases
}

func (r *Rooms) measure(ctx context.Context, s *testbed, rooms int) (Values, error) {
	members := inRooms(rooms, r.Members, 0)
	conns, err := s.gather(ctx, members)
	if err != nil {
		return nil, err
	}
	defer conns.close()
	if err := conns.quiet(ctx); err != nil {
		return nil, err
	}
	t := load{talkers: conns.all, rate: float64(len(members)) / r.Every.Seconds(), text: greeting, stamp: true}
	p, err := s.during(ctx, conns, []load{t}, []int{r.Members})
	if err != nil {
		return nil, err
	}
	return s.load(p.usage, p.sent, p.delivered).add(Values{
		p50.Key: quantile(p.latencies, .5), p99.Key: quantile(p.latencies, .99), p999.Key: quantile(p.latencies, .999),
	}), nil
}

// inRooms returns the members of many rooms, numbered from first on. The members of one room are
// far apart, so that consecutive senders are in different rooms.
func inRooms(rooms, each, first int) (members []member) {
	for range each {
		for i := range rooms {
			members = append(members,
				member{who: first + len(members), room: theRoom + "-" + strconv.Itoa(i), after: -1, sampled: true})
		}
	}
	return members
}

// Mixed is small rooms beside a giant one. It measures what the small ones notice of it.
type Mixed struct {
	Giant   int           `default:"10000" min:"1" help:"Members of the giant room. Default: ${default}."`
	Rate    float64       `default:"20" min:"0.1" help:"Messages per second in it. Default: ${default}."`
	Rooms   int           `default:"500" min:"1" help:"Small rooms. Default: ${default}."`
	Members int           `default:"5" min:"1" help:"Members of each. Default: ${default}."`
	Every   time.Duration `default:"1s" min:"1ms" help:"How often somebody talks in each small room. Default: ${default}."`
}

var (
	withFactor = Column{Key: "p99_with_by_without", Title: "p99 with/without", Unit: factor, Less: true}
	withoutP99 = Column{Key: "p99_without", Title: "p99 without", Unit: seconds, Less: true}
	withP50    = Column{Key: "p50_with", Title: "median with", Unit: seconds, Less: true}
	withP99    = Column{Key: "p99_with", Title: "p99 with", Unit: seconds, Less: true}
)

func (m *Mixed) cases() []Case {
	return []Case{{
		Scenario: "mixed", Size: m.Giant,
		Setting: fmt.Sprintf(
			"%d rooms of %d, one talks in each every %v, with and without %g messages/s in a room of %d beside them",
			m.Rooms, m.Members, m.Every, m.Rate, m.Giant),
		Columns:     []Column{withP99, withoutP99, withFactor, withP50, deliveriesPerCPU, rss},
		connections: m.Giant + m.Rooms*m.Members, measure: m.measure,
	}}
}

func (m *Mixed) measure(ctx context.Context, s *testbed) (Values, error) {
	small := inRooms(m.Rooms, m.Members, m.Giant)
	conns, err := s.gather(ctx, append(membersOf(m.Giant, "giant"), small...))
	if err != nil {
		return nil, err
	}
	defer conns.close()
	if err := conns.quiet(ctx); err != nil {
		return nil, err
	}
	chatter := load{
		talkers: conns.all[m.Giant : m.Giant+m.Rooms], rate: float64(m.Rooms) / m.Every.Seconds(), text: greeting,
		stamp: true,
	}
	announcer := load{talkers: conns.all[:1], rate: m.Rate, text: greeting}
	without, err := s.during(ctx, conns, []load{chatter}, []int{m.Members})
	if err != nil {
		return nil, err
	}
	with, err := s.during(ctx, conns, []load{chatter, announcer}, []int{m.Members, m.Giant})
	if err != nil {
		return nil, err
	}
	return s.load(with.usage, with.sent, with.delivered).add(compared(without, with)), nil
}

// compared compares what members see in two phases.
func compared(without, with phase) Values {
	return Values{
		withoutP99.Key: quantile(without.latencies, .99),
		withP99.Key:    quantile(with.latencies, .99),
		withP50.Key:    quantile(with.latencies, .5),
		withFactor.Key: quantile(with.latencies, .99) / quantile(without.latencies, .99),
	}
}
