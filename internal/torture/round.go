package torture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// A harness is what lasts for all rounds: the server and the proxies to it.
type harness struct {
	cfg       Config
	proxy     *proxy   // to all nodes in turn; a server that is alone is the only node
	doors     []*proxy // one to each node
	slowProxy *proxy   // for members whose connections are degraded while others are measured
	http      *http.Client
	streams   *http.Client           // for event streams, which end when they are cut
	server    sync.Mutex             // held while the server is ended or started
	url       atomic.Pointer[string] // of a server that is alone
	asked     atomic.Int64           // counts requests, which go to one node after the other

	mu     sync.Mutex
	report Report
	extras int // connections opened by faults
}

// A round is one run of faults with its rooms, its people and what they saw.
type round struct {
	*harness
	rooms   []string
	ledger  *ledger
	pace    time.Duration // between two messages of one person
	members []*rawClient
	prober  *prober
	watch   *deliveryTimes // nil unless bystanders are measured
	hushed  atomic.Bool    // nobody sends anything new
	talking atomic.Int64   // clients on package client that wait for an answer
}

func newHarness(cfg Config) (_ *harness, err error) {
	w := &harness{cfg: cfg, http: &http.Client{Transport: &http.Transport{}, Timeout: waitLimit}}
	proxies := []**proxy{&w.proxy, &w.slowProxy}
	if n := w.nodes(); n > 1 {
		// Another node can answer what a frozen one does not.
		w.http.Timeout = silence
		w.doors = make([]*proxy, n)
		for i := range w.doors {
			proxies = append(proxies, &w.doors[i])
		}
	}
	for _, p := range proxies {
		if *p, err = newProxy(nil); err != nil {
			return nil, fmt.Errorf("a proxy before the server: %w", err)
		}
	}
	if w.doors == nil {
		w.doors = []*proxy{w.proxy}
	}
	w.streams = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	w.report = Report{
		Seed: cfg.Seed, Faults: map[string]int{}, Back: map[string][]time.Duration{},
		Beside: map[string][]time.Duration{},
	}
	return w, nil
}

func (w *harness) count(change func(*Report)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.report)
}

func (w *harness) progress(name string, err error) {
	if err != nil {
		w.cfg.Logger.Debug("connection ended", "person", name, "err", err)
	}
}

// nodes returns how many servers there are.
func (w *harness) nodes() int {
	if s, ok := w.cfg.Subject.(hasNodes); ok {
		return len(s.URLs())
	}
	return 1
}

// address returns the address of a node that can answer, of another one with each call.
func (w *harness) address() string {
	s, ok := w.cfg.Subject.(hasNodes)
	if !ok {
		return *w.url.Load()
	}
	all := s.URLs()
	can := slices.DeleteFunc(slices.Clone(all), func(url string) bool { return url == "" })
	if len(can) == 0 { // none can, and one is as good as another
		return all[0]
	}
	return can[int(w.asked.Add(1)%int64(len(can)))]
}

// addresses returns where clients reach the nodes, each time in another order.
func (w *harness) addresses() []string {
	first := w.nextExtra() % len(w.doors)
	var urls []string
	for i := range w.doors {
		urls = append(urls, w.doors[(first+i)%len(w.doors)].url())
	}
	return urls
}

// forward directs the proxies to the nodes. url is that of a server that is alone.
func (w *harness) forward(url string) {
	urls := []string{url}
	if s, ok := w.cfg.Subject.(hasNodes); ok {
		urls = s.URLs()
	}
	w.url.Store(&urls[0])
	var all []string
	for i, url := range urls {
		address := strings.TrimPrefix(url, "http://")
		w.doors[i].forwardTo(address)
		all = append(all, address)
	}
	w.proxy.forwardTo(all...)
	w.slowProxy.forwardTo(all...)
}

// forwardNowhere lets nobody reach a node.
func (w *harness) forwardNowhere() {
	for _, p := range append(w.doors, w.proxy, w.slowProxy) {
		p.forwardTo()
	}
}

// links returns a share of the connections of clients, chosen by rnd.
func (w *harness) links(rnd *rand.Rand, share float64) []*proxyConn {
	links := w.proxy.some(rnd, share)
	for _, p := range w.doors {
		if p != w.proxy {
			links = append(links, p.some(rnd, share)...)
		}
	}
	return links
}

