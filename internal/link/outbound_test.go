package link

import (
	"bytes"
	"testing"

	"parley/internal/chat"
)

// A gauge is a transportWriter that takes everything or nothing.
type gauge struct{ full bool }

func (g *gauge) write(a, b []byte) (int, error) {
	if g.full {
		return 0, nil
	}
	return len(a) + len(b), nil
}

func (g *gauge) notify(func()) {}

func TestUnsolicitedFramesAreBounded(t *testing.T) {
	frame := bytes.Repeat([]byte("x"), 100)
	queue := func(o *Outbound) bool {
		return o.QueueUnsolicited(func(dst []byte) []byte { return append(dst, frame...) })
	}
	var o Outbound
	o.init(&gauge{full: true}, func(chat.Code) {})
	o.QueueAnswer(func(dst []byte) []byte { return append(dst, make([]byte, 2*maxUnsolicited)...) }) // may be long
	taken := 0
	for queue(&o) {
		taken += len(frame)
	}
	if taken < maxUnsolicited || taken > maxUnsolicited+len(frame) {
		t.Errorf("%d bytes wait, at most %d", taken, maxUnsolicited)
	}

	o = Outbound{}
	o.init(&gauge{}, func(chat.Code) {})
	for range 2 * maxUnsolicited / len(frame) {
		if !queue(&o) {
			t.Fatal("a client that takes everything is refused a frame")
		}
		o.Flush()
	}
}
