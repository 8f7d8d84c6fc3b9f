package search

import (
	"math/rand/v2"
	"testing"
	"time"

	"parley/internal/chat"
)

// A storyline says which events BenchmarkIndexing indexes.
type storyline struct {
	name           string
	edits, deletes int  // of 100 events
	asItHappens    bool // the index follows while it happens; else it is made afterwards
	recent         bool // what is changed was said lately
}

// BenchmarkIndexing shows what edits and deletions cost compared with plain messages:
//
//	go test ./internal/search -run '^$' -bench Indexing -benchtime 1x -messages 80000
//
// us/event is the time to index an event, without the pauses that leave the processor to others. times-plain compares
// it with plain messages that were indexed in the same way.
func BenchmarkIndexing(b *testing.B) {
	plain := map[bool]float64{}
	for _, s := range []storyline{
		{name: "plain", asItHappens: true},
		{name: "changes-of-lately", edits: 18, deletes: 9, asItHappens: true, recent: true},
		{name: "changes-of-anything", edits: 18, deletes: 9, asItHappens: true},
		{name: "plain-afterwards"},
		{name: "changes-afterwards", edits: 18, deletes: 9},
	} {
		b.Run(s.name, func(b *testing.B) {
			perEvent := 0.0
			for b.Loop() {
				perEvent = s.index(b, *benchMessages)
			}
			b.ReportMetric(perEvent, "us/event")
			if s.edits+s.deletes == 0 {
				plain[s.asItHappens] = perEvent
			} else if plain[s.asItHappens] > 0 {
				b.ReportMetric(perEvent/plain[s.asItHappens], "times-plain")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// index indexes n events, and returns the microseconds for each.
func (s storyline) index(b *testing.B, events int) float64 {
	b.Helper()
	l := newMemLog()
	c := newCorpus(events, 8)
	random := rand.New(rand.NewPCG(5, 6))
	var took time.Duration
	x := New(l, Config{Dir: b.TempDir(), Indexed: func(_ int, d time.Duration) { took += d }})
	defer x.close()
	said := make([][]chat.Seq, c.rooms)
	for n := range events {
		room, e := c.message(n)
		name := roomName(room)
		target := func() chat.Seq {
			i := random.IntN(len(said[room]))
			if s.recent {
				i = max(len(said[room])-1-random.IntN(500), 0)
			}
			return said[room][i]
		}
		switch dice := random.IntN(100); {
		case len(said[room]) > 0 && dice < s.edits:
			l.edit(name, target(), e.Text)
		case len(said[room]) > 0 && dice < s.edits+s.deletes:
			l.erase(name, target())
		default:
			said[room] = append(said[room], l.say(name, e.From.Name, e.Text))
		}
		if s.asItHappens && n%2000 == 1999 {
			follow(b, x, l)
		}
	}
	follow(b, x, l)
	return float64(took.Microseconds()) / float64(events)
}
