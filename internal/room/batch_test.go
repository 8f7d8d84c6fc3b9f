package room

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"parley/internal/chat"
)

// A smallBatch is a Batch of at most three sinks, each at most once. Send calls TryWrite.
type smallBatch struct {
	sinks  []Sink
	bytes  [][]byte
	result []Written
	sent   *int
}

func (b *smallBatch) Add(sink Sink, p []byte) bool {
	if len(b.sinks) == 3 {
		return false
	}
	for _, other := range b.sinks {
		if other == sink {
			return false
		}
	}
	b.sinks, b.bytes = append(b.sinks, sink), append(b.bytes, p)
	return true
}

func (b *smallBatch) Send() []Written {
	b.result = b.result[:0]
	for i, sink := range b.sinks {
		b.result = append(b.result, b.write(sink, b.bytes[i]))
	}
	b.sinks, b.bytes = nil, nil
	return b.result
}

func (b *smallBatch) write(sink Sink, p []byte) (w Written) {
	defer func() { w.Panic = recover() }()
	*b.sent++
	w.N, w.Err = sink.TryWrite(p)
	return w
}

func (b *smallBatch) Close() {}

// clumsy is a Sink that panics in TryWrite.
type clumsy struct{ *slate }

func (clumsy) TryWrite([]byte) (int, error) { panic("a mistake in writing") }

func TestBatchServesEveryReaderAsTryWriteWould(t *testing.T) {
	sent := 0
	cfg := Config{NewBatch: func() Batch { return &smallBatch{sent: &sent} }}
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		var well []*slate
		for range 10 {
			s := newSlate()
			b.join(nil, s)
			well = append(well, s)
		}
		slow, broken, twice := newSlate(), newSlate(), newSlate()
		b.join(nil, slow)
		b.join(nil, broken)
		b.join(nil, twice)
		b.join(nil, twice)
		bad := clumsy{newSlate()}
		j := JoinRequest{Sink: bad, Encoder: lines{}}
		if _, err := b.Join(t.Context(), nobody, "lobby", j, func(JoinResult) {}); err != nil {
			t.Fatal(err)
		}
		b.sayMany(0)
		slow.take(1)
		broken.mu.Lock()
		broken.err = errors.New("broken")
		broken.mu.Unlock()
		for i := range 3 { // one at a time, so that each is flushed by itself
			b.say(ada, fmt.Sprint("message ", i))
			synctest.Wait()
		}
		for _, s := range well {
			s.wantRun(t, 1, 3)
		}
		slow.wantRun(t, 1, 1)
		slow.take(-1)
		synctest.Wait()
		slow.wantRun(t, 1, 3)
		if got := len(twice.messages()); got != 6 {
			t.Errorf("a sink with two readers has %d events, want each twice", got)
		}
		if got := len(broken.messages()); got > 0 {
			t.Errorf("a dead sink has %d events", got)
		}
		if code, _ := bad.closedWith(); code != chat.Internal {
			t.Errorf("a sink that panics was closed with %q", code)
		}
		if sent < 3*len(well) {
			t.Errorf("%d writes were in a batch", sent)
		}
	})
}
