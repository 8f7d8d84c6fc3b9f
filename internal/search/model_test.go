package search

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"parley/internal/chat"
)

// Whatever is sent, edited and deleted, however far the index has got and whenever it is killed, a search finds what a
// scan of the whole log finds, in order.
func TestSearchFindsWhatAScanOfTheLogFinds(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := &model{t: t, r: r, log: newMemLog(), dir: t.TempDir()}
		m.index = newIndex(t, m.log, m.dir)
		defer func() { m.index.close() }()
		r.Repeat(map[string]func(*rapid.T){
			"say": func(r *rapid.T) {
				m.log.say(m.room(r), rapid.SampledFrom([]string{"Ada", "Ada Lovelace", "Grace"}).Draw(r, "from"),
					m.text(r))
			},
			"edit": func(r *rapid.T) {
				if p, ok := m.message(r); ok {
					m.log.edit(p.Room, p.Seq, m.text(r))
				}
			},
			"delete": func(r *rapid.T) {
				if p, ok := m.message(r); ok {
					m.log.erase(p.Room, p.Seq)
				}
			},
			"follow": func(*rapid.T) { follow(t, m.index, m.log) },
			"kill":   func(*rapid.T) { m.kill() },
			"search": func(r *rapid.T) {
				follow(t, m.index, m.log)
				m.search(r)
			},
		})
		follow(t, m.index, m.log)
		for range 2 {
			m.search(r)
		}
	})
}

type model struct {
	t     *testing.T
	r     *rapid.T
	log   *memLog
	dir   string
	index *Index
}

// Words that contain one another, also as runs of Chinese characters.
var modelWords = []string{"par", "parse", "parser", "rose", "ros", "a", "東京", "京東", "東", "東京都庁"}

func (m *model) room(r *rapid.T) chat.RoomName {
	return rapid.SampledFrom([]chat.RoomName{"lobby", "attic", "cellar"}).Draw(r, "room")
}

func (m *model) text(r *rapid.T) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(modelWords), 1, 6).Draw(r, "words"), " ")
}

// message draws a message that is not deleted.
func (m *model) message(r *rapid.T) (chat.MessageRef, bool) {
	room := m.room(r)
	var alive []chat.MessageRef
	for _, e := range m.log.Events(room) {
		if e.Kind == chat.Message && e.Text != "" {
			alive = append(alive, chat.MessageRef{Room: room, Seq: e.Seq})
		}
	}
	if len(alive) == 0 {
		return chat.MessageRef{}, false
	}
	return rapid.SampledFrom(alive).Draw(r, "message"), true
}

// kill reopens the index with the files as they are.
func (m *model) kill() {
	if _, err := os.Stat(indexFile(m.dir)); err != nil {
		return
	}
	dir := m.t.TempDir()
	copyFiles(m.t, m.dir, dir)
	m.index.close()
	m.dir = dir
	m.index = newIndex(m.t, m.log, dir)
}

func copyFiles(t testing.TB, from, to string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	must(t, err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(from, e.Name()))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(to, e.Name()), b, 0o600))
	}
}

func (m *model) search(r *rapid.T) {
	words := rapid.SliceOfN(rapid.SampledFrom(modelWords), 1, 3).Draw(r, "looked for")
	name := rapid.SampledFrom([]chat.RoomName{"lobby", "attic", "cellar", "garden"})
	rooms := rapid.SliceOfNDistinct(name, 0, 4, rapid.ID).Draw(r, "rooms")
	kind := rapid.SampledFrom([]string{"words", "phrase", "beginning", "from"}).Draw(r, "kind")
	query, matches := strings.Join(words, " "), func(e chat.Event) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return !has(e.Text, w, false) })
	}
	switch kind {
	case "phrase":
		query, matches = `"`+query+`"`, func(e chat.Event) bool { return has(e.Text, strings.Join(words, " "), false) }
	case "beginning":
		query, matches = words[0]+"*", func(e chat.Event) bool { return has(e.Text, words[0], true) }
	case "from":
		query = "from:ada " + words[0]
		matches = func(e chat.Event) bool {
			return strings.HasPrefix(e.From.Name, "Ada") && has(e.Text, words[0], false)
		}
	}
	var want []chat.MessageRef
	for _, room := range rooms {
		for _, e := range m.log.Events(room) {
			if e.Kind == chat.Message && matches(m.log.current(chat.MessageRef{Room: room, Seq: e.Seq})) {
				want = append(want, chat.MessageRef{Room: room, Seq: e.Seq})
			}
		}
	}
	sortPlaces(want)
	q := ParseQuery(query)
	q.Limit = rapid.IntRange(1, 4).Draw(r, "limit")
	q.Order = rapid.SampledFrom([]Order{Newest, Relevance}).Draw(r, "order")
	got := found(m.t, m.index, q, rooms...)
	if q.Order == Newest {
		for i := range got[min(1, len(got)):] {
			if a, b := m.log.current(got[i]), m.log.current(got[i+1]); a.At.Before(b.At) {
				m.t.Errorf("%s: %v, which is older, stands before %v", query, got[i], got[i+1])
			}
		}
	}
	sortPlaces(got)
	if !slices.Equal(got, want) {
		m.t.Fatalf("%s in %v, %d at a time, by %s: %v, want %v", query, rooms, q.Limit, q.Order, got, want)
	}
}

