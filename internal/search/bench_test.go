package search

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
)

// A corpusLog is a corpus as a Source. It makes messages when they are read, which takes about as long as reading them
// from a store.
type corpusLog struct {
	*corpus
	byRoom  [][]int32
	deleted map[chat.RoomName][]chat.Event // behind a room's messages
	text    int64                          // bytes of all texts
}

func newCorpusLog(messages, rooms int) *corpusLog {
	l := &corpusLog{
		corpus: newCorpus(messages, rooms), byRoom: make([][]int32, rooms),
		deleted: make(map[chat.RoomName][]chat.Event),
	}
	for n := range messages {
		room, e := l.message(n)
		l.byRoom[room] = append(l.byRoom[room], int32(n))
		l.text += int64(len(e.Text))
	}
	return l
}

func roomName(n int) chat.RoomName { return chat.RoomName(fmt.Sprintf("room%04d", n)) }

func (l *corpusLog) at(name chat.RoomName, seq chat.Seq) chat.Event {
	room, err := strconv.Atoi(strings.TrimPrefix(string(name), "room"))
	if err != nil {
		panic(err)
	}
	if n := int(seq) - 1 - len(l.byRoom[room]); n >= 0 {
		return l.deleted[name][n]
	}
	_, e := l.message(int(l.byRoom[room][seq-1]))
	e.Room, e.Seq = name, seq
	if slices.ContainsFunc(l.deleted[name], func(d chat.Event) bool { return d.Target == seq }) {
		e.Text = ""
	}
	return e
}

// erase deletes a message.
func (l *corpusLog) erase(room int, seq chat.Seq) {
	name := roomName(room)
	l.deleted[name] = append(l.deleted[name], chat.Event{
		Room: name, Seq: chat.Seq(len(l.byRoom[room]) + len(l.deleted[name]) + 1), At: corpusStart.AddDate(100, 0, 0),
		Kind: chat.Delete, Target: seq,
	})
}

func (l *corpusLog) names() (names []chat.RoomName) {
	for n := range l.byRoom {
		names = append(names, roomName(n))
	}
	return names
}

func (l *corpusLog) Heads(context.Context) (map[chat.RoomName]chat.Seq, error) {
	heads := make(map[chat.RoomName]chat.Seq)
	for n, numbers := range l.byRoom {
		heads[roomName(n)] = chat.Seq(len(numbers) + len(l.deleted[roomName(n)]))
	}
	return heads, nil
}

func (l *corpusLog) After(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	heads, err := l.Heads(ctx)
	if err != nil {
		return nil, err
	}
	var events []chat.Event
	for seq++; seq <= heads[room] && len(events) < limit; seq++ {
		events = append(events, l.at(room, seq))
	}
	return events, nil
}

func (l *corpusLog) Texts(_ context.Context, places []chat.MessageRef) ([]chat.Event, error) {
	events := make([]chat.Event, len(places))
	for i, p := range places {
		events[i] = l.at(p.Room, p.Seq)
	}
	return events, nil
}

func (l *corpusLog) Deletions(context.Context, chat.RoomName, chat.Seq, int) ([]chat.Event, error) {
	return nil, nil
}

// indexed returns an index of as many messages as the flag -messages says.
func indexed(b *testing.B) (*Index, *corpusLog) {
	b.Helper()
	l := newCorpusLog(*benchMessages, 400)
	dir := b.TempDir()
	x := New(l, Config{Dir: dir})
	b.Cleanup(x.close)
	begin := time.Now()
	must(b, x.catchUp(b.Context()))
	built := time.Since(begin)
	info, err := os.Stat(indexFile(dir))
	must(b, err)
	b.Logf("%d messages of %.1f bytes indexed in %.1f s; index %.1f MB, %.3f of the text", l.messages,
		float64(l.text)/float64(l.messages), built.Seconds(), float64(info.Size())/1e6,
		float64(info.Size())/float64(l.text))
	return x, l
}

