package search

import (
	"encoding/base64"
	"encoding/binary"
	"math"

	"parley/internal/chat"
)

// A cursor says where a page begins: with the documents below top. By relevance, the page begins in the window that
// starts at top, after the hit with that number and score.
type cursor struct {
	top, number int64
	score       float64
}

// fileIDBytes is how many bytes of the file's id each cursor holds.
const fileIDBytes = 6

// formatCursor encodes a cursor for clients. The file's id is part of it, because the numbers are valid in this file
// alone.
func (db *database) formatCursor(c cursor) string {
	b := append([]byte(nil), db.fileID[:fileIDBytes]...)
	b = binary.AppendUvarint(b, uint64(c.top))
	if c.number > 0 {
		b = binary.AppendUvarint(b, uint64(c.number))
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(c.score))
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor is the reverse of formatCursor. The empty string is the cursor of the first page.
func (db *database) parseCursor(s string) (c cursor, err error) {
	if s == "" {
		return c, nil
	}
	bad := &chat.Error{Code: chat.BadRequest, Message: "There is no such page of results (any more). Search again."}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < fileIDBytes || string(b[:fileIDBytes]) != db.fileID[:fileIDBytes] {
		return c, bad
	}
	b = b[fileIDBytes:]
	top, n := binary.Uvarint(b)
	if n <= 0 || top == 0 || top > math.MaxInt64 {
		return c, bad
	}
	c.top, b = int64(top), b[n:]
	if len(b) == 0 {
		return c, nil
	}
	number, n := binary.Uvarint(b)
	if n <= 0 || number == 0 || number > math.MaxInt64 || len(b) != n+8 {
		return c, bad
	}
	c.number, c.score = int64(number), math.Float64frombits(binary.BigEndian.Uint64(b[n:]))
	return c, nil
}