// has reports whether text contains words side by side. In Chinese, any part of a run matches.
func has(text, words string, prefix bool) bool {
	pattern := words
	if first := []rune(words)[0]; first < 0x80 {
		pattern = " " + pattern
	}
	if last := []rune(words); last[len(last)-1] < 0x80 && !prefix {
		pattern += " "
	}
	return strings.Contains(" "+text+" ", pattern)
}

// A deleted message is in none of the index's bytes, whatever was indexed by then, while the index is open and after it
// is closed.
func TestDeletedTextIsGone(t *testing.T) {
	const messages = 2000
	l := newMemLog()
	dir := t.TempDir()
	x := newIndex(t, l, dir)
	random := rand.New(rand.NewPCG(1, 2))
	tails := make([]string, 2*messages)
	for n := range tails {
		tails[n] = fmt.Sprintf("%012x", random.Uint64()>>16)
	}
	// Tokens share their beginnings in a leaf, so the test looks for the ends of words.
	secret := func(n int) string {
		if n%8 > 0 {
			return fmt.Sprintf("geheimnisvolleswort%05d", n)
		}
		return fmt.Sprintf("s%03d%s", n%100, tails[n])
	}
	written := func(n int) string {
		if n%8 > 0 {
			return secret(n)
		}
		return tails[n]
	}
	for n := range messages {
		seq := l.say("lobby", "Ada", "common words "+secret(n))
		if n%20 == 0 {
			follow(t, x, l)
		}
		if n%7 == 0 {
			l.edit("lobby", seq, "edited "+secret(n+messages))
		}
	}
	follow(t, x, l)
	kept := 0
	for seq, e := range l.Events("lobby") {
		if e.Kind != chat.Message {
			continue
		}
		if n := seq + 1; n%3 == 0 {
			kept++
			continue
		}
		l.erase("lobby", e.Seq)
		if seq%50 == 0 {
			follow(t, x, l)
		}
	}
	follow(t, x, l)
	check := func(when string) {
		t.Helper()
		all := folderBytes(t, dir)
		gone := map[string]string{}
		for n := range 2 * messages {
			gone[secret(n)] = written(n)
		}
		for _, e := range l.Events("lobby") {
			if e.Kind == chat.Message && e.Text != "" {
				text := l.current(chat.MessageRef{Room: "lobby", Seq: e.Seq}).Text
				delete(gone, text[strings.LastIndexByte(text, ' ')+1:])
			}
		}
		left := 0
		for _, end := range gone {
			if strings.Contains(all, end) {
				left++
			}
		}
		if left > 0 {
			t.Errorf("%s: %d of %d deleted words are in the files", when, left, len(gone))
		}
	}
	check("while open")
	wantCount(t, x, "common or edited words are still found", kept)
	x.close()
	check("when closed")
}

func wantCount(t *testing.T, x *Index, what string, want int) {
	t.Helper()
	both := map[chat.MessageRef]bool{}
	for _, word := range []string{"common", "edited"} {
		for _, p := range found(t, x, ParseQuery(word), "lobby") {
			both[p] = true
		}
	}
	if len(both) != want {
		t.Errorf("%s: %d, want %d", what, len(both), want)
	}
}

func folderBytes(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var all strings.Builder
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		must(t, err)
		all.Write(b)
	}
	return all.String()
}
