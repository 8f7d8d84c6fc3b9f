package link

import (
	"strings"
	"testing"

	"parley/internal/chat"
)

// A mouth takes all that is written to it, or nothing.
type mouth struct{ full bool }

func (m *mouth) write(a, b []byte) (int, error) {
	if m.full {
		return 0, nil
	}
	return len(a) + len(b), nil
}

func (m *mouth) notify(func()) {}

func TestUnsolicitedFramesThatAreNotTakenAreLimited(t *testing.T) {
	frame := func(n int) func([]byte) []byte {
		return func(dst []byte) []byte { return append(dst, strings.Repeat("x", n)...) }
	}
	m := &mouth{full: true}
	var o Outbound
	o.init(m, func(chat.Code) {})
	o.QueueAnswer(frame(2 * maxUnsolicited)) // an answer may be long
	for n := 0; n < maxUnsolicited; n += 100 {
		if !o.QueueUnsolicited(frame(100)) {
			t.Fatalf("refused after %d bytes", n)
		}
	}
	if o.QueueUnsolicited(frame(100)) {
		t.Error("there is no limit")
	}
	m.full = false
	for range 2 * maxUnsolicited / 100 {
		o.Flush()
		if !o.QueueUnsolicited(frame(100)) {
			t.Fatal("refused though all before was taken")
		}
	}
}
