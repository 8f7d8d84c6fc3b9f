package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// Limits of a lossyWriter.
const (
	lossyBuffer = 1 << 20     // bytes that wait to be written; lines beyond that are lost
	lossyFlush  = time.Second // how long close waits for them
)

// A lossyWriter passes lines on to a file without blocking: Write always succeeds at once. When the
// file accepts nothing (a pipe that nobody reads, a full disk), lines are lost and counted.
type lossyWriter struct {
	to         io.Writer
	reportLost func(w io.Writer, lines uint64)
	wake       chan struct{} // capacity 1: there is something to write
	stop       chan struct{} // closed by close
	done       chan struct{} // closed by run

	mu      sync.Mutex
	waiting []byte
	lost    uint64 // lines since the start
}

// newLossyWriter returns a writer that passes lines on to another until close is called. tell, which may be nil,
// writes a line about lost lines.
func newLossyWriter(to io.Writer, tell func(w io.Writer, lines uint64)) *lossyWriter {
	w := &lossyWriter{
		to: to, reportLost: tell, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	go w.run()
	return w
}

// Write accepts whole lines.
func (w *lossyWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	if len(w.waiting)+len(p) > lossyBuffer {
		w.lost += countLines(p)
	} else {
		w.waiting = append(w.waiting, p...)
	}
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default: // run will check anyway
	}
	return len(p), nil
}

// lostLines returns how many lines were lost.
func (w *lossyWriter) lostLines() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost
}

// close writes the waiting lines. If the file accepts nothing for a second, close leaves run behind
// in a system call that cannot be interrupted.
func (w *lossyWriter) close() {
	close(w.stop)
	giveUp := time.NewTimer(lossyFlush)
	defer giveUp.Stop()
	select {
	case <-w.done:
	case <-giveUp.C:
	}
}

func (w *lossyWriter) run() {
	defer close(w.done)
	var told uint64  // how many of the lost lines have been reported
	midLine := false // the file ends within a line
	for ended := false; !ended; {
		select {
		case <-w.wake:
		case <-w.stop:
			ended = true
		}
		w.mu.Lock()
		lines, lost := w.waiting, w.lost
		w.waiting = nil
		w.mu.Unlock()
		if failed := w.write(&midLine, lines); failed > 0 {
			w.mu.Lock()
			w.lost += failed
			w.mu.Unlock()
			continue
		}
		if lost > told && w.reportLost != nil {
			var b bytes.Buffer
			w.reportLost(&b, lost-told)
			if w.write(&midLine, b.Bytes()) == 0 {
				told = lost
			}
		}
	}
}

// write returns how many of the lines were not written completely.
func (w *lossyWriter) write(midLine *bool, lines []byte) (failed uint64) {
	if len(lines) == 0 {
		return 0
	}
	if *midLine {
		if n, _ := w.to.Write([]byte("\n")); n == 0 {
			return countLines(lines)
		}
		*midLine = false
	}
	n, err := w.to.Write(lines)
	if err == nil {
		return 0
	}
	*midLine = n > 0 && lines[n-1] != '\n'
	return countLines(lines[n:])
}

func countLines(p []byte) uint64 { return uint64(bytes.Count(p, []byte("\n"))) }

// printError prints why a command failed. It waits at most a second for a blocked standard error,
// and ignores a closed one, so the exit status stays the same.
func printError(stderr io.Writer, why string) {
	defer ignoreSIGPIPE()()
	w := newLossyWriter(stderr, nil)
	fmt.Fprintf(w, "parley: %s\n", why)
	w.close()
}

// ignoreSIGPIPE makes writes to a closed standard output or standard error fail instead of ending
// the program, until stop is called. It catches the signal rather than ignoring it, because child
// processes would inherit an ignored signal.
func ignoreSIGPIPE() (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGPIPE)
	return func() { signal.Stop(signals) }
}
