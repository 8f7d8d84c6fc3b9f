package search

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"

	"parley/internal/chat"
)

// blockSize is how many documents share a row of the table block. With that many, four bytes are enough for each
// document.
const blockSize = 128

// A docRef says which message a document is.
type docRef struct {
	room   int64
	seq    chat.Seq
	author int64
}

// A document is a message as it is indexed.
type document struct {
	docRef
	atMS int64
	text string
}

func blockOf(number int64) int64 { return (number - 1) / blockSize }
func firstOf(block int64) int64  { return block*blockSize + 1 }

// encodeBlock encodes the places of a block's documents.
func encodeBlock(places []docRef) []byte {
	var b []byte
	for _, p := range places {
		b = binary.AppendUvarint(b, uint64(p.room))
		b = binary.AppendUvarint(b, uint64(p.seq))
		b = binary.AppendUvarint(b, uint64(p.author))
	}
	return b
}

func decodeBlock(b []byte) ([]docRef, error) {
	places := make([]docRef, 0, blockSize)
	for len(b) > 0 {
		var numbers [3]uint64
		for i := range numbers {
			n, size := binary.Uvarint(b)
			if size <= 0 {
				return nil, errCut
			}
			numbers[i], b = n, b[size:]
		}
		places = append(places, docRef{room: int64(numbers[0]), seq: chat.Seq(numbers[1]), author: int64(numbers[2])})
	}
	return places, nil
}

var errCut = fmt.Errorf("a row of the index is cut: %w", errStale)

// cachedBlocks is how many decoded blocks are cached, 4 KiB each: enough for half a million messages. With a quarter of
// that, a search by relevance took up to twice as long.
const cachedBlocks = 4096

// A blockCache caches full blocks, which never change.
type blockCache struct {
	mu     sync.Mutex
	blocks map[int64][]docRef
}

// places returns the places of documents, in the order of numbers.
func (db *database) places(ctx context.Context, conn *sql.Conn, numbers []int64) ([]docRef, error) {
	have := make(map[int64][]docRef)
	var missing []any
	db.blocks.mu.Lock()
	for _, n := range numbers {
		id := blockOf(n)
		if _, known := have[id]; known {
			continue
		}
		b, ok := db.blocks.blocks[id]
		if !ok {
			missing = append(missing, id)
		}
		have[id] = b
	}
	db.blocks.mu.Unlock()
	for len(missing) > 0 {
		n := min(len(missing), 500)
		if err := db.readBlocks(ctx, conn, missing[:n], have); err != nil {
			return nil, err
		}
		missing = missing[n:]
	}
	places := make([]docRef, len(numbers))
	for i, n := range numbers {
		b, at := have[blockOf(n)], int(n-firstOf(blockOf(n)))
		if at >= len(b) {
			return nil, fmt.Errorf("document %d has no place: %w", n, errStale)
		}
		places[i] = b[at]
	}
	return places, nil
}

func (db *database) readBlocks(ctx context.Context, conn *sql.Conn, ids []any, into map[int64][]docRef) error {
	query := `SELECT id, places FROM block WHERE id IN (?` + strings.Repeat(`, ?`, len(ids)-1) + `)`
	return eachRow(ctx, conn, query, ids, func(scan func(...any) error) error {
		var id int64
		var raw []byte
		if err := scan(&id, &raw); err != nil {
			return err
		}
		b, err := decodeBlock(raw)
		if err != nil {
			return err
		}
		into[id] = b
		if len(b) == blockSize {
			db.blocks.put(id, b)
		}
		return nil
	})
}

func (c *blockCache) put(id int64, b []docRef) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.blocks == nil || len(c.blocks) >= cachedBlocks {
		c.blocks = make(map[int64][]docRef)
	}
	c.blocks[id] = b
}
