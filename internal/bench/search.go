package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Search is rooms with many years of messages, in which somebody searches.
type Search struct {
	Messages int `default:"1000000" min:"1" help:"Messages in the rooms. Default: ${default}."`
}

// A queryClass is a class of queries. Its function returns the nth query; words are numbered from
// the most common one on.
type queryClass struct {
	key, title string
	typed      func(dice *rand.Rand) string
}

var searches = []queryClass{
	{"common", "a common word", func(dice *rand.Rand) string { return word(dice.IntN(5)) }},
	{"medium", "a usual one", func(dice *rand.Rand) string { return word(200 + dice.IntN(800)) }},
	{"rare", "a rare one", func(dice *rand.Rand) string { return word(15_000 + dice.IntN(4000)) }},
	{
		"phrase", "a phrase",
		func(dice *rand.Rand) string { return `"` + word(dice.IntN(5)) + " " + word(dice.IntN(50)) + `"` },
	},
	{"prefix", "a beginning", func(dice *rand.Rand) string { return word(dice.IntN(2000))[:4] + "*" }},
}

var (
	indexSize = Column{Key: "index_size", Title: "index/text", Unit: count, Less: true}
	indexed   = Column{Key: "indexed_after", Title: "index up to date after", Unit: seconds, Less: true}
)

// searchRooms is the number of rooms.
const searchRooms = 8

func (c *Search) cases() []Case {
	columns := []Column{}
	for _, s := range searches {
		for _, order := range []string{"time", "relevance"} {
			columns = append(columns,
				Column{
					Key: s.key + "_" + order + "_p95", Title: s.title + " by " + order + ": p95", Unit: seconds,
					Less: true,
				})
		}
	}
	return []Case{{
		Scenario: "search", Size: c.Messages,
		Setting: fmt.Sprintf("the first page of what is found among %d messages in %d rooms", c.Messages,
			searchRooms),
		Columns:     append(columns, indexSize, indexed, rss),
		connections: searchRooms, needsStore: true, needsStart: true, reusesServer: true, measure: c.measure,
	}}
}

func (c *Search) measure(ctx context.Context, s *testbed) (Values, error) {
	v := Values{}
	if s.carried == nil {
		text, took, err := c.fill(ctx, s)
		if err != nil {
			return nil, err
		}
		size, err := sizeOf(filepath.Join(s.dir, "data", "search.db"))
		if err != nil {
			return nil, err
		}
		s.carried = Values{indexSize.Key: float64(size) / float64(text), indexed.Key: took.Seconds()}
	}
	v.add(s.carried.(Values))
	dice := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	share := s.cfg.For / time.Duration(2*len(searches))
	for _, class := range searches {
		for _, order := range []string{"time", "relevance"} {
			took, err := repeated(400, share,
				func() error { _, err := s.search(ctx, class.typed(dice), order); return err })
			if err != nil {
				return nil, err
			}
			v[class.key+"_"+order+"_p95"] = quantile(took, .95)
		}
	}
	if m, ok := s.memory(); ok {
		v[rss.Key] = m.rss
	}
	return v, nil
}

// fill sends all messages and waits until they can be found. It returns the bytes of all texts and
// how long the index took after the last message.
func (c *Search) fill(ctx context.Context, s *testbed) (text int64, took time.Duration, err error) {
	rooms := make([]string, searchRooms)
	texts := make([]int64, searchRooms)
	for i := range rooms {
		rooms[i] = fmt.Sprint("search-", i)
	}
	_, err = s.pumpInto(ctx, rooms, searchRooms, 200, func(i int) func() string {
		dice := rand.New(rand.NewPCG(7, uint64(i)))
		zipf := rand.NewZipf(dice, 1.1, 4, 20_000)
		return func() string {
			m := sentence(dice, zipf)
			texts[i] += int64(len(m))
			return m
		}
	}, func(sent int) bool { return sent < c.Messages })
	if err != nil {
		return 0, 0, err
	}
	const last = "zuletztgesagt"
	if _, err := s.pumpInto(ctx, rooms, searchRooms, 2,
		func(int) func() string { return func() string { return last } },
		func(sent int) bool { return sent < searchRooms }); err != nil {
		return 0, 0, err
	}
	for _, n := range texts {
		text += n
	}
	for began := time.Now(); ; {
		s.progress("waiting for the index")
		if n, err := s.search(ctx, last, "time"); err != nil || n == searchRooms {
			return text, time.Since(began), err
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return 0, 0, err
		}
	}
}

// search requests a first page over HTTP, and returns how many hits it has.
func (s *testbed) search(ctx context.Context, typed, order string) (hits int, err error) {
	for i := range searchRooms {
		typed += fmt.Sprint(" in:search-", i)
	}
	query := url.Values{"q": {typed}, "sort": {order}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet,
		s.cfg.tlsFiles.scheme("http")+"://"+s.address+"/api/search?"+query.Encode(), nil)
	if err != nil {
		return 0, err
	}
	answer, err := s.cfg.tlsFiles.client().Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	var page struct{ Hits []json.RawMessage }
	if err := json.NewDecoder(answer.Body).Decode(&page); err != nil || answer.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("searching: %s: %w", answer.Status, err)
	}
	return len(page.Hits), nil
}

// sentence makes up a message whose words are as frequent as in a language.
func sentence(dice *rand.Rand, zipf *rand.Zipf) string {
	var b strings.Builder
	for i := range 4 + dice.IntN(18) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word(int(zipf.Uint64())))
	}
	return b.String()
}

// word returns the nth word of an invented language.
func word(n int) string {
	const consonants, vowels = "bdfgklmnprstvz", "aeiou"
	var b strings.Builder
	for syllables := 0; syllables < 2 || n > 0; syllables++ {
		b.WriteByte(consonants[n%len(consonants)])
		n /= len(consonants)
		b.WriteByte(vowels[n%len(vowels)])
		n /= len(vowels)
	}
	return b.String()
}

func sizeOf(path string) (size int64, err error) {
	for _, name := range []string{path, path + "-wal"} {
		info, err := os.Stat(name)
		if err != nil {
			return 0, err
		}
		size += info.Size()
	}
	return size, nil
}
