package search

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strings"
	"time"

	"parley/internal/chat"
)

// A corpus makes messages as people write them: short, of words of which some are in every third message and most in
// hardly any, with links, a few names, and one message in sixteen in a script without spaces. It makes the same
// messages each time, and makes each of them from its number, so that it does not have to store them.
type corpus struct {
	words, han zipf
	vocabulary []string
	rooms      int
	messages   int
}

// corpusStart is when the first message was written. One follows every 20 seconds.
var corpusStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newCorpus(messages, rooms int) *corpus {
	c := &corpus{words: newZipf(60_000, 1), han: newZipf(3000, 0.9), rooms: rooms, messages: messages}
	random := rand.New(rand.NewPCG(1, 2))
	used := map[string]bool{}
	for rank := range c.words.cumulated {
		// Frequent words are short.
		w := ""
		for w == "" || used[w] {
			n := 1 + int(math.Log2(float64(rank+4))/6) + random.IntN(2)
			w = ""
			for range n {
				w += string("bcdfghjklmnprstvwz"[random.IntN(18)]) + string("aeiou"[random.IntN(5)])
				if random.IntN(3) == 0 {
					w += string("nrstl"[random.IntN(5)])
				}
			}
		}
		used[w] = true
		c.vocabulary = append(c.vocabulary, w)
	}
	return c
}

// A zipf draws ranks: the k-th is drawn in proportion to 1/(k+2)^s.
type zipf struct{ cumulated []float64 }

func newZipf(n int, s float64) zipf {
	z := zipf{make([]float64, n)}
	sum := 0.0
	for k := range n {
		sum += 1 / math.Pow(float64(k+2), s)
		z.cumulated[k] = sum
	}
	return z
}

func (z zipf) draw(r *rand.Rand) int {
	return sort.SearchFloat64s(z.cumulated, r.Float64()*z.cumulated[len(z.cumulated)-1])
}

// message returns message n, counted from 0.
func (c *corpus) message(n int) (room int, e chat.Event) {
	r := rand.New(rand.NewPCG(uint64(n), 7))
	room = int(float64(c.rooms) * math.Pow(r.Float64(), 2))
	author := int(2000 * math.Pow(r.Float64(), 3))
	var b strings.Builder
	switch {
	case n%16 == 0:
		for i := range 4 + int(r.ExpFloat64()*14) {
			if i > 0 && r.IntN(12) == 0 {
				b.WriteString("，")
			}
			b.WriteRune(rune(0x4e00 + c.han.draw(r)))
		}
	default:
		for i := range 2 + int(r.ExpFloat64()*9) {
			w := c.vocabulary[c.words.draw(r)]
			switch {
			case i == 0:
				w = strings.ToUpper(w[:1]) + w[1:]
			case r.IntN(9) == 0:
				b.WriteString(",")
			}
			if i > 0 {
				b.WriteString(" ")
			}
			b.WriteString(w)
		}
		if r.IntN(4) > 0 {
			b.WriteString(string(".?!"[r.IntN(3)]))
		}
		if r.IntN(25) == 0 {
			fmt.Fprintf(&b, " https://%s.example/%s/%d", c.vocabulary[c.words.draw(r)], c.vocabulary[c.words.draw(r)],
				r.IntN(100_000))
		}
	}
	return room, chat.Event{
		Kind: chat.Message, Text: b.String(), At: corpusStart.Add(time.Duration(n) * 20 * time.Second),
		From: chat.Person{
			ID:   chat.PersonID(fmt.Sprint("p", author)),
			Name: fmt.Sprintf("%s %s", c.vocabulary[100+author], c.vocabulary[7000+author%97]),
		},
	}
}
