package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// A moodyFile accepts the bytes that take returns.
type moodyFile struct {
	mu   sync.Mutex
	got  bytes.Buffer
	take func(p []byte) (int, error) // nil: all bytes
}

func (f *moodyFile) Write(p []byte) (int, error) {
	f.mu.Lock()
	take := f.take
	f.mu.Unlock()
	n, err := len(p), error(nil)
	if take != nil {
		n, err = take(p)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.got.Write(p[:n])
	return n, err
}

func (f *moodyFile) becomes(take func(p []byte) (int, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.take = take
}

func tellLostLines(w io.Writer, lines uint64) { fmt.Fprintf(w, "lost %d\n", lines) }

func TestLostLinesAreCountedAndReportedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &moodyFile{}
		w := newLossyWriter(f, tellLostLines)
		say := func(line string) {
			if n, err := io.WriteString(w, line+"\n"); n != len(line)+1 || err != nil {
				t.Errorf("%q: %d, %v", line, n, err)
			}
			synctest.Wait()
		}
		say("one")
		f.becomes(func([]byte) (int, error) { return 0, errors.New("no space left on device") })
		say("two")
		say("three")
		f.becomes(func(p []byte) (int, error) { return 2, errors.New("no space left on device") })
		say("four")
		f.becomes(nil)
		say("five")
		w.close()
		if want := "one\nfo\nfive\nlost 3\n"; f.got.String() != want || w.lostLines() != 3 {
			t.Errorf("the file has %q, want %q; %d lines are lost", f.got.String(), want, w.lostLines())
		}
	})
}

func TestBlockedFileDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blocked := make(chan struct{})
		f := &moodyFile{}
		f.becomes(func(p []byte) (int, error) {
			<-blocked
			return len(p), nil
		})
		w := newLossyWriter(f, tellLostLines)
		line := strings.Repeat("x", 999) + "\n"
		for range 5000 { // 5 MB
			if _, err := io.WriteString(w, line); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		w.mu.Lock()
		waiting := len(w.waiting)
		w.mu.Unlock()
		if waiting > lossyBuffer || w.lostLines() == 0 {
			t.Errorf("%d bytes wait, %d lines are lost", waiting, w.lostLines())
		}
		close(blocked)
		w.close()
		var whole, told uint64
		for got := range strings.Lines(f.got.String()) {
			var lost uint64
			if got == line {
				whole++
			} else if _, err := fmt.Sscanf(got, "lost %d", &lost); err != nil {
				t.Errorf("a line is %q", got)
			}
			told += lost
		}
		if whole+told != 5000 || told != w.lostLines() {
			t.Errorf("%d lines are there, %d are told to be lost, %d are", whole, told, w.lostLines())
		}
	})
}

func TestTheEndDoesNotWaitForAFileThatBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blocked := make(chan struct{})
		f := &moodyFile{}
		f.becomes(func([]byte) (int, error) {
			<-blocked
			return 0, io.ErrClosedPipe
		})
		w := newLossyWriter(f, nil)
		io.WriteString(w, "the last word\n")
		w.close() // otherwise the bubble deadlocks
		close(blocked)
		<-w.done
	})
}