// BenchmarkSearch reads first pages: go test ./internal/search -run '^$' -bench Search -messages 1000000
func BenchmarkSearch(b *testing.B) {
	x, l := indexed(b)
	random := rand.New(rand.NewPCG(3, 4))
	word := func(from, to int) string { return l.vocabulary[from+random.IntN(to-from)] }
	all := l.names()
	for _, q := range []struct {
		name  string
		rooms []chat.RoomName
		query func() string
	}{
		{"rare", all, func() string { return word(20_000, 60_000) }},
		{"medium", all, func() string { return word(100, 2000) }},
		{"common", all, func() string { return word(0, 3) }},
		{"two-common", all, func() string { return word(0, 10) + " " + word(0, 10) }},
		{"common-and-rare", all, func() string { return word(0, 3) + " " + word(20_000, 60_000) }},
		{"phrase", all, func() string { return `"` + word(0, 30) + " " + word(0, 30) + `"` }},
		{"phrase-rare", all, func() string { return `"` + word(0, 30) + " " + word(300, 3000) + `"` }},
		{"prefix-2", all, func() string { return word(0, 200)[:2] + "*" }},
		{"prefix-3", all, func() string { w := word(200, 4000); return w[:min(3, len(w))] + "*" }},
		{"prefix-4", all, func() string { w := word(200, 4000); return w[:min(4, len(w))] + "*" }},
		{"one-character", all, func() string { return string(rune(0x4e00 + random.IntN(50))) }},
		{
			"characters", all,
			func() string { return string([]rune{rune(0x4e00 + random.IntN(50)), rune(0x4e00 + random.IntN(50))}) },
		},
		{"from", all, func() string { return "from:" + word(100, 150) + " " + word(0, 30) }},
		{"in", all, func() string { return fmt.Sprintf("in:room%04d %s", random.IntN(400), word(0, 300)) }},
		{"in-one-room", all, func() string { return fmt.Sprintf("in:room%04d", random.IntN(400)) }},
		{
			"before", all,
			func() string { return "before:2026-03-0" + string("123456789"[random.IntN(9)]) + " " + word(0, 300) },
		},
		{"has", all, func() string { return "has:link " + word(0, 300) }},
		{"200-rooms-common", all[200:], func() string { return word(0, 3) }},
		{"200-rooms-medium", all[200:], func() string { return word(100, 2000) }},
		{"60-small-rooms-common", all[340:], func() string { return word(0, 3) }},
		{"60-small-rooms-medium", all[340:], func() string { return word(100, 2000) }},
	} {
		for _, order := range []Order{Newest, Relevance} {
			b.Run(q.name+"/"+string(order), func(b *testing.B) {
				var times []time.Duration
				hits := 0
				for b.Loop() {
					query := ParseQuery(q.query())
					query.Order = order
					begin := time.Now()
					r, err := x.Search(b.Context(), query, q.rooms)
					if err != nil {
						b.Fatal(err)
					}
					times = append(times, time.Since(begin))
					hits += len(r.Hits)
				}
				slices.Sort(times)
				for _, p := range []int{50, 95, 99} {
					b.ReportMetric(float64(times[(len(times)-1)*p/100].Microseconds())/1000, fmt.Sprintf("p%d-ms", p))
				}
				b.ReportMetric(float64(hits)/float64(len(times)), "hits")
			})
		}
	}
}

// BenchmarkDeletion deletes messages of any age, one or a hundred at a time, and reports how long the index takes to
// remove them and how much it writes:
//
//	go test ./internal/search -run '^$' -bench Deletion -benchtime 20x -messages 1000000
func BenchmarkDeletion(b *testing.B) {
	x, l := indexed(b)
	random := rand.New(rand.NewPCG(8, 9))
	b.Logf("%d segments", func() (n int) {
		must(b, x.db.writer.QueryRowContext(b.Context(), `SELECT count(*) FROM segment`).Scan(&n))
		return n
	}())
	for _, together := range []int{1, 100} {
		b.Run(fmt.Sprint(together), func(b *testing.B) {
			var took, written []float64
			for b.Loop() {
				rooms := make(map[chat.RoomName]bool)
				for range together {
					room := random.IntN(100)
					l.erase(room, chat.Seq(1+random.IntN(len(l.byRoom[room]))))
					rooms[roomName(room)] = true
				}
				for room := range rooms {
					touchAt(x, room, chat.Delete, time.Now())
				}
				before, begin := logSize(b, x), time.Now()
				must(b, x.index(b.Context(), x.due()))
				took = append(took, float64(time.Since(begin).Microseconds())/1000)
				written = append(written, float64(logSize(b, x)-before))
				must(b, x.truncateWAL(b.Context()))
			}
			slices.Sort(took)
			slices.Sort(written)
			b.ReportMetric(took[len(took)/2], "p50-ms")
			b.ReportMetric(took[(len(took)-1)*95/100], "p95-ms")
			b.ReportMetric(written[len(written)/2], "KiB-written")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// logSize returns the size of the WAL in KiB.
func logSize(b *testing.B, x *Index) int64 {
	b.Helper()
	info, err := os.Stat(x.db.path + "-wal")
	must(b, err)
	return info.Size() >> 10
}

// BenchmarkUnits splits texts into units.
func BenchmarkUnits(b *testing.B) {
	for name, text := range map[string]string{
		"ascii":  strings.Repeat("a message of a usual length with some words in it, ", 2),
		"umlaut": strings.Repeat("Größere Änderungen müssen früh geprüft werden, sonst ", 2),
		"han":    strings.Repeat("明日は東京タワーへ行きますから、", 3),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			var units []unit
			for b.Loop() {
				units = appendUnits(units[:0], text)
			}
		})
	}
}
