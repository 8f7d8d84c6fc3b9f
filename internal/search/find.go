package search

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"parley/internal/chat"
)

const (
	defaultHits = 20
	mostHits    = 100
	window      = 1000    // candidates that are compared with one another by relevance
	mostTexts   = 4000    // read for one page; beyond, it ends early and can be continued
	mostNumbers = 200_000 // likewise candidates looked at
	mostAuthors = 200     // whom one from: can mean; the shortest names first
	fewRooms    = 8       // up to so many the index itself picks out
)

// A Result is one page of hits.
type Result struct {
	Hits []Hit
	Next string // the Cursor of the page that follows; empty: there is none
}

// A Hit is a message as it is now, with the parts of its text that match.
type Hit struct {
	chat.Event
	Ranges []Range // in code points, in order, without overlap; none for a query without words
	number int64
	score  float64
}

// Search returns one page of what q finds in rooms. A page may hold fewer hits than
// its limit, or none, and still have a Next: so much had to be read that does not
// match that the rest is another page's. The error is an *Error for a cursor that
// is none, and while there is no index.
func (x *Index) Search(ctx context.Context, q Query, rooms []chat.RoomName) (Result, error) {
	x.open.RLock()
	defer x.open.RUnlock()
	if x.db == nil {
		return Result{}, &chat.Error{Code: chat.SearchUnavailable, Message: "The search cannot be used right now. Try again in a moment.", RetryAfter: retryEvery}
	}
	if q.Empty() {
		return Result{}, nil
	}
	conn, err := x.db.readers.Conn(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("waiting to search: %w", err)
	}
	defer conn.Close()
	s := &seek{db: x.db, conn: conn, source: x.source, query: q}
	result, err := s.run(ctx, rooms)
	if err != nil {
		if isBroken(err) {
			x.breakDown(err)
		}
		return Result{}, fmt.Errorf("searching %d rooms: %w", len(rooms), err)
	}
	return result, nil
}

// A seek is one search under way.
type seek struct {
	db      *database
	conn    *sql.Conn // one for all that a search reads: if each took a second one, all could wait for each other
	source  Source
	query   Query
	matcher matcher
	limit   int

	match      string         // FTS5's query
	rooms      map[int64]bool // in which a candidate has to be, where match does not see to it; nil: in any
	floor, top int64          // numbers of candidates: floor ≤ number < top
	at         cursor

	texts, numbers int // read so far
}

// plan makes up the query for the index; without one there can be no hit.
func (s *seek) plan(ctx context.Context, rooms []chat.RoomName) (possible bool, err error) {
	q := &s.query
	s.limit = min(cmp.Or(max(q.Limit, 0), defaultHits), mostHits)
	s.matcher = matcher{terms: slices.Clone(q.Terms), has: q.Has}
	if n := len(q.Terms); n > 0 && q.Typing && q.open {
		s.matcher.terms[n-1].Prefix = true
	}
	var all []string
	for _, t := range s.matcher.terms {
		all = t.appendMatch(all)
	}
	for _, f := range q.Has {
		all = append(all, quoted(factTokens[f]))
	}
	if len(q.From) > 0 {
		authors, err := s.authors(ctx)
		if err != nil || len(authors) == 0 {
			return false, err
		}
		all = append(all, anyOf(authors))
	}
	in := s.pickRooms(rooms, len(all) > 0)
	if in == nil && s.rooms == nil {
		return false, nil
	}
	if len(in) > 0 {
		all = append(all, anyOf(in))
	}
	slices.Sort(all)
	s.match = strings.Join(slices.Compact(all), " AND ")
	if err := s.bound(ctx); err != nil {
		return false, err
	}
	s.at, err = s.db.parseCursor(q.Cursor)
	return true, err
}

// appendMatch appends what a document must have to have the term, as FTS5's query
// language says it.
func (t Term) appendMatch(all []string) []string {
	for i, u := range t.units {
		switch last := i == len(t.units)-1; {
		case !last && t.units[i+1].joined:
			all = append(all, quoted(u.text+t.units[i+1].text))
		case u.joined: // is in the pair before
		case u.lone, last && t.Prefix:
			all = append(all, quoted(u.text)+" *")
		default:
			all = append(all, quoted(u.text))
		}
	}
	return all
}

