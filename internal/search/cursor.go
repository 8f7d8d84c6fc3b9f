package search

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"parley/internal/chat"
)

// A cursor says where a page begins: with the documents below top. By relevance, the page begins in the window that
// starts at top, after the hit with that number and score.
//
// Numbers are valid in one file alone. The index of another node, or one that was made again, goes by the messages: the
// page begins after the message from, or in the window that starts with from, after the hit shown.
type cursor struct {
	top, number int64
	score       float64
	from, shown storedAt // shown is set by relevance alone
}

// A storedAt is a message and when it was stored. Without a message, it is a time: no document below top is newer.
type storedAt struct {
	chat.MessageRef
	at time.Time
}

// fileIDBytes is how many bytes of the file's id each cursor holds.
const fileIDBytes = 6

// formatCursor encodes a cursor for clients. It looks up a time if from is not set.
func (s *searchRun) formatCursor(ctx context.Context, c cursor) (string, error) {
	if c.from.at.IsZero() {
		var newest int64
		const block = `SELECT until_ms FROM block WHERE id = $1`
		if err := s.conn.QueryRowContext(ctx, block, blockOf(c.top-1)).Scan(&newest); err != nil {
			return "", fmt.Errorf("the time of document %d: %w", c.top-1, err)
		}
		c.from.at = time.UnixMilli(newest)
	}
	b := append([]byte(nil), s.db.fileID[:fileIDBytes]...)
	b = binary.AppendUvarint(b, uint64(c.top))
	b = binary.AppendUvarint(b, uint64(c.number))
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(c.score))
	b = appendStoredAt(b, c.from)
	b = appendStoredAt(b, c.shown)
	return base64.RawURLEncoding.EncodeToString(b), nil
}

func appendStoredAt(b []byte, m storedAt) []byte {
	b = binary.AppendUvarint(b, uint64(len(m.Room)))
	b = append(b, m.Room...)
	b = binary.AppendUvarint(b, uint64(m.Seq))
	return binary.AppendVarint(b, m.at.UnixMilli())
}

var errCursor = &chat.Error{
	Code: chat.BadRequest, Message: "There is no such page of results (any more). Search again.",
}

// parseCursor is the reverse of formatCursor. The empty string is the cursor of the first page. isOwn is false for a
// cursor of another file.
func (db *database) parseCursor(s string) (c cursor, isOwn bool, err error) {
	if s == "" {
		return c, true, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < fileIDBytes {
		return c, false, errCursor
	}
	isOwn = string(b[:fileIDBytes]) == db.fileID[:fileIDBytes]
	r := cursorReader{rest: b[fileIDBytes:]}
	c = cursor{top: r.uint(), number: r.uint(), score: r.float(), from: r.storedAt(), shown: r.storedAt()}
	if r.isCut || len(r.rest) > 0 || c.top == 0 {
		return cursor{}, false, errCursor
	}
	return c, isOwn, nil
}

// A cursorReader reads the fields of a cursor. After a field that is not there, isCut is true.
type cursorReader struct {
	rest  []byte
	isCut bool
}

func (r *cursorReader) uint() int64 {
	v, n := binary.Uvarint(r.rest)
	return r.take(int64(v), n, v <= math.MaxInt64)
}

func (r *cursorReader) storedAt() (m storedAt) {
	if n := r.uint(); n <= int64(len(r.rest)) {
		m.Room, r.rest = chat.RoomName(r.rest[:n]), r.rest[n:]
	} else {
		r.isCut = true
	}
	m.Seq = chat.Seq(r.uint())
	ms, n := binary.Varint(r.rest)
	m.at = time.UnixMilli(r.take(ms, n, true))
	return m
}

func (r *cursorReader) take(v int64, bytes int, valid bool) int64 {
	if bytes <= 0 || !valid {
		r.isCut, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[bytes:]
	return v
}

func (r *cursorReader) float() float64 {
	if len(r.rest) < 8 {
		r.isCut, r.rest = true, nil
		return 0
	}
	v := math.Float64frombits(binary.BigEndian.Uint64(r.rest))
	r.rest = r.rest[8:]
	return v
}

// adopt gives a cursor of another file the numbers of this one. A message that is not in this index is replaced by its
// time. Messages of nearly the same time may have another order here, so one of them may be missing on the pages of
// two nodes together, or be there twice.
func (s *searchRun) adopt(ctx context.Context, c cursor) (_ cursor, err error) {
	s.until = c.from.at
	if c.top, err = s.numberOf(ctx, c.from); err != nil || c.shown.Seq == 0 {
		c.number = 0
		return c, err
	}
	c.top++ // the window includes the message
	c.number, err = s.numberOf(ctx, c.shown)
	return c, err
}

// numberOf returns the number of a message's document. If the message was never in this index, it returns a number that
// is greater than those of all documents stored until then, and not much greater.
func (s *searchRun) numberOf(ctx context.Context, m storedAt) (number int64, err error) {
	s.db.mu.Lock()
	room := s.db.rooms[m.Room].id // 0 for an unknown room
	s.db.mu.Unlock()
	const blocks = `SELECT id, places FROM block WHERE since_ms <= $1 AND until_ms >= $1`
	err = eachRow(ctx, s.conn, blocks, []any{m.at.UnixMilli()}, func(scan func(...any) error) error {
		var id int64
		var raw []byte
		if err := scan(&id, &raw); err != nil {
			return err
		}
		places, err := decodeBlock(raw)
		for i, p := range places {
			if p.room == room && p.seq == m.Seq {
				number = firstOf(id) + int64(i)
			}
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("the documents of a time: %w", err)
	}
	if number > 0 {
		return number, nil
	}
	var block sql.NullInt64
	const last = `SELECT max(id) FROM block WHERE since_ms <= $1`
	if err := s.conn.QueryRowContext(ctx, last, m.at.UnixMilli()).Scan(&block); err != nil {
		return 0, fmt.Errorf("the documents until a time: %w", err)
	}
	if !block.Valid {
		return 1, nil
	}
	return firstOf(block.Int64 + 1), nil
}