// torture runs one round after the other until the time is over.
func (w *harness) torture(ctx context.Context, faults []fault, trials []fileFault) (err error) {
	running, stopAll := context.WithCancel(context.WithoutCancel(ctx))
	var proxied sync.WaitGroup
	proxied.Go(func() { w.proxy.run(running) })
	proxied.Go(func() { w.slowProxy.run(running) })
	for _, p := range w.doors {
		if p != w.proxy {
			proxied.Go(func() { p.run(running) })
		}
	}
	defer proxied.Wait()
	defer stopAll()
	if err := w.start(ctx, "start"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.cfg.Subject.Stop()) }()
	w.report.Memory.Before = memoryOf(w.cfg.Subject)
	proxied.Go(func() { w.watchMemory(running) })
	if w.cfg.Beside > 0 {
		if err := w.measureBystanders(ctx); err != nil {
			return err
		}
	}
	end := time.Now().Add(w.cfg.For)
	for time.Until(end) > 0 && ctx.Err() == nil {
		length := min(w.cfg.Round, time.Until(end))
		w.count(func(r *Report) { r.Rounds++ })
		if len(faults) > 0 {
			if err := w.runRound(ctx, w.report.Rounds, length, faults); err != nil {
				return err
			}
		}
		if len(trials) > 0 {
			if err := w.try(ctx, w.report.Rounds, trials); err != nil {
				return err
			}
		}
		w.cfg.Logger.Info("round checked", "op", w.report.Rounds, "seq", w.report.Messages)
	}
	w.calmMemory(ctx)
	return nil
}

// start starts the server after a fault and waits until it reports success.
func (w *harness) start(ctx context.Context, fault string) error {
	began := time.Now()
	url, err := w.cfg.Subject.Start(ctx)
	if err != nil {
		return err
	}
	w.forward(url)
	if err := w.well(ctx); err != nil {
		return err
	}
	w.back(fault, time.Since(began))
	return nil
}

// well returns when all nodes report that they can store messages.
func (w *harness) well(ctx context.Context) error {
	urls := []string{w.address()}
	if s, ok := w.cfg.Subject.(hasNodes); ok {
		urls = s.URLs()
	}
	for _, url := range urls {
		if err := w.isWell(ctx, url); err != nil {
			return err
		}
	}
	return nil
}

func (w *harness) isWell(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, waitLimit)
	defer cancel()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/healthz", nil)
		if err != nil {
			return err
		}
		answer, err := w.http.Do(r)
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(answer.Status)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("the server is not well %v after the fault: %w", waitLimit, err)
		}
		sleep(ctx, 2*time.Millisecond)
	}
}

// runRound lets people chat during faults, then without faults until everything is answered and
// read, and checks what they saw.
func (w *harness) runRound(ctx context.Context, n int, length time.Duration, faults []fault) error {
	s := w.newRound(n)
	var err error
	if s.prober, err = s.newProber(ctx); err != nil {
		return err
	}
	people, goHome := context.WithCancel(ctx)
	defer goHome()
	g, gctx := errgroup.WithContext(people)
	s.invite(gctx, g)
	g.Go(func() error { s.browse(gctx); return nil })
	weather, calm := context.WithTimeout(gctx, length)
	storms := s.injectAll(weather, n, faults)
	calm()
	if storms == nil {
		storms = s.settle(gctx)
	}
	goHome()
	if err := g.Wait(); err != nil || storms != nil {
		return errors.Join(storms, err)
	}
	if err := s.check(ctx, n); err != nil || len(s.doors) == 1 {
		return err
	}
	return s.checkDeletion(ctx, n)
}

func (w *harness) newRound(n int) *round {
	s := &round{
		harness: w, ledger: &ledger{began: time.Now()},
		pace: time.Duration(float64(w.cfg.People) / w.cfg.Rate * float64(time.Second)),
	}
	for i := range w.cfg.Rooms {
		s.rooms = append(s.rooms, fmt.Sprintf("t%d-%d-%d", w.cfg.Seed%1e9, n, i))
	}
	return s
}

// invite starts all clients: half of the people on two connections, and two on package client.
// In a cluster one more person goes to another node after every operation.
func (s *round) invite(ctx context.Context, g *errgroup.Group) {
	if len(s.doors) > 1 {
		m := s.newMember("W")
		m.wanders = true
		s.members = append(s.members, m)
		g.Go(func() error { m.live(ctx); return nil })
	}
	for i := range s.cfg.People {
		if i < 2 {
			regular := s.newRegular(fmt.Sprintf("R%d", i))
			g.Go(func() error { return regular.live(ctx) })
			continue
		}
		m := s.newMember(fmt.Sprintf("P%d", i))
		s.members = append(s.members, m)
		if i%2 == 0 {
			m.twin = m.secondTab(m.name + "'")
			s.members = append(s.members, m.twin)
			g.Go(func() error { m.twin.runAs(ctx, m); return nil })
		}
		g.Go(func() error { m.live(ctx); return nil })
	}
}

// runAs is live, with the identity of first.
func (m *rawClient) runAs(ctx context.Context, first *rawClient) {
	person, session := first.identity(ctx)
	if ctx.Err() == nil {
		m.is(person, session)
		m.live(ctx)
	}
}