func anyOf(tokens []string) string {
	if len(tokens) == 1 {
		return tokens[0]
	}
	return "(" + strings.Join(tokens, " OR ") + ")"
}

// pickRooms returns the tokens of the rooms to look in, or sets s.rooms where it
// is cheaper to look at each candidate: in most of the log. With neither there is no
// room, and with no tokens but not nil all rooms are meant; all that there are now, so
// that no document is looked at that comes later.
func (s *seek) pickRooms(names []chat.RoomName, other bool) []string {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	s.floor, s.top = 1, s.db.next
	ids := make(map[int64]bool, len(names))
	var events, ofAll chat.Seq
	for _, name := range names {
		r, ok := s.db.rooms[name]
		if ok && !ids[r.id] && (len(s.query.In) == 0 || slices.Contains(s.query.In, name)) {
			ids[r.id] = true
			events += r.cursor
		}
	}
	for _, r := range s.db.rooms {
		ofAll += r.cursor
	}
	switch {
	case len(ids) == 0:
		return nil
	case other && len(ids) == len(s.db.rooms):
		return []string{}
	case other && len(ids) > fewRooms && events > ofAll/8:
		s.rooms = ids
		return nil
	}
	var tokens []string
	for id := range ids {
		tokens = append(tokens, quoted(roomToken(id)))
	}
	slices.Sort(tokens)
	return tokens
}

// authors returns the tokens of all whose names have one of those after from: in
// them, from the beginning of a word on.
func (s *seek) authors(ctx context.Context) (tokens []string, err error) {
	for _, name := range s.query.From {
		if bare := strings.TrimPrefix(name, " "); classOf([]rune(bare)[0]) == lone {
			name = bare // there is no space before a word
		}
		err := each(ctx, s.conn, `SELECT id FROM author WHERE instr(name, $1) > 0 ORDER BY length(name), id DESC LIMIT $2`,
			[]any{name, mostAuthors}, func(scan func(...any) error) error {
				var id int64
				err := scan(&id)
				tokens = append(tokens, quoted(authorToken(id)))
				return err
			})
		if err != nil {
			return nil, fmt.Errorf("authors of a name: %w", err)
		}
	}
	slices.Sort(tokens)
	return slices.Compact(tokens), nil
}

// bound narrows the documents to those that may be of the right time: to whole
// blocks.
func (s *seek) bound(ctx context.Context) error {
	var id sql.NullInt64
	if !s.query.Before.IsZero() {
		err := s.conn.QueryRowContext(ctx, `SELECT max(id) FROM block WHERE since_ms < $1`, s.query.Before.UnixMilli()).Scan(&id)
		if err != nil {
			return fmt.Errorf("documents before a time: %w", err)
		}
		s.top = min(s.top, firstOf(id.Int64+1))
		if !id.Valid {
			s.top = 1
		}
	}
	if !s.query.Since.IsZero() {
		err := s.conn.QueryRowContext(ctx, `SELECT min(id) FROM block WHERE until_ms >= $1`, s.query.Since.UnixMilli()).Scan(&id)
		if err != nil {
			return fmt.Errorf("documents since a time: %w", err)
		}
		s.floor = firstOf(id.Int64)
		if !id.Valid {
			s.floor = s.top
		}
	}
	return nil
}

// run reads candidates, newest first, until the page is full.
func (s *seek) run(ctx context.Context, in []chat.RoomName) (result Result, err error) {
	if possible, err := s.plan(ctx, in); err != nil || !possible {
		return result, err
	}
	top := s.top
	if s.at.top > 0 {
		top = min(top, s.at.top)
	}
	rows, err := s.conn.QueryContext(ctx, `
		SELECT rowid FROM message_fts WHERE message_fts MATCH $1 AND rowid >= $2 AND rowid < $3
		ORDER BY rowid DESC`, s.match, s.floor, top)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	size := 2 * s.limit
	if s.query.Order == Relevance {
		size = window
	}
	for more := true; more; size = min(2*size, window) {
		begin := top // of the window: above all that it holds
		var hits []Hit
		if hits, top, more, err = s.candidates(ctx, rows, size, top); err != nil {
			return result, err
		}
		if s.query.Order == Relevance {
			slices.SortFunc(hits, Hit.compare)
			hits = s.behindCursor(hits)
		}
		if room := s.limit - len(result.Hits); len(hits) > room {
			result.Hits = append(result.Hits, hits[:room]...)
			result.Next = s.cursorBehind(result.Hits, begin)
			return result, nil
		}
		result.Hits = append(result.Hits, hits...)
		if more && (s.texts >= mostTexts || s.numbers >= mostNumbers) {
			result.Next = s.db.formatCursor(cursor{top: top})
			return result, nil
		}
	}
	return result, nil
}

