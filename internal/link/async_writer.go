package link

import "sync"

// An asyncWriter is a transportWriter for connections and responses whose Write
// blocks: a goroutine of its own writes. An idle asyncWriter takes everything. A
// busy one takes up to asyncBuffer bytes, as a socket's buffer would: otherwise a
// short write right after another would always find it full.
type asyncWriter struct {
	aside func(f func()) // calls f on a goroutine that the owner waits for

	mu   sync.Mutex
	turn sync.Cond // busy or err has changed
	a, b []byte    // being written; owned by run while busy
	next []byte    // to be written after a and b
	busy bool
	err  error // not nil once nothing more is taken
}

// asyncBuffer is how many bytes a busy asyncWriter takes.
const asyncBuffer = 16 << 10

func newAsyncWriter(aside func(f func())) *asyncWriter {
	p := &asyncWriter{aside: aside}
	p.turn.L = &p.mu
	return p
}

func (p *asyncWriter) write(a, b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return 0, p.err
	}
	n := len(a) + len(b)
	switch {
	case n == 0 || p.busy && len(p.next)+n > asyncBuffer:
		return 0, nil
	case p.busy:
		p.next = append(append(p.next, a...), b...)
	default:
		p.a, p.b = append([]byte(nil), a...), b
		p.busy = true
		p.turn.Broadcast()
	}
	return n, nil
}

// notify calls ready when the writer is idle. Before that it may take nothing.
func (p *asyncWriter) notify(ready func()) {
	p.aside(func() {
		p.awaitIdle() // the next write returns the error
		ready()
	})
}

// awaitIdle waits until everything that was taken has been written. It returns an
// error if the writer has ended.
func (p *asyncWriter) awaitIdle() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.busy && p.err == nil {
		p.turn.Wait()
	}
	return p.err
}

// end makes run return, awaitIdle fail and write take nothing more.
func (p *asyncWriter) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = errEnded
		p.turn.Broadcast()
	}
}

// run calls write with what the asyncWriter takes, until end or an error.
func (p *asyncWriter) run(write func([]byte) error) {
	defer p.end()
	for {
		p.mu.Lock()
		for !p.busy && p.err == nil {
			p.turn.Wait()
		}
		a, b, err := p.a, p.b, p.err
		p.mu.Unlock()
		if err != nil {
			return
		}
		for _, part := range [][]byte{a, b} {
			if len(part) > 0 && write(part) != nil {
				return
			}
		}
		p.mu.Lock()
		p.a, p.b, p.next = p.next, nil, nil
		if p.busy = len(p.a) > 0; !p.busy {
			p.turn.Broadcast()
		}
		p.mu.Unlock()
	}
}