// settle waits until everything is answered and every reader has read it.
func (s *round) settle(ctx context.Context) error {
	s.hushed.Store(true)
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, 2*waitLimit)
	defer cancel()
	for !s.answered() {
		if ctx.Err() != nil {
			return errors.New("some messages were never answered, though the faults are over")
		}
		sleep(ctx, 10*time.Millisecond)
	}
	reading, cancel := context.WithTimeout(ctx, waitLimit)
	defer cancel()
	for _, room := range s.rooms {
		head, err := s.head(ctx, room)
		for err != nil && reading.Err() == nil { // a node may need a moment after the last fault
			sleep(reading, 10*time.Millisecond)
			head, err = s.head(ctx, room)
		}
		if err != nil {
			return fmt.Errorf("head of %s: %w", room, err)
		}
		s.awaitReaders(reading, room, head)
	}
	s.back("everybody has everything", time.Since(began))
	return nil // the checker reports readers that have not read everything
}

func (s *round) answered() bool {
	for _, m := range s.members {
		if len(m.unanswered()) > 0 {
			return false
		}
	}
	return s.talking.Load() == 0
}

// awaitReaders waits until every connected reader has read a room up to head, or ctx ends. It reports whether it had to
// wait.
func (s *round) awaitReaders(ctx context.Context, room string, head int64) (waited bool) {
	for !s.allRead(room, head) && ctx.Err() == nil && !s.ledger.hasForgotten() {
		waited = true
		sleep(ctx, 10*time.Millisecond)
	}
	return waited
}

// allRead reports whether every connected reader has read a room up to head. Later events would be
// repeated or invented ones.
func (s *round) allRead(room string, head int64) bool {
	all := true
	for _, r := range s.ledger.all() {
		if r.Room == room && !s.isHerd(r.Reader) && !s.ledger.hasReached(r, head) {
			all = false
		}
	}
	return all
}

func (s *round) isHerd(reader string) bool { return strings.HasPrefix(reader, herdName) }

func (s *round) check(ctx context.Context, n int) error {
	var histories []History
	for _, room := range s.rooms {
		h, err := s.readHistory(ctx, room)
		if err != nil {
			return fmt.Errorf("history of %s: %w", room, err)
		}
		if h.Messages, err = s.messages(ctx, room); err != nil {
			return fmt.Errorf("messages of %s: %w", room, err)
		}
		histories = append(histories, h)
		s.count(func(r *Report) { r.Messages += len(h.Messages); r.Events += len(h.Events) })
	}
	for _, m := range s.members {
		if s.ledger.hasForgotten() {
			break
		}
		if err := s.reads(ctx, m); err != nil {
			return fmt.Errorf("what %s has read: %w", m.name, err)
		}
	}
	for _, r := range s.ledger.all() {
		r.Complete = !s.isHerd(r.Reader)
	}
	e := s.ledger.evidence(histories)
	if len(s.doors) > 1 {
		e.Forgets = forgetLimit
	}
	for _, r := range e.Runs {
		for _, p := range r.Parts {
			s.count(func(r *Report) { r.Compared += len(p.Events) })
		}
	}
	found := Check(e)
	if len(found) == 0 {
		return nil
	}
	return s.broken(n, e, found)
}

// readHistory returns the history of a room that every connected reader has read. The server itself may add events
// after all senders were answered: it deletes the copies of deleted messages.
func (s *round) readHistory(ctx context.Context, room string) (History, error) {
	reading, cancel := context.WithTimeout(ctx, waitLimit)
	defer cancel()
	for {
		h, err := s.history(ctx, room, 0, -1)
		if err != nil || len(h.Events) == 0 {
			return h, err
		}
		if waited := s.awaitReaders(reading, room, h.Events[len(h.Events)-1].Seq); !waited || reading.Err() != nil {
			return h, nil // the checker reports readers that have not read everything
		}
	}
}

// broken returns the error for broken promises, and stores the evidence.
func (s *round) broken(n int, e Evidence, found []Finding) error {
	broken := &Broken{Seed: s.cfg.Seed, Round: n, Found: found}
	if s.cfg.Evidence != "" {
		broken.Kept = filepath.Join(s.cfg.Evidence, fmt.Sprintf("%d-%d", s.cfg.Seed, n))
		if err := writeEvidence(broken.Kept, e, found); err != nil {
			return errors.Join(broken, fmt.Errorf("keep the evidence: %w", err))
		}
	}
	return broken
}

func writeLines[T any](path string, lines []T) error {
	var b strings.Builder
	out := json.NewEncoder(&b)
	for _, line := range lines {
		if err := out.Encode(line); err != nil {
			return err
		}
	}
	return os.WriteFile(path, []byte(b.String()), 0o600)
}

// newRand returns the random numbers of one lane of a round.
func newRand(seed uint64, round, lane int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(round)<<8|uint64(lane)))
}
