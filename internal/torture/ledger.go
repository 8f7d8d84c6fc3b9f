package torture

import (
	"slices"
	"sync"
	"time"
)

// A ledger records what every client does and sees, as it happens.
type ledger struct {
	began time.Time

	mu       sync.Mutex
	times    []time.Duration // of the ticks, since began
	conns    int
	attempts []*Attempt
	looks    []HeadRead
	runs     []*Observed
	pages    []Page
	reads    []*ReadMark
	forgot   []string
	kept     []string
	mute     []string
}

// next returns a new tick. The caller holds l.mu.
func (l *ledger) next() Tick {
	if l.times == nil {
		l.times = make([]time.Duration, 1) // tick 0 means never
	}
	l.times = append(l.times, time.Since(l.began))
	return Tick(len(l.times) - 1)
}

// forgets records that the server no longer knows a person.
func (l *ledger) forgets(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forgot = append(l.forgot, name)
}

// remembered records that a node still showed a deleted text.
func (l *ledger) remembered(why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, why)
}

// unanswered records that a request had no answer, or that of another request.
func (l *ledger) unanswered(why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mute = append(l.mute, why)
}

// calls records an attempt that is about to be made.
func (l *ledger) calls(a Attempt) *Attempt {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.Called, a.Text = l.next(), abridged(a.Text)
	l.attempts = append(l.attempts, &a)
	return &a
}

// answered records the answer to an attempt: a seq, or the code of a refusal.
func (l *ledger) answered(a *Attempt, seq int64, refused string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.Answered, a.Seq, a.Refused = l.next(), seq, refused
}

// now returns the present tick, for looked.
func (l *ledger) now() Tick {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next()
}

// looked records the newest seq that a client read of a room just now.
func (l *ledger) looked(look HeadRead) {
	l.mu.Lock()
	defer l.mu.Unlock()
	look.Answered = l.next()
	l.looks = append(l.looks, look)
}

// read records a page of message states.
func (l *ledger) read(p Page) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pages = append(l.pages, p)
}

// asks records that a person sets or reads a read mark.
func (l *ledger) asks(r ReadMark) *ReadMark {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Called = l.next()
	l.reads = append(l.reads, &r)
	return &r
}

// tells records the answer.
func (l *ledger) tells(r *ReadMark, seq int64, unread int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Answered, r.Read, r.Unread = l.next(), seq, unread
}

// run begins the record of what a reader sees of a room.
func (l *ledger) run(reader, room string) *Observed {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := &Observed{Reader: reader, Room: room}
	l.runs = append(l.runs, r)
	return r
}

// connects returns the number of a new connection.
func (l *ledger) connects() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns++
	return l.conns
}

// part begins the record of what a reader sees over one connection.
func (l *ledger) part(r *Observed, p ObservedPart) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Parts = append(r.Parts, p)
	r.newest = max(r.newest, p.After)
	for _, e := range p.Events {
		r.newest = max(r.newest, e.Seq)
	}
}

// saw adds an event to the last part of a record.
func (l *ledger) saw(r *Observed, e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Text = abridged(e.Text)
	p := &r.Parts[len(r.Parts)-1]
	p.Events = append(p.Events, e)
	r.newest = max(r.newest, e.Seq)
}

// hasReached reports whether a reader has seen an event or a later one.
func (l *ledger) hasReached(r *Observed, seq int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return r.newest >= seq
}

// last returns the last seq of a record, and its epoch.
func (l *ledger) last(r *Observed) (seq int64, epoch string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range slices.Backward(r.Parts) {
		if n := len(p.Events); n > 0 {
			return p.Events[n-1].Seq, p.Epoch
		}
		seq, epoch = p.After, p.Epoch
	}
	return seq, epoch
}

func (l *ledger) hasForgotten() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.forgot) > 0
}

func (l *ledger) all() []*Observed {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.runs)
}

// evidence returns the records. No client may write any more.
func (l *ledger) evidence(histories []History) Evidence {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := Evidence{
		Times: l.times, Looks: l.looks, Pages: l.pages, Histories: histories, Forgotten: l.forgot, Remembered: l.kept,
		Unanswered: l.mute,
	}
	for _, a := range l.attempts {
		e.Attempts = append(e.Attempts, *a)
	}
	for _, r := range l.reads {
		e.Reads = append(e.Reads, *r)
	}
	for _, r := range l.runs {
		e.Runs = append(e.Runs, *r)
	}
	return e
}
