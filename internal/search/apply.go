package search

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"parley/internal/chat"
)

// knownAuthors is how many authors' numbers are remembered.
const knownAuthors = 10_000

// A change is one transaction: what a batch of events makes of the index. Nothing
// is written before all of them have been seen, so that what is said, edited and
// deleted within a batch costs one document or none.
type change struct {
	x  *Index
	db *database
	tx *sql.Tx

	rooms   map[chat.RoomName]room
	authors map[string]int64
	fresh   []*document         // in order; those that are gone again are nil
	made    map[chat.Place]int  // where in fresh
	old     map[int64]*revision // by the document's number
	forget  []chat.Place
}

// A revision is what becomes of a document that is in the index.
type revision struct {
	place
	room    chat.RoomName
	version chat.Seq // its new text's
	text    string
	gone    bool
	said    map[chat.Seq]string // of one that is deleted: all that it ever said
}

// apply indexes events, in order, in one transaction with the rooms' cursors.
func (x *Index) apply(ctx context.Context, events []chat.Event) (err error) {
	begin := time.Now()
	tx, err := x.db.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	defer tx.Rollback() // does nothing after a commit
	c := &change{
		x: x, db: x.db, tx: tx,
		rooms: make(map[chat.RoomName]room), authors: make(map[string]int64),
		made: make(map[chat.Place]int), old: make(map[int64]*revision),
	}
	for _, e := range events {
		if err := c.take(ctx, e); err != nil {
			return fmt.Errorf("event %d of %s: %w", e.Seq, e.Room, err)
		}
	}
	next, err := c.write(ctx)
	if err != nil {
		return fmt.Errorf("indexing %d events: %w", len(events), err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing: %w", err)
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
	x.indexed(len(events), time.Since(begin))
	return nil
}

func (c *change) take(ctx context.Context, e chat.Event) error {
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

func (c *change) message(ctx context.Context, r room, e chat.Event) error {
	if e.Text == "" { // deleted since
		return nil
	}
	author, err := c.author(ctx, e.From.Name)
	if err != nil {
		return err
	}
	c.made[chat.Place{Room: e.Room, Seq: e.Seq}] = len(c.fresh)
	c.fresh = append(c.fresh, &document{
		place: place{room: r.id, seq: e.Seq, author: author}, version: e.Seq, atMS: e.At.UnixMilli(), text: e.Text,
	})
	return nil
}

func (c *change) edit(ctx context.Context, r room, e chat.Event) error {
	if e.Text == "" { // deleted since: its deletion comes
		return nil
	}
	if i, ok := c.made[chat.Place{Room: e.Room, Seq: e.Target}]; ok {
		if d := c.fresh[i]; d != nil {
			d.text, d.version = e.Text, e.Seq
		}
		return nil
	}
	rev, err := c.revision(ctx, r, e)
	if err != nil || rev == nil || rev.gone {
		return err
	}
	rev.text, rev.version = e.Text, e.Seq
	return nil
}

func (c *change) erase(ctx context.Context, r room, e chat.Event) error {
	message := chat.Place{Room: e.Room, Seq: e.Target}
	said, err := c.x.eraser.Erased(ctx, message)
	if err != nil {
		return err
	}
	if i, ok := c.made[message]; ok {
		c.fresh[i] = nil
	} else {
		rev, err := c.revision(ctx, r, e)
		if err != nil {
			return err
		}
		if rev != nil {
			rev.gone, rev.said = true, said
			c.forget = append(c.forget, message)
			return nil
		}
	}
	if len(said) > 0 {
		c.forget = append(c.forget, message)
	}
	return nil
}

// revision returns what is to become of the document that e changes, nil if that
// is not in the index.
func (c *change) revision(ctx context.Context, r room, e chat.Event) (*revision, error) {
	number, p, err := c.find(ctx, r.id, e.Target)
	if err != nil || number == 0 {
		return nil, err
	}
	rev, ok := c.old[number]
	if !ok {
		rev = &revision{place: p, room: e.Room}
		c.old[number] = rev
	}
	return rev, nil
}

// find returns the number of the document of a room's message, 0 if there is
// none. A room's documents have ascending seqs, so it halves the range.
func (c *change) find(ctx context.Context, roomID int64, seq chat.Seq) (int64, place, error) {
	low, high := int64(1), c.db.next
	for low < high {
		middle := low + (high-low)/2
		var number int64
		err := c.tx.QueryRowContext(ctx, `SELECT rowid FROM message_fts WHERE message_fts MATCH $1 AND rowid >= $2 ORDER BY rowid LIMIT 1`,
			quoted(roomToken(roomID)), middle).Scan(&number)
		if errors.Is(err, sql.ErrNoRows) || err == nil && number >= high {
			high = middle
			continue
		}
		if err != nil {
			return 0, place{}, fmt.Errorf("looking for message %d: %w", seq, err)
		}
		places, err := c.block(ctx, blockOf(number))
		if err != nil {
			return 0, place{}, err
		}
		switch p := places[number-firstOf(blockOf(number))]; {
		case p.seq == seq:
			return number, p, nil
		case p.seq < seq:
			low = number + 1
		default:
			high = middle
		}
	}
	return 0, place{}, nil
}

func (c *change) block(ctx context.Context, id int64) ([]place, error) {
	var raw []byte
	err := c.tx.QueryRowContext(ctx, `SELECT places FROM block WHERE id = $1`, id).Scan(&raw)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", id, err)
	}
	return decodeBlock(raw)
}

func (c *change) room(ctx context.Context, name chat.RoomName) (room, error) {
	if r, ok := c.rooms[name]; ok {
		return r, nil
	}
	c.db.mu.Lock()
	r, ok := c.db.rooms[name]
	c.db.mu.Unlock()
	if !ok {
		err := c.tx.QueryRowContext(ctx, `INSERT INTO room (name, cursor) VALUES ($1, 0) RETURNING id`, string(name)).Scan(&r.id)
		if err != nil {
			return r, fmt.Errorf("a row for the room: %w", err)
		}
	}
	c.rooms[name] = r
	return r, nil
}

// author returns a number for a name, so that from: is a token of three bytes
// however long names are.
func (c *change) author(ctx context.Context, name string) (id int64, err error) {
	if id, ok := c.authors[name]; ok {
		return id, nil
	}
	if id, ok := c.db.authors[name]; ok {
		return id, nil
	}
	shown := name
	name = searchedName(name)
	err = c.tx.QueryRowContext(ctx, `SELECT id FROM author WHERE name = $1`, name).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = c.tx.QueryRowContext(ctx, `INSERT INTO author (name) VALUES ($1) RETURNING id`, name).Scan(&id)
	}
	if err != nil {
		return 0, fmt.Errorf("a row for the author: %w", err)
	}
	c.authors[shown] = id
	return id, nil
}

// write writes what has been taken, and returns the next document's number.
func (c *change) write(ctx context.Context) (next int64, err error) {
	for _, number := range slices.Sorted(maps.Keys(c.old)) {
		if err := c.revise(ctx, number, c.old[number]); err != nil {
			return 0, fmt.Errorf("document %d: %w", number, err)
		}
	}
	if next, err = c.add(ctx); err != nil {
		return 0, err
	}
	for _, r := range c.rooms {
		if _, err := c.tx.ExecContext(ctx, `UPDATE room SET cursor = $2 WHERE id = $1`, r.id, int64(r.cursor)); err != nil {
			return 0, err
		}
	}
	for _, p := range c.forget {
		if _, err := c.tx.ExecContext(ctx, `INSERT OR IGNORE INTO forgetting (room, seq) VALUES ($1, $2)`, string(p.Room), int64(p.Seq)); err != nil {
			return 0, err
		}
	}
	return next, nil
}

// add appends the fresh documents.
func (c *change) add(ctx context.Context) (next int64, err error) {
	next = c.db.next
	insert, err := c.tx.PrepareContext(ctx, `INSERT INTO message_fts(rowid, tokens) VALUES ($1, $2)`)
	if err != nil {
		return 0, err
	}
	defer insert.Close()
	var tokens []byte
	var tail []*document // of the block at hand
	for _, d := range c.fresh {
		if d == nil {
			continue
		}
		tokens = appendTokens(tokens[:0], d)
		d.sum = sumOf(tokens)
		if _, err := insert.ExecContext(ctx, next, string(tokens)); err != nil {
			return 0, fmt.Errorf("message %d: %w", d.seq, err)
		}
		if d.version != d.seq {
			if err := c.note(ctx, next, d.version); err != nil {
				return 0, err
			}
		}
		tail = append(tail, d)
		if next++; blockOf(next) != blockOf(next-1) {
			if err := c.extend(ctx, blockOf(next-1), tail); err != nil {
				return 0, err
			}
			tail = tail[:0]
		}
	}
	if len(tail) > 0 {
		err = c.extend(ctx, blockOf(next-1), tail)
	}
	return next, err
}

// extend adds documents to the end of a block.
func (c *change) extend(ctx context.Context, id int64, documents []*document) error {
	places, err := c.block(ctx, id)
	if err != nil {
		return err
	}
	since, until := documents[0].atMS, documents[0].atMS
	for _, d := range documents {
		places = append(places, d.place)
		since, until = min(since, d.atMS), max(until, d.atMS)
	}
	_, err = c.tx.ExecContext(ctx, `
		INSERT INTO block (id, since_ms, until_ms, places) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET since_ms = min(since_ms, $2), until_ms = max(until_ms, $3), places = $4`,
		id, since, until, encodeBlock(places))
	return err
}

// note remembers which edit's text a document has.
func (c *change) note(ctx context.Context, number int64, version chat.Seq) error {
	_, err := c.tx.ExecContext(ctx, `INSERT INTO edited (document, version) VALUES ($1, $2) ON CONFLICT (document) DO UPDATE SET version = $2`, number, int64(version))
	return err
}

// revise takes out what is indexed of a document, and puts in its new text under
// the same number, so that its place in time stays.
func (c *change) revise(ctx context.Context, number int64, rev *revision) error {
	if !rev.gone && rev.text == "" {
		return nil
	}
	tokens, err := c.indexedTokens(ctx, number, rev)
	if err != nil {
		return err
	}
	_, err = c.tx.ExecContext(ctx, `INSERT INTO message_fts(message_fts, rowid, tokens) VALUES ('delete', $1, $2)`, number, tokens)
	if err != nil {
		return fmt.Errorf("taking out what it said: %w", err)
	}
	if rev.gone {
		_, err = c.tx.ExecContext(ctx, `DELETE FROM edited WHERE document = $1`, number)
		return err
	}
	now := appendTokens(nil, &document{place: rev.place, text: rev.text})
	if _, err := c.tx.ExecContext(ctx, `INSERT INTO message_fts(rowid, tokens) VALUES ($1, $2)`, number, string(now)); err != nil {
		return fmt.Errorf("putting in what it says: %w", err)
	}
	if err := c.note(ctx, number, rev.version); err != nil {
		return err
	}
	places, err := c.block(ctx, blockOf(number))
	if err != nil {
		return err
	}
	places[number-firstOf(blockOf(number))].sum = sumOf(now)
	_, err = c.tx.ExecContext(ctx, `UPDATE block SET places = $2 WHERE id = $1`, blockOf(number), encodeBlock(places))
	return err
}

// indexedTokens returns the tokens that a document was indexed with. FTS5 has to be
// told them exactly, or it keeps what it should let go of; the sum tells whether a
// text is the one.
func (c *change) indexedTokens(ctx context.Context, number int64, rev *revision) (string, error) {
	matches := func(text string) (string, bool) {
		tokens := appendTokens(nil, &document{place: rev.place, text: text})
		return string(tokens), text != "" && sumOf(tokens) == rev.sum
	}
	for _, text := range rev.said {
		if tokens, ok := matches(text); ok {
			return tokens, nil
		}
	}
	version := rev.seq
	err := c.tx.QueryRowContext(ctx, `SELECT version FROM edited WHERE document = $1`, number).Scan(&version)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", err
	}
	events, err := c.x.source.After(ctx, rev.room, version-1, 1)
	if err != nil {
		return "", err
	}
	if len(events) == 1 && events[0].Seq == version {
		if tokens, ok := matches(events[0].Text); ok {
			return tokens, nil
		}
	}
	if rev.said == nil { // deleted since
		said, err := c.x.eraser.Erased(ctx, chat.Place{Room: rev.room, Seq: rev.seq})
		if err != nil {
			return "", err
		}
		for _, text := range said {
			if tokens, ok := matches(text); ok {
				return tokens, nil
			}
		}
	}
	return c.tokensByIndex(ctx, number)
}

// tokensByIndex looks through the whole index for a document's tokens: seconds in
// a large one, but right when nobody remembers what it said.
func (c *change) tokensByIndex(ctx context.Context, number int64) (string, error) {
	if _, err := c.tx.ExecContext(ctx, `CREATE VIRTUAL TABLE IF NOT EXISTS temp.token USING fts5vocab(main, message_fts, instance)`); err != nil {
		return "", err
	}
	var tokens []byte
	err := each(ctx, c.tx, `SELECT term FROM temp.token WHERE doc = $1`, []any{number}, func(scan func(...any) error) error {
		var token string
		err := scan(&token)
		tokens = append(append(tokens, token...), ' ')
		return err
	})
	if err != nil {
		return "", fmt.Errorf("reading document %s from the index: %w", strconv.FormatInt(number, 10), err)
	}
	return string(tokens), nil
}

// quoted returns a token as FTS5's query language has it. No token holds a quote.
func quoted(token string) string { return `"` + token + `"` }
