package search

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"time"

	"parley/internal/chat"
)

// knownAuthors is how many authors' numbers are cached.
const knownAuthors = 10_000

// A transaction collects what a batch of events changes in the index. It writes only after all events have been seen,
// so that a message that is sent, edited and deleted within a batch costs one document or none.
type transaction struct {
	db *database
	tx *prepared

	rooms   map[chat.RoomName]room
	authors map[string]int64
	erased  bool                    // documents were removed
	fresh   []*document             // new ones, in order; nil for those that were deleted again
	made    map[chat.MessageRef]int // indexes in fresh
	old     map[int64]*document     // new versions of indexed documents, by number; one without text is removed

	segments []segment          // in order
	places   map[int64][]docRef // cached blocks
	inRoom   map[inRoom]*bitmap // cached documents of rooms
	nextLeaf int64
}

// inRoom identifies a room's documents in the segment that begins with first.
type inRoom struct{ first, room int64 }

// apply indexes events, in order, and moves the rooms' cursors, in one transaction.
func (x *Index) apply(ctx context.Context, events []chat.Event) error {
	begin := time.Now()
	err := x.change(ctx, func(c *transaction) error {
		for _, e := range events {
			if err := c.collect(ctx, e); err != nil {
				return fmt.Errorf("event %d of %s: %w", e.Seq, e.Room, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("indexing %d events: %w", len(events), err)
	}
	x.indexed(len(events), time.Since(begin))
	return nil
}

// change runs collect and writes what it has collected, in one transaction.
func (x *Index) change(ctx context.Context, take func(*transaction) error) error {
	tx, err := x.db.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	defer tx.Rollback() // no effect after a commit
	c := &transaction{
		db: x.db, tx: &prepared{on: tx},
		rooms: make(map[chat.RoomName]room), authors: make(map[string]int64),
		made: make(map[chat.MessageRef]int), old: make(map[int64]*document),
		places: make(map[int64][]docRef), inRoom: make(map[inRoom]*bitmap),
	}
	if c.segments, err = readSegments(ctx, c.tx); err != nil {
		return err
	}
	for _, g := range c.segments {
		c.nextLeaf = max(c.nextLeaf, g.base+int64(g.leaves))
	}
	if err := take(c); err != nil {
		return err
	}
	next, err := c.write(ctx)
	if err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	if c.erased && x.walDirtySince.IsZero() {
		x.walDirtySince = time.Now()
	}
	c.db.mu.Lock()
	c.db.next = next
	for name, r := range c.rooms {
		c.db.rooms[name], c.db.names[r.id] = r, name
	}
	c.db.mu.Unlock()
	if len(c.db.authors) > knownAuthors {
		clear(c.db.authors)
	}
	maps.Copy(c.db.authors, c.authors)
	return nil
}

func (c *transaction) collect(ctx context.Context, e chat.Event) error {
	r, err := c.room(ctx, e.Room)
	if err != nil || e.Seq <= r.cursor {
		return err
	}
	switch e.Kind {
	case chat.Message, chat.Reply:
		err = c.message(ctx, r, e)
	case chat.Edit:
		err = c.edit(ctx, r, e)
	case chat.Delete:
		err = c.erase(ctx, r, e)
	}
	r.cursor = e.Seq
	c.rooms[e.Room] = r
	return err
}

func (c *transaction) message(ctx context.Context, r room, e chat.Event) error {
	if e.Text == "" { // deleted since
		return nil
	}
	author, err := c.author(ctx, e.From.Name)
	if err != nil {
		return err
	}
	c.made[chat.MessageRef{Room: e.Room, Seq: e.Seq}] = len(c.fresh)
	c.fresh = append(c.fresh, &document{
		docRef: docRef{room: r.id, seq: e.Seq, author: author}, atMS: e.At.UnixMilli(), text: e.Text,
	})
	return nil
}

func (c *transaction) edit(ctx context.Context, r room, e chat.Event) error {
	if e.Text == "" { // deleted since; its deletion follows
		return nil
	}
	if i, ok := c.made[chat.MessageRef{Room: e.Room, Seq: e.Target}]; ok {
		if d := c.fresh[i]; d != nil {
			d.text = e.Text
		}
		return nil
	}
	d, err := c.indexed(ctx, r, e.Target)
	if err == nil && d != nil {
		d.text = e.Text
	}
	return err
}

func (c *transaction) erase(ctx context.Context, r room, e chat.Event) error {
	if i, ok := c.made[chat.MessageRef{Room: e.Room, Seq: e.Target}]; ok {
		c.fresh[i] = nil
		return nil
	}
	d, err := c.indexed(ctx, r, e.Target)
	if err == nil && d != nil {
		d.text = ""
	}
	return err
}

// indexed returns the new version of the document of a room's message, nil if the message is not in the index.
func (c *transaction) indexed(ctx context.Context, r room, seq chat.Seq) (*document, error) {
	number, p, err := c.find(ctx, r.id, seq)
	if err != nil || number == 0 {
		return nil, err
	}
	d, ok := c.old[number]
	if !ok {
		d = &document{docRef: p}
		c.old[number] = d
	}
	return d, nil
}

// find returns the number and place of the document of a room's message; the number is 0 if there is none. A room's
// documents have ascending seqs, so this is a binary search: first over the segments, then over the room's documents in
// one segment.
func (c *transaction) find(ctx context.Context, roomID int64, seq chat.Seq) (number int64, p docRef, err error) {
	var documents *bitmap
	var first int64
	for low, high := 0, len(c.segments); low < high; {
		middle := low + (high-low)/2
		i, at := middle, -1
		var have *bitmap
		for ; i >= low && at < 0; i-- { // a segment with documents of the room
			if have, err = c.documents(ctx, c.segments[i], roomID); err != nil {
				return 0, p, err
			}
			at = have.after(-1)
		}
		if at < 0 {
			low = middle + 1
			continue
		}
		i++
		begins, err := c.docRef(ctx, c.segments[i].first+int64(at))
		if err != nil {
			return 0, p, err
		}
		if begins.seq > seq {
			high = i
			continue
		}
		documents, first, low = have, c.segments[i].first, middle+1
	}
	if documents == nil {
		return 0, p, nil
	}
	for low, high := 0, segmentDocuments; low < high; {
		middle := low + (high-low)/2
		at := documents.after(middle - 1)
		if at < 0 || at >= high {
			high = middle
			continue
		}
		p, err := c.docRef(ctx, first+int64(at))
		switch {
		case err != nil:
			return 0, p, err
		case p.seq == seq:
			return first + int64(at), p, nil
		case p.seq < seq:
			low = at + 1
		default:
			high = middle
		}
	}
	return 0, p, nil
}

// documents returns a room's documents in a segment.
func (c *transaction) documents(ctx context.Context, g segment, roomID int64) (*bitmap, error) {
	key := inRoom{g.first, roomID}
	if b, ok := c.inRoom[key]; ok {
		return b, nil
	}
	b := new(bitmap)
	look := &lookup{db: c.db, conn: c.tx}
	if err := look.find(ctx, g, []token{{text: roomToken(roomID)}}, b); err != nil {
		return nil, err
	}
	c.inRoom[key] = b
	return b, nil
}

// docRef returns the room, seq and author of a document.
func (c *transaction) docRef(ctx context.Context, number int64) (docRef, error) {
	id := blockOf(number)
	b, ok := c.places[id]
	if !ok {
		var err error
		if b, err = c.block(ctx, id); err != nil {
			return docRef{}, err
		}
		c.places[id] = b
	}
	at := number - firstOf(id)
	if at >= int64(len(b)) {
		return docRef{}, fmt.Errorf("document %d has no place: %w", number, errStale)
	}
	return b[at], nil
}

func (c *transaction) block(ctx context.Context, id int64) ([]docRef, error) {
	var raw []byte
	err := c.tx.scan(ctx, []any{&raw}, `SELECT places FROM block WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", id, err)
	}
	return decodeBlock(raw)
}

func (c *transaction) room(ctx context.Context, name chat.RoomName) (room, error) {
	if r, ok := c.rooms[name]; ok {
		return r, nil
	}
	c.db.mu.Lock()
	r, ok := c.db.rooms[name]
	c.db.mu.Unlock()
	if !ok {
		err := c.tx.scan(ctx, []any{&r.id}, `INSERT INTO room (name, cursor) VALUES ($1, 0) RETURNING id`, string(name))
		if err != nil {
			return r, fmt.Errorf("a row for the room: %w", err)
		}
	}
	c.rooms[name] = r
	return r, nil
}

// author returns the number of an author's name. A number makes the token for from: three bytes long, however long the
// name.
func (c *transaction) author(ctx context.Context, name string) (id int64, err error) {
	if id, ok := c.authors[name]; ok {
		return id, nil
	}
	if id, ok := c.db.authors[name]; ok {
		return id, nil
	}
	shown := name
	name = searchedName(name)
	err = c.tx.scan(ctx, []any{&id}, `SELECT id FROM author WHERE name = $1`, name)
	if errors.Is(err, sql.ErrNoRows) {
		err = c.tx.scan(ctx, []any{&id}, `INSERT INTO author (name) VALUES ($1) RETURNING id`, name)
	}
	if err != nil {
		return 0, fmt.Errorf("a row for the author: %w", err)
	}
	c.authors[shown] = id
	return id, nil
}
