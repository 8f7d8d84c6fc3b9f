package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// History is a room with many years of messages.
type History struct {
	Messages []int `default:"1000000" min:"1" help:"Messages in the room. Default: ${default}."`
	Behind   int   `default:"500" min:"1" help:"Messages that a resume brings; at most 1000. Default: ${default}."`
}

var (
	newestP50  = Column{Key: "newest_p50", Title: "newest page: median", Unit: seconds, Less: true}
	newestP99  = Column{Key: "newest_p99", Title: "p99", Unit: seconds, Less: true}
	pageP50    = Column{Key: "middle_page_p50", Title: "a page in the middle: median", Unit: seconds, Less: true}
	pageP99    = Column{Key: "middle_page_p99", Title: "p99", Unit: seconds, Less: true}
	resumeP50  = Column{Key: "resume_p50", Title: "resume: median", Unit: seconds, Less: true}
	resumeP99  = Column{Key: "resume_p99", Title: "p99", Unit: seconds, Less: true}
	startTakes = Column{Key: "start", Title: "start to listening", Unit: seconds, Less: true}
)

func (h *History) cases() (cases []Case) {
	for _, n := range h.Messages {
		cases = append(cases, Case{
			Scenario: "history", Size: n,
			Setting:     fmt.Sprintf("a room of %d messages: pages of 50, resume from %d behind", n, h.Behind),
			Columns:     []Column{newestP50, newestP99, pageP50, pageP99, resumeP50, resumeP99, startTakes, rss},
			connections: 32, needsStore: true, reusesServer: true,
			measure: func(ctx context.Context, s *testbed) (Values, error) { return h.measure(ctx, s, n) },
		})
	}
	return cases
}

func (h *History) measure(ctx context.Context, s *testbed, n int) (Values, error) {
	room := fmt.Sprintf("history-%d", n)
	v := Values{}
	if s.carried == nil {
		const senders, window = 8, 200
		if _, err := s.pump(ctx, []string{room}, senders, window, func(sent int) bool { return sent < n }); err != nil {
			return nil, err
		}
		s.carried = room
	}
	if s.process != nil { // a restart shows what a long history costs at the start
		s.process.stop()
		if err := s.start(ctx); err != nil {
			return nil, err
		}
		v[startTakes.Key] = s.process.took.Seconds()
	}
	seq, err := s.page(ctx, room, 0)
	if err != nil {
		return nil, err
	}
	const times = 200
	share := s.cfg.For / 3
	newest, err := repeated(times, share, func() error { _, err := s.page(ctx, room, 0); return err })
	if err != nil {
		return nil, err
	}
	middle, err := repeated(times, share, func() error { _, err := s.page(ctx, room, seq/2+1); return err })
	if err != nil {
		return nil, err
	}
	behind := min(int64(h.Behind), seq)
	resume, err := repeated(times, share, func() error { return s.resume(ctx, room, seq-behind, behind) })
	if err != nil {
		return nil, err
	}
	if m, ok := s.memory(); ok {
		v[rss.Key] = m.rss
	}
	return v.add(Values{
		newestP50.Key: quantile(newest, .5), newestP99.Key: quantile(newest, .99),
		pageP50.Key: quantile(middle, .5), pageP99.Key: quantile(middle, .99),
		resumeP50.Key: quantile(resume, .5), resumeP99.Key: quantile(resume, .99),
	}), nil
}

// repeated calls do many times, at least once and not much longer than d, and returns the
// durations, sorted. The first calls, with cold caches, count too.
func repeated(times int, d time.Duration, do func() error) (took []time.Duration, err error) {
	for began := time.Now(); len(took) < times && (len(took) == 0 || time.Since(began) < d); {
		before := time.Now()
		if err := do(); err != nil {
			return nil, err
		}
		took = append(took, time.Since(before))
	}
	slices.Sort(took)
	return took, nil
}

// page reads the page before a seq over HTTP, or the newest if before is 0, and returns the room's
// newest seq.
func (s *testbed) page(ctx context.Context, room string, before int64) (seq int64, err error) {
	query := ""
	if before > 0 {
		query = fmt.Sprintf("?before=%d", before)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet,
		s.cfg.tlsFiles.scheme("http")+"://"+s.address+"/api/rooms/"+room+"/messages"+query, nil)
	if err != nil {
		return 0, err
	}
	answer, err := s.cfg.tlsFiles.client().Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	var page struct {
		Seq      int64
		Messages []struct{ Seq int64 }
	}
	if err := json.NewDecoder(answer.Body).Decode(&page); err != nil {
		return 0, fmt.Errorf("a page of %s: %w", room, err)
	}
	there := page.Seq
	if before > 0 {
		there = before - 1
	}
	if answer.StatusCode != http.StatusOK || len(page.Messages) != int(min(50, there)) {
		return 0, fmt.Errorf("a page of %s%s: %s, with %d messages", room, query, answer.Status, len(page.Messages))
	}
	return page.Seq, nil
}

// resume measures a client that was away: it connects, sends hello, joins, and waits until all
// missed events have come.
func (s *testbed) resume(ctx context.Context, room string, after, missed int64) error {
	conns, err := s.gather(ctx, []member{{room: room, after: after}})
	if err != nil {
		return err
	}
	defer conns.close()
	return conns.events.await(conns.ctx, missed)
}
