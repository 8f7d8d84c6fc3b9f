//go:build unix

package cli

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/store/sqlite"
)

// A back-up whose receiver reads nothing is given up after a while. Meanwhile nobody else can fill
// the disk with another copy.
func TestCopyThatNobodyTakesIsGivenUp(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 40)) // longer than a socket's address may be
	log, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- log.Run(ctx) }()
	var lines bytes.Buffer
	s := newSocket(dir, log, slog.New(slog.NewTextHandler(&lines, nil)))
	s.stall = 50 * time.Millisecond
	go func() { ended <- s.Run(ctx) }()
	done := make(chan chat.Commit)
	for range 400 {
		log.Append(
			chat.Draft{Room: "lobby", From: chat.Person{ID: "ada", Name: "Ada"}, Text: strings.Repeat("words ", 3000)},
			func(c chat.Commit) { done <- c })
		if c := <-done; c.Err != nil {
			t.Fatal(c.Err)
		}
	}
	ask := func() *http.Response {
		t.Helper()
		for began := time.Now(); ; {
			dial, err := dialSocket(dir)
			if err == nil {
				c := &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
				answer, err := c.Post("http://parley/backup", "", nil)
				if err == nil {
					return answer
				}
			}
			if time.Since(began) > patience {
				t.Fatal("the socket does not answer")
			}
		}
	}
	stuck := ask()
	if stuck.StatusCode != http.StatusOK || stuck.ContentLength < 4<<20 {
		t.Fatalf("%s with %d bytes", stuck.Status, stuck.ContentLength)
	}
	for began := time.Now(); ; {
		answer := ask()
		n, err := io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK && err == nil && n == answer.ContentLength {
			break // the first one was given up
		}
		refused := answer.StatusCode != http.StatusConflict && answer.StatusCode != http.StatusOK
		if refused || time.Since(began) > patience { // on a busy machine this one may be given up too
			t.Fatalf("%s, %d bytes, %v", answer.Status, n, err)
		}
	}
	if n, err := io.Copy(io.Discard, stuck.Body); err == nil {
		t.Errorf("the one that was given up has all its %d bytes", n)
	}
	stuck.Body.Close()
	stop()
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if !strings.Contains(lines.String(), "a back-up was given up") {
		t.Errorf("logged: %s", lines.String())
	}
}
