package room

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"parley/internal/chat"
)

// lines encodes an event as one line of JSON, which a test can decode.
type lines struct{}

type line struct {
	Seq    chat.Seq             `json:",omitempty"`
	Kind   chat.Kind            `json:",omitempty"`
	From   string               `json:",omitempty"`
	Text   string               `json:",omitempty"`
	Target chat.Seq             `json:",omitempty"`
	Change *chat.PresenceChange `json:",omitempty"`
}

func (lines) Formatted() bool { return true }

func (lines) Append(dst []byte, e chat.Event) []byte {
	b, err := json.Marshal(line{e.Seq, e.Kind, e.From.Name, e.Text, e.Target, e.Change})
	if err != nil {
		panic(err)
	}
	return append(append(dst, b...), '\n')
}

// A slate is a Sink that a test can read, fill and empty.
type slate struct {
	mu     sync.Mutex
	got    []byte
	room   int // how many more bytes it takes; negative: no limit
	ready  func()
	closed chat.Code
	at     time.Time // when it was closed
	err    error
}

func newSlate() *slate { return &slate{room: -1} }

// TryWrite takes whole lines as long as there is room for the first byte of one, like a connection's outbound buffer.
func (s *slate) TryWrite(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0, s.err
	}
	n := len(p)
	if s.room >= 0 {
		n = 0
		for s.room > 0 && n < len(p) {
			end := n + bytes.IndexByte(p[n:], '\n') + 1
			s.room -= end - n
			n = end
		}
		s.room = max(s.room, 0)
	}
	s.got = append(s.got, p[:n]...)
	return n, nil
}

func (s *slate) OnWritable(ready func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.room != 0 { // room was made after TryWrite
		go ready()
		return
	}
	s.ready = ready
}

func (s *slate) Close(code chat.Code) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.at = code, time.Now()
}

// take makes room for n more bytes; negative: no limit.
func (s *slate) take(n int) {
	s.mu.Lock()
	s.room = n
	ready := s.ready
	s.ready = nil
	s.mu.Unlock()
	if ready != nil {
		ready()
	}
}

func (s *slate) closedWith() (chat.Code, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed, s.at
}

func (s *slate) lines() []line {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []line
	for raw := range bytes.Lines(s.got) {
		var l line
		if err := json.Unmarshal(raw, &l); err != nil {
			panic(fmt.Sprintf("%q: %v", raw, err))
		}
		all = append(all, l)
	}
	return all
}

// messages returns the stored events that the sink got.
func (s *slate) messages() []line {
	var kept []line
	for _, l := range s.lines() {
		if l.Seq > 0 {
			kept = append(kept, l)
		}
	}
	return kept
}

// ephemerals returns the ephemeral events that the sink got.
func (s *slate) ephemerals() []line {
	var kept []line
	for _, l := range s.lines() {
		if l.Seq == 0 {
			kept = append(kept, l)
		}
	}
	return kept
}

// wantRun fails the test unless the sink got exactly the events first to last, once and in order.
func (s *slate) wantRun(t *testing.T, first, last chat.Seq) {
	t.Helper()
	got := s.messages()
	if len(got) != int(last-first+1) {
		t.Errorf("%d events, want %d to %d", len(got), first, last)
	}
	for i, l := range got {
		if want := first + chat.Seq(i); l.Seq != want {
			t.Fatalf("event %d has seq %d, want %d", i, l.Seq, want)
		}
	}
}
