package bench

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"
)

// echo starts a server that sends back what it gets, until the test ends.
func echo(t *testing.T) (address string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	return ln.Addr().String()
}

// ask returns a function that sends a line to a server and waits for its answer.
func ask(t *testing.T, address string) func(line string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	lines := bufio.NewReader(c)
	return func(line string) {
		t.Helper()
		if _, err := io.WriteString(c, line+"\n"); err != nil {
			t.Fatal(err)
		}
		if got, err := lines.ReadString('\n'); err != nil || got != line+"\n" {
			t.Fatalf("answer %q, %v", got, err)
		}
	}
}

func TestCommitClockNotesOnlyAnswersToMessages(t *testing.T) {
	clock, err := newCommitClock(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(clock.close)
	storing, other := ask(t, clock.address()), ask(t, clock.address())
	storing("a heartbeat")
	if at := clock.latest.Load(); at != nil {
		t.Fatalf("noted %v, and nothing was stored", at)
	}
	before := time.Now()
	storing("INSERT " + greeting)
	at := clock.latest.Load()
	if at == nil || at.Before(before) || at.After(time.Now()) {
		t.Fatalf("noted %v for an answer after %v", at, before)
	}
	storing("a heartbeat")
	other("a heartbeat")
	if clock.latest.Load() != at {
		t.Error("noted an answer to something else")
	}
}

func TestTripCounterCountsQuestionsAfterAnswers(t *testing.T) {
	counter, err := newTripCounter(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(counter.close)
	one, two := ask(t, counter.address()), ask(t, counter.address())
	for range 3 {
		one("a")
		two("b")
	}
	if got := counter.trips.Load(); got != 4 { // each first question follows no answer
		t.Errorf("%d trips", got)
	}
}
