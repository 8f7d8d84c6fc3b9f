package search

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// write writes what was collected, and returns the number of the next document.
func (c *transaction) write(ctx context.Context) (next int64, err error) {
	if err := c.revise(ctx); err != nil {
		return 0, err
	}
	if next, err = c.add(ctx); err != nil {
		return 0, err
	}
	if err := c.mergeSmall(ctx); err != nil {
		return 0, err
	}
	for _, r := range c.rooms {
		if err := c.tx.exec(ctx, `UPDATE room SET cursor = $2 WHERE id = $1`, r.id, int64(r.cursor)); err != nil {
			return 0, err
		}
	}
	return next, nil
}

// add appends the new documents as a segment of their own.
func (c *transaction) add(ctx context.Context) (next int64, err error) {
	next = c.db.next
	c.fresh = slices.DeleteFunc(c.fresh, func(d *document) bool { return d == nil })
	for documents := range slices.Chunk(c.fresh, segmentDocuments) {
		lists := make(map[string][]int)
		for n, d := range documents {
			addTokens(lists, n, d)
		}
		g := segment{first: next, documents: len(documents)}
		if err := c.insert(ctx, g, leavesOf(lists)); err != nil {
			return 0, err
		}
		for len(documents) > 0 {
			n := min(int(firstOf(blockOf(next)+1)-next), len(documents))
			if err := c.extend(ctx, blockOf(next), documents[:n]); err != nil {
				return 0, err
			}
			next += int64(n)
			documents = documents[n:]
		}
	}
	return next, nil
}

// addTokens adds document n to the lists of its tokens.
func addTokens(lists map[string][]int, n int, d *document) {
	for token := range strings.FieldsSeq(string(appendTokens(nil, d))) {
		if list := lists[token]; len(list) == 0 || list[len(list)-1] != n {
			lists[token] = append(list, n)
		}
	}
}

// insert writes a segment.
func (c *transaction) insert(ctx context.Context, g segment, leaves [][]byte) error {
	begins := func(g segment, first int64) int { return cmp.Compare(g.first, first) }
	i, _ := slices.BinarySearchFunc(c.segments, g.first, begins)
	g.base, g.leaves, g.version = c.nextLeaf, len(leaves), c.newVersion()
	c.nextLeaf += int64(len(leaves))
	for n, leaf := range leaves {
		if err := c.tx.exec(ctx, `INSERT INTO leaf (id, bytes) VALUES ($1, $2)`, g.base+int64(n), leaf); err != nil {
			return fmt.Errorf("writing a leaf: %w", err)
		}
	}
	err := c.tx.exec(ctx, `INSERT INTO segment (first, documents, base, leaves, version) VALUES ($1, $2, $3, $4, $5)`,
		g.first, g.documents, g.base, g.leaves, g.version)
	if err != nil {
		return fmt.Errorf("writing a segment: %w", err)
	}
	c.segments = slices.Insert(c.segments, i, g)
	return nil
}

// remove deletes the segment at index i.
func (c *transaction) remove(ctx context.Context, i int) error {
	g := c.segments[i]
	c.segments = slices.Delete(c.segments, i, i+1)
	err := c.tx.exec(ctx, `DELETE FROM leaf WHERE id >= $1 AND id < $2`, g.base, g.base+int64(g.leaves))
	if err != nil {
		return fmt.Errorf("taking away leaves: %w", err)
	}
	if err := c.tx.exec(ctx, `DELETE FROM segment WHERE first = $1`, g.first); err != nil {
		return fmt.Errorf("taking away a segment: %w", err)
	}
	return nil
}

func (c *transaction) newVersion() int64 {
	c.db.version++
	return c.db.version
}

