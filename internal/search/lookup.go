package search

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
)

// A token is looked up as a whole or, with prefix, as the beginning of tokens.
type token struct {
	text   string
	prefix bool
}

// A lookup finds the documents that have tokens, in a segment's leaves.
type lookup struct {
	db   *database
	conn queryer

	id     int64 // of the leaf that was read last
	leaf   []byte
	reader leafReader // of leaf; the next token is looked for from its current entry on, if that is not beyond it
	at     bool       // reader has a current entry
}

// find adds to found the documents of a segment that have any of tokens, which are sorted.
func (l *lookup) find(ctx context.Context, g segment, tokens []token, found *bitmap) error {
	starts, err := l.starts(ctx, g)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		n := sort.Search(len(starts), func(i int) bool { return starts[i] > t.text }) - 1
		if n = max(n, 0); n < len(starts) { // an empty leaf counts with the first token of the leaf before
			n, _ = slices.BinarySearch(starts, starts[n])
		}
		for ; n < len(starts) && (starts[n] <= t.text || t.prefix && strings.HasPrefix(starts[n], t.text)); n++ {
			more, err := l.findIn(ctx, g.base+int64(n), t, found)
			if err != nil {
				return err
			}
			if !more {
				break
			}
		}
	}
	return nil
}

// findIn looks up a token in one leaf. It reports whether later leaves may hold more.
func (l *lookup) findIn(ctx context.Context, id int64, t token, found *bitmap) (more bool, err error) {
	if l.leaf == nil || l.id != id {
		l.leaf, l.at = nil, false
		err := eachRow(ctx, l.conn, `SELECT bytes FROM leaf WHERE id = $1`, []any{id},
			func(scan func(...any) error) error { return scan(&l.leaf) })
		if err == nil && l.leaf == nil {
			err = errCut
		}
		if err != nil {
			return false, fmt.Errorf("reading leaf %d: %w", id, err)
		}
		l.id = id
	}
	text := []byte(t.text)
	r := &l.reader
	if !l.at || bytes.Compare(r.token, text) > 0 {
		*r, l.at = leafReader{bytes: l.leaf, token: r.token[:0]}, false
	}
	for {
		if !l.at {
			if l.at, err = r.next(); err != nil || !l.at {
				return t.prefix, err
			}
		}
		switch order := bytes.Compare(r.token, text); {
		case order < 0:
		case order == 0, t.prefix && bytes.HasPrefix(r.token, text):
			if err := r.posting.addTo(found); err != nil || !t.prefix {
				return false, err
			}
		default:
			return false, nil
		}
		l.at = false
	}
}

// A startCache caches the first tokens of leaves, by the version of their segment.
type startCache struct {
	mu     sync.Mutex
	starts map[int64][]string
}

// mostStarts is for how many segments first tokens are cached, some kilobytes each: enough for about 30 million
// messages.
const mostStarts = 1024

// starts returns the first token of each leaf of a segment; for an empty leaf, that of the leaf before.
func (l *lookup) starts(ctx context.Context, g segment) ([]string, error) {
	cache := &l.db.starts
	cache.mu.Lock()
	starts, ok := cache.starts[g.version]
	cache.mu.Unlock()
	if ok {
		return starts, nil
	}
	starts = make([]string, 0, g.leaves)
	err := eachRow(ctx, l.conn, `SELECT substr(bytes, 1, $3) FROM leaf WHERE id >= $1 AND id < $2 ORDER BY id`,
		[]any{g.base, g.base + int64(g.leaves), 3 + maxToken}, func(scan func(...any) error) error {
			var head []byte
			if err := scan(&head); err != nil {
				return err
			}
			first := string(firstToken(head))
			if first == "" && len(starts) > 0 {
				first = starts[len(starts)-1]
			}
			starts = append(starts, first)
			return nil
		})
	if err == nil && (len(starts) != g.leaves || !slices.IsSorted(starts)) {
		err = errCut
	}
	if err != nil {
		return nil, fmt.Errorf("reading the first tokens of the documents from %d on: %w", g.first, err)
	}
	cache.mu.Lock()
	defer cache.mu.Unlock()
	if cache.starts == nil || len(cache.starts) >= mostStarts {
		cache.starts = make(map[int64][]string)
	}
	cache.starts[g.version] = starts
	return starts, nil
}
