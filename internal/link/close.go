package link

import (
	"context"
	"sync"
	"time"
)

// Close ends the connections in slices, one every sliceTime. It takes spreadPerClient for
// each client, if it may, and asks the clients of a slice to come back within
// retryPerClient for each of them, but not within less than minRetryWithin.
const (
	sliceTime       = 100 * time.Millisecond
	spreadPerClient = 2 * time.Millisecond // to come back takes servers, clients and database some 1.5 ms of CPU
	retryPerClient  = time.Millisecond / 2
	minRetryWithin  = 100 * time.Millisecond
)

// Close makes each connection answer what it has accepted and end, a WebSocket with 1001
// (going away), and waits for their ends. It spreads the ends over two milliseconds per
// client, but at most over the duration spread: so not all clients come back elsewhere at
// the same moment. When ctx ends it aborts the connections that are left.
func (l *Links) Close(ctx context.Context, spread time.Duration) {
	l.admission.Lock()
	l.isClosed = true
	l.admission.Unlock()
	ends := l.ends()
	size := sliceSize(len(ends), spread)
	l.retryWithin.Store(int64(time.Duration(size) * retryPerClient))
	callInSlices(ctx, ends, size)
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		l.conns.Wait()
		close(done)
	})
	select {
	case <-done:
	case <-ctx.Done():
		for _, c := range l.wheel.all() {
			c.abort()
		}
	}
	wg.Wait()
}

// sliceSize returns how many of n connections end together if all end within spread.
func sliceSize(n int, spread time.Duration) int {
	spread = min(spread, time.Duration(n)*spreadPerClient)
	turns := max(1, int(spread/sliceTime))
	return max(1, (n+turns-1)/turns)
}

// callInSlices calls so many functions every sliceTime, and all that are left when ctx ends.
func callInSlices(ctx context.Context, functions []func(), size int) {
	tick := time.NewTicker(sliceTime)
	defer tick.Stop()
	for i, f := range functions {
		if i > 0 && i%size == 0 {
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
		f()
	}
}

// ends returns a function for each connection that begins to end it. Connections that are
// missing, because they begin just now, find that Close has been called.
func (l *Links) ends() (ends []func()) {
	for _, c := range l.wheel.all() {
		ends = append(ends, c.goAway)
	}
	l.admission.Lock()
	defer l.admission.Unlock()
	for st := range l.streams {
		ends = append(ends, st.stop)
	}
	return ends
}

// addStream makes Close end st until forget is called. If Close has been called, it ends
// st at once.
func (l *Links) addStream(st *Stream) (forget func()) {
	l.admission.Lock()
	defer l.admission.Unlock()
	if l.isClosed {
		st.stop()
		return func() {}
	}
	l.streams[st] = struct{}{}
	return func() {
		l.admission.Lock()
		defer l.admission.Unlock()
		delete(l.streams, st)
	}
}

// closed reports whether Close has been called.
func (l *Links) closed() bool {
	l.admission.Lock()
	defer l.admission.Unlock()
	return l.isClosed
}