// mergeSmall merges small segments at the end, once there are enough of them. So segments stay few, and each document
// is rewritten only a few times in all.
func (c *transaction) mergeSmall(ctx context.Context) error {
	for _, size := range smallSegments {
		from, total := len(c.segments), 0
		for from > 0 && c.segments[from-1].documents < size {
			from--
			total += c.segments[from].documents
		}
		if n := len(c.segments) - from; n < mergedAtOnce && (n < 2 || total < size) {
			continue
		}
		to, sum := from, 0
		for to < len(c.segments) && sum+c.segments[to].documents <= segmentDocuments {
			sum += c.segments[to].documents
			to++
		}
		if err := c.merge(ctx, from, to); err != nil {
			return fmt.Errorf("merging %d segments: %w", to-from, err)
		}
	}
	return nil
}

// merge merges the segments with the indexes from ≤ i < to.
func (c *transaction) merge(ctx context.Context, from, to int) error {
	merged := segment{first: c.segments[from].first}
	var inputs []*entryReader
	for _, g := range c.segments[from:to] {
		leaves, err := readLeaves(ctx, c.tx, g)
		if err != nil {
			return err
		}
		inputs = append(inputs, &entryReader{leaves: leaves, shift: merged.documents})
		merged.documents += g.documents
	}
	leaves, err := merge(inputs)
	if err != nil {
		return err
	}
	for range to - from {
		if err := c.remove(ctx, from); err != nil {
			return err
		}
	}
	return c.insert(ctx, merged, leaves)
}

// extend adds documents to the end of a block.
func (c *transaction) extend(ctx context.Context, id int64, documents []*document) error {
	places, err := c.block(ctx, id)
	if err != nil {
		return err
	}
	since, until := documents[0].atMS, documents[0].atMS
	for _, d := range documents {
		places = append(places, d.docRef)
		since, until = min(since, d.atMS), max(until, d.atMS)
	}
	err = c.tx.exec(ctx, `
		INSERT INTO block (id, since_ms, until_ms, places) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET since_ms = min(since_ms, $2), until_ms = max(until_ms, $3), places = $4`,
		id, since, until, encodeBlock(places))
	return err
}

// revise replaces what is indexed of documents by their new versions, under the same numbers, so that their places in
// time stay. It reads each segment once, however many of its documents change, and writes only the leaves that change.
func (c *transaction) revise(ctx context.Context) error {
	numbers := slices.Sorted(maps.Keys(c.old))
	for len(numbers) > 0 {
		ends := func(g segment, n int64) int { return cmp.Compare(g.end()-1, n) }
		i, _ := slices.BinarySearchFunc(c.segments, numbers[0], ends)
		if i == len(c.segments) {
			return fmt.Errorf("document %d is in no segment: %w", numbers[0], errStale)
		}
		g := c.segments[i]
		w := rewrite{added: make(map[string][]int)}
		for ; len(numbers) > 0 && numbers[0] < g.end(); numbers = numbers[1:] {
			n := int(numbers[0] - g.first)
			w.removed.set(n)
			if d := c.old[numbers[0]]; d.text != "" {
				addTokens(w.added, n, d)
			} else {
				c.erased = true
			}
		}
		if err := c.rewrite(ctx, i, &w); err != nil {
			return fmt.Errorf("rewriting the documents from %d on: %w", g.first, err)
		}
	}
	return nil
}

// rewrite changes the segment at index i.
func (c *transaction) rewrite(ctx context.Context, i int, w *rewrite) (err error) {
	g := c.segments[i]
	if w.leaves, err = readLeaves(ctx, c.tx, g); err != nil {
		return err
	}
	changed, fits, err := w.overwriteLeaves()
	if err != nil {
		return err
	}
	if !fits {
		leaves, err := w.newLeaves()
		if err != nil {
			return err
		}
		if err := c.remove(ctx, i); err != nil {
			return err
		}
		return c.insert(ctx, g, leaves)
	}
	for _, n := range slices.Sorted(maps.Keys(changed)) {
		if err := c.tx.exec(ctx, `UPDATE leaf SET bytes = $2 WHERE id = $1`, g.base+int64(n), changed[n]); err != nil {
			return fmt.Errorf("writing a leaf: %w", err)
		}
	}
	c.segments[i].version = c.newVersion()
	err = c.tx.exec(ctx, `UPDATE segment SET version = $2 WHERE first = $1`, g.first, c.segments[i].version)
	return err
}
