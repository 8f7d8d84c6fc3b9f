package sqlite

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/store/storetest"
)

// BenchmarkCommit stores messages with synchronous=FULL while so many wait for
// their answer at any time.
func BenchmarkCommit(b *testing.B) {
	for _, waiting := range []int{1, 64, 1024, 16384} {
		b.Run(fmt.Sprint("waiting=", waiting), func(b *testing.B) {
			s, _ := startOn(b, Config{Dir: b.TempDir(), Logger: slog.New(slog.DiscardHandler)}, "")
			storetest.BenchmarkCommits(b, s, waiting, nil)
		})
	}
}

// BenchmarkAfter reads a page of history from a room of 100,000 messages.
func BenchmarkAfter(b *testing.B) {
	const messages = 100_000
	s, _ := startOn(b, Config{Dir: b.TempDir(), Logger: slog.New(slog.DiscardHandler)}, "")
	for range messages / 10_000 {
		post(b, s, drafts("lobby", 10_000)...)
	}
	for name, after := range map[string]chat.Seq{"start": 0, "middle": messages / 2, "end": messages - chat.MaxPage} {
		b.Run(name, func(b *testing.B) {
			start := time.Now()
			for b.Loop() {
				events, err := s.After(b.Context(), "lobby", after, chat.MaxPage)
				if err != nil || len(events) != chat.MaxPage {
					b.Fatalf("%d events, error %v", len(events), err)
				}
			}
			b.ReportMetric(float64(b.N*chat.MaxPage)/time.Since(start).Seconds(), "events/s")
		})
	}
}

// BenchmarkPage reads the newest page of a room of 100,000 messages, to which
// nothing was done.
func BenchmarkPage(b *testing.B) {
	s, _ := startOn(b, Config{Dir: b.TempDir(), Logger: slog.New(slog.DiscardHandler)}, "")
	for range 10 {
		post(b, s, drafts("lobby", 10_000)...)
	}
	b.ReportAllocs()
	for b.Loop() {
		if page, err := s.Page(b.Context(), "lobby", chat.PageQuery{Limit: 50}); err != nil ||
			len(page.Messages) != 50 {
			b.Fatal(len(page.Messages), err)
		}
	}
}
