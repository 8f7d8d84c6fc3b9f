package link

import (
	"strings"
	"sync"
	"testing"

	"parley/internal/chat"
)

func TestBusyWriterStillTakesShortWrites(t *testing.T) {
	writing, goOn := make(chan string), make(chan struct{})
	var wg sync.WaitGroup
	p := newAsyncWriter(wg.Go)
	wg.Go(func() {
		p.run(func(b []byte) error {
			writing <- string(b)
			<-goOn
			return nil
		})
	})
	var o Outbound
	o.init(p, func(chat.Code) {})
	take := func(s string, want int) {
		t.Helper()
		if n, err := o.TryWrite([]byte(s)); n != want || err != nil {
			t.Errorf("took %d bytes of %d, %v; want %d", n, len(s), err, want)
		}
	}
	take("event", 5)
	if got := <-writing; got != "event" {
		t.Errorf("wrote %q", got)
	}
	take("presence", 8)
	take("typing", 6)
	take(strings.Repeat("x", asyncBuffer), 0)
	goOn <- struct{}{}
	if got := <-writing; got != "presencetyping" {
		t.Errorf("wrote %q", got)
	}
	idle := make(chan struct{})
	o.OnWritable(func() { close(idle) })
	goOn <- struct{}{}
	<-idle
	take(strings.Repeat("x", 2*asyncBuffer), 2*asyncBuffer)
	if got := <-writing; len(got) != 2*asyncBuffer {
		t.Errorf("wrote %d bytes", len(got))
	}
	p.end()
	goOn <- struct{}{}
	wg.Wait()
}
