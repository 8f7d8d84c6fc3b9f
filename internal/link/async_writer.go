package link

import "sync"

// An asyncWriter is an egress by a goroutine of its own, for what can only be written
// with waiting: a TLS connection, an HTTP response. It takes all it is given
// when it is idle; when it is not, only what is short, as a socket's buffer
// would: else whatever comes close behind something would find it full.
type asyncWriter struct {
	aside func(f func()) // calls f on a goroutine that somebody waits for

	mu   sync.Mutex
	turn sync.Cond // busy or ended has changed
	a, b []byte    // being written
	next []byte    // to be written then
	busy bool
	err  error // set when ended
}

// asyncBuffer is how many bytes a busy pipe takes.
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

// notify waits until the pipe is idle, as before that it may take nothing.
func (p *asyncWriter) notify(ready func()) {
	p.aside(func() {
		p.awaitIdle() // what it has come to, the next write tells
		ready()
	})
}

func (p *asyncWriter) awaitIdle() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.busy && p.err == nil {
		p.turn.Wait()
	}
	return p.err
}

// end has run return and everybody else know.
func (p *asyncWriter) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = errEnded
		p.turn.Broadcast()
	}
}

// run writes what the pipe takes, until end or an error.
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
