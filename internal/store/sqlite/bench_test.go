package sqlite

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"parley/internal/chat"
)

// BenchmarkCommit stores messages with synchronous=FULL while so many wait for
// their answer at any time.
func BenchmarkCommit(b *testing.B) {
	for _, flying := range []int{1, 64, 1024, 16384} {
		b.Run(fmt.Sprint("flying=", flying), func(b *testing.B) {
			s, _ := startOn(b, Config{Dir: b.TempDir(), Logger: slog.New(slog.DiscardHandler)}, "")
			const text = "A message of a usual length: two lines on a phone, perhaps with a link in it."
			free := make(chan struct{}, flying)
			done := func(c chat.Commit) {
				if c.Err != nil {
					b.Error(c.Err)
				}
				<-free
			}
			b.ResetTimer()
			for i := range b.N {
				free <- struct{}{}
				from := chat.Person{ID: chat.PersonID(fmt.Sprint("p", i%64)), Name: "Ada Lovelace"}
				s.Append(draft("lobby", from, text, fmt.Sprintf("0198c1d2-7a3b-7c4d-8e5f-%012x", i)), done)
			}
			for range flying {
				free <- struct{}{}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
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