// cursorBehind returns the cursor of what comes behind the last of hits, in a window
// that began at top.
func (s *seek) cursorBehind(hits []Hit, top int64) string {
	last := hits[len(hits)-1]
	if s.query.Order == Relevance {
		if last.number >= top { // the page was full with the windows before
			return s.db.formatCursor(cursor{top: top})
		}
		return s.db.formatCursor(cursor{top: top, number: last.number, score: last.score})
	}
	return s.db.formatCursor(cursor{top: last.number})
}

// compare orders hits by relevance, and those that are equal by age.
func (h Hit) compare(other Hit) int {
	return cmp.Or(cmp.Compare(other.score, h.score), cmp.Compare(other.number, h.number))
}

// behindCursor drops the hits of the first window that earlier pages have shown.
func (s *seek) behindCursor(hits []Hit) []Hit {
	if s.at.number == 0 {
		return hits
	}
	shown := Hit{number: s.at.number, score: s.at.score}
	s.at.number = 0
	i := slices.IndexFunc(hits, func(h Hit) bool { return h.compare(shown) > 0 })
	if i < 0 {
		return nil
	}
	return hits[i:]
}

// candidates reads the next documents, at most size, and returns those of them that
// are hits, newest first, and the number of the last that it looked at.
func (s *seek) candidates(ctx context.Context, rows *sql.Rows, size int, top int64) (hits []Hit, last int64, more bool, err error) {
	last = top
	var numbers []int64
	var places []place
	for more = true; more && len(numbers) < size && s.numbers < mostNumbers; {
		var found []int64
		for len(found) < size-len(numbers) {
			if more = rows.Next(); !more {
				break
			}
			if err := rows.Scan(&last); err != nil {
				return nil, 0, false, err
			}
			found = append(found, last)
		}
		if err := rows.Err(); err != nil {
			return nil, 0, false, err
		}
		s.numbers += len(found)
		stand, err := s.db.places(ctx, s.conn, found)
		if err != nil {
			return nil, 0, false, err
		}
		for i, p := range stand {
			if s.rooms == nil || s.rooms[p.room] {
				numbers, places = append(numbers, found[i]), append(places, p)
			}
		}
	}
	hits, err = s.hits(ctx, numbers, places)
	return hits, last, more, err
}

// hits reads the texts of candidates and returns those that match.
func (s *seek) hits(ctx context.Context, numbers []int64, places []place) ([]Hit, error) {
	if len(numbers) == 0 {
		return nil, nil
	}
	s.texts += len(numbers)
	asked := make([]chat.Place, len(places))
	s.db.mu.Lock()
	for i, p := range places {
		asked[i] = chat.Place{Room: s.db.names[p.room], Seq: p.seq}
	}
	s.db.mu.Unlock()
	events, err := s.source.Texts(ctx, asked)
	if err != nil {
		return nil, fmt.Errorf("texts of %d candidates: %w", len(asked), err)
	}
	if len(events) != len(asked) {
		return nil, fmt.Errorf("%d texts for %d candidates", len(events), len(asked))
	}
	var hits []Hit
	for i, e := range events {
		if !s.query.Before.IsZero() && !e.At.Before(s.query.Before) || e.At.Before(s.query.Since) {
			continue
		}
		if ranges, score, ok := s.matcher.match(e.Text); ok {
			e.Room, e.Seq = asked[i].Room, asked[i].Seq
			hits = append(hits, Hit{Event: e, Ranges: ranges, number: numbers[i], score: score})
		}
	}
	return hits, nil
}
