package search

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
)

const (
	segmentDocuments = 1 << 15 // most documents of a segment
	mergedAtOnce     = 4       // so many small segments are merged into one
)

// smallSegments are the sizes, in documents, below which segments are merged with their neighbours: those of a few
// messages soon, those of more than half the greatest size never.
var smallSegments = []int{128, 1024, segmentDocuments / 2}

// A segment holds documents with consecutive numbers. For each token it lists which of these documents have it, in
// leaves. It is small, so that all entries of a document can be found and removed by reading the segment, however large
// the index is.
type segment struct {
	first     int64 // the number of its first document
	documents int
	base      int64 // the id of its first leaf; the others follow
	leaves    int
	version   int64 // new after each change of its leaves
}

// end returns the number after its last document.
func (g segment) end() int64 { return g.first + int64(g.documents) }

// A queryer is a connection or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// readSegments returns all segments in the order of their documents.
func readSegments(ctx context.Context, db queryer) (segments []segment, err error) {
	const all = `SELECT first, documents, base, leaves, version FROM segment ORDER BY first`
	err = eachRow(ctx, db, all, nil, func(scan func(...any) error) error {
		var g segment
		err := scan(&g.first, &g.documents, &g.base, &g.leaves, &g.version)
		segments = append(segments, g)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the segments: %w", err)
	}
	return segments, nil
}

// readLeaves returns a segment's leaves in order.
func readLeaves(ctx context.Context, db queryer, g segment) ([][]byte, error) {
	leaves := make([][]byte, 0, g.leaves)
	const some = `SELECT bytes FROM leaf WHERE id >= $1 AND id < $2 ORDER BY id`
	err := eachRow(ctx, db, some, []any{g.base, g.base + int64(g.leaves)}, func(scan func(...any) error) error {
		var leaf []byte
		err := scan(&leaf)
		leaves = append(leaves, leaf)
		return err
	})
	if err == nil && len(leaves) != g.leaves {
		err = errCut
	}
	if err != nil {
		return nil, fmt.Errorf("reading the leaves from %d on: %w", g.base, err)
	}
	return leaves, nil
}

// A segmentWriter encodes the leaves of a segment from its entries, which it gets in order.
type segmentWriter struct {
	leaves [][]byte
	leaf   leafWriter
	bytes  []byte
}

func (w *segmentWriter) add(token []byte, p posting) {
	if !w.leaf.add(token, p, leafFill) {
		w.leaves = append(w.leaves, w.leaf.take())
		w.leaf.add(token, p, leafFill)
	}
}

func (w *segmentWriter) addNumbers(token []byte, numbers []int) {
	var p posting
	w.bytes, p.dense = appendPosting(w.bytes[:0], numbers)
	p.bytes = w.bytes
	w.add(token, p)
}

// end returns all leaves.
func (w *segmentWriter) end() [][]byte {
	if len(w.leaf.bytes) > 0 {
		w.leaves = append(w.leaves, w.leaf.take())
	}
	return w.leaves
}

// leavesOf returns the leaves of a segment whose tokens each have those documents.
func leavesOf(tokens map[string][]int) [][]byte {
	var w segmentWriter
	for _, token := range slices.Sorted(maps.Keys(tokens)) {
		w.addNumbers([]byte(token), tokens[token])
	}
	return w.end()
}

// An entryReader reads the entries of leaves, one after the other.
type entryReader struct {
	leafReader
	leaves [][]byte
	shift  int // added to each number
}

func (r *entryReader) next() (bool, error) {
	for {
		ok, err := r.leafReader.next()
		if ok || err != nil || len(r.leaves) == 0 {
			return ok, err
		}
		r.leafReader = leafReader{bytes: r.leaves[0], token: r.token[:0]}
		r.leaves = r.leaves[1:]
	}
}

// merge returns the leaves of the segment that replaces several neighbours.
func merge(inputs []*entryReader) ([][]byte, error) {
	inputs = slices.Clone(inputs)
	advance := func(i int) error {
		ok, err := inputs[i].next()
		if !ok {
			inputs = slices.Delete(inputs, i, i+1)
		}
		return err
	}
	for i := len(inputs) - 1; i >= 0; i-- {
		if err := advance(i); err != nil {
			return nil, err
		}
	}
	var w segmentWriter
	var token []byte
	var numbers []int
	for len(inputs) > 0 {
		token = append(token[:0], inputs[0].token...)
		for _, in := range inputs[1:] {
			if bytes.Compare(in.token, token) < 0 {
				token = append(token[:0], in.token...)
			}
		}
		numbers = numbers[:0]
		for i := 0; i < len(inputs); {
			in, before := inputs[i], len(inputs)
			if !bytes.Equal(in.token, token) {
				i++
				continue
			}
			var err error
			if numbers, err = in.posting.append(numbers, in.shift); err != nil {
				return nil, err
			}
			if err := advance(i); err != nil {
				return nil, err
			}
			i += len(inputs) - before + 1
		}
		w.addNumbers(token, numbers)
	}
	return w.end(), nil
}

// A rewrite changes a segment: it removes some documents from all lists and adds some to other lists.
type rewrite struct {
	leaves  [][]byte
	removed bitmap
	added   map[string][]int // numbers within the segment, ascending, by token
}

// run calls emit for each remaining or new entry, with the index of the leaf that it belongs to, until emit returns
// false.
func (w *rewrite) run(emit func(leaf int, token []byte, p posting) bool) error {
	tokens := slices.Sorted(maps.Keys(w.added))
	var packed []byte
	pack := func(numbers []int) (p posting) {
		packed, p.dense = appendPosting(packed[:0], numbers)
		p.bytes = packed
		return p
	}
	var numbers []int
	for i, leaf := range w.leaves {
		behind := w.startBehind(i)
		for r := (leafReader{bytes: leaf}); ; {
			more, err := r.next()
			if err != nil {
				return err
			}
			for len(tokens) > 0 &&
				(more && tokens[0] < string(r.token) || !more && (behind == nil || tokens[0] < string(behind))) {
				if !emit(i, []byte(tokens[0]), pack(w.added[tokens[0]])) {
					return nil
				}
				tokens = tokens[1:]
			}
			if !more {
				break
			}
			isAdded := len(tokens) > 0 && tokens[0] == string(r.token)
			met, err := r.posting.meets(&w.removed)
			if err != nil {
				return err
			}
			p := r.posting
			if met || isAdded {
				if numbers, err = r.posting.append(numbers[:0], 0); err != nil {
					return err
				}
				numbers = slices.DeleteFunc(numbers, w.removed.has)
				if isAdded {
					numbers = append(numbers, w.added[tokens[0]]...)
					slices.Sort(numbers)
					tokens = tokens[1:]
				}
				if len(numbers) == 0 {
					continue
				}
				p = pack(numbers)
			}
			if !emit(i, r.token, p) {
				return nil
			}
		}
	}
	return nil
}

// startBehind returns the first token after leaf i, nil if there is none.
func (w *rewrite) startBehind(i int) []byte {
	for _, leaf := range w.leaves[i+1:] {
		if token := firstToken(leaf); len(token) > 0 {
			return token
		}
	}
	return nil
}

// overwriteLeaves returns the leaves that change, by index. It reports false if one of them would become too long.
func (w *rewrite) overwriteLeaves() (changed map[int][]byte, fits bool, err error) {
	changed = make(map[int][]byte)
	writer, at := leafWriter{}, 0
	take := func() {
		if leaf := writer.take(); !bytes.Equal(leaf, w.leaves[at]) {
			changed[at] = leaf
		}
	}
	fits = true
	err = w.run(func(leaf int, token []byte, p posting) bool {
		for ; at < leaf; at++ {
			take()
		}
		fits = writer.add(token, p, leafBytes)
		return fits
	})
	for ; err == nil && fits && at < len(w.leaves); at++ {
		take()
	}
	return changed, fits, err
}

// newLeaves returns all leaves of the changed segment.
func (w *rewrite) newLeaves() ([][]byte, error) {
	var out segmentWriter
	err := w.run(func(_ int, token []byte, p posting) bool { out.add(token, p); return true })
	return out.end(), err
}
