package search

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/internal/chat"
)

const (
	defaultHits   = 20
	mostHits      = 100
	window        = 1000    // candidates that are ranked together by relevance
	mostTexts     = 4000    // texts read for one page; beyond, the page ends early and has a Next
	mostNumbers   = 200_000 // candidates looked at for one page; likewise
	mostAuthors   = 200     // authors that one from: can match; the shortest names first
	maxRoomTokens = 8       // rooms that are looked up as tokens; of more rooms, candidates may be checked instead
)

// A Result is one page of hits.
type Result struct {
	Hits     []Hit
	Next     string    // the Cursor of the page that follows; empty: there is none
	Complete bool      // every event of the rooms before the search was indexed
	Until    time.Time // if not Complete: events before this time were; zero: not known
}

// A Hit is a message with its newest text and the parts of it that match.
type Hit struct {
	chat.Event
	Ranges []Range // in code points, in order, without overlap; none for a query without words
	number int64
	score  float64
}

// Search returns one page of the messages in rooms that match q. A page may hold fewer hits than its limit, or none,
// and still have a Next: it ends early when many candidates had to be read that do not match. The error is an
// *chat.Error with code BadRequest for an invalid cursor and SearchUnavailable while there is no index.
func (x *Index) Search(ctx context.Context, q Query, rooms []chat.RoomName) (Result, error) {
	x.open.RLock()
	defer x.open.RUnlock()
	if x.db == nil {
		return Result{}, errClosed
	}
	if len(q.In) > 0 {
		rooms = slices.DeleteFunc(slices.Clone(rooms), func(r chat.RoomName) bool { return !slices.Contains(q.In, r) })
	}
	complete, until := x.whole(rooms) // before the search, because the index may catch up during it
	if q.Empty() {
		return Result{Complete: complete, Until: until}, nil
	}
	conn, err := x.db.readers.Conn(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("waiting to search: %w", err)
	}
	defer conn.Close()
	statements := &prepared{on: conn}
	defer statements.close()
	s := &searchRun{db: x.db, conn: conn, source: x.source, query: q, lookup: lookup{db: x.db, conn: statements}}
	result, err := s.run(ctx, rooms)
	if err != nil && isBroken(err) {
		x.breakDown(err)
		return Result{}, errClosed
	}
	if err != nil {
		return Result{}, fmt.Errorf("searching %d rooms: %w", len(rooms), err)
	}
	result.Complete, result.Until = complete, until
	return result, nil
}

// errClosed is the error of a search while there is no index.
var errClosed = &chat.Error{
	Code: chat.SearchUnavailable, RetryAfter: retryEvery,
	Message: "The search index cannot be used right now; everything else works. Search again in a moment. " +
		"If that lasts, the server's log says why.",
}

// A searchRun is one search in progress.
type searchRun struct {
	db      *database
	conn    *sql.Conn // the only one of a search: if each needed two, searches could wait for each other for ever
	source  Source
	query   Query
	matcher matcher
	limit   int

	clauses    [][]token      // a candidate has at least one token of each
	rooms      map[int64]bool // rooms that candidates have to be in, if clauses do not include the rooms; nil: any
	floor, top int64          // numbers of candidates: floor ≤ number < top
	at         cursor

	texts, numbers int // read so far

	lookup   lookup
	segments []segment // not searched yet
	segment  segment   // the one being searched
	found    *bitmap   // the candidates in segment; nil: not looked up yet
}

// plan turns the query into clauses and bounds. It reports false if there can be no hit.
func (s *searchRun) plan(ctx context.Context, rooms []chat.RoomName) (possible bool, err error) {
	q := &s.query
	s.limit = min(cmp.Or(max(q.Limit, 0), defaultHits), mostHits)
	s.matcher = matcher{terms: slices.Clone(q.Terms), has: q.Has}
	if n := len(q.Terms); n > 0 && q.Typing && q.open {
		s.matcher.terms[n-1].Prefix = true
	}
	for _, t := range s.matcher.terms {
		s.clauses = t.appendClauses(s.clauses)
	}
	for _, f := range q.Has {
		s.clauses = append(s.clauses, []token{{text: factTokens[f]}})
	}
	if len(q.From) > 0 {
		authors, err := s.authors(ctx)
		if err != nil || len(authors) == 0 {
			return false, err
		}
		s.clauses = append(s.clauses, authors)
	}
	in := s.pickRooms(rooms, len(s.clauses) > 0)
	if in == nil && s.rooms == nil {
		return false, nil
	}
	if len(in) > 0 {
		s.clauses = append(s.clauses, in)
	}
	// The cheapest clauses come first: one whole token, then a beginning, then many tokens.
	slices.SortStableFunc(s.clauses, func(a, b []token) int { return cmp.Compare(effort(a), effort(b)) })
	if err := s.bound(ctx); err != nil {
		return false, err
	}
	if s.at, err = s.db.parseCursor(q.Cursor); err != nil {
		return false, err
	}
	s.segments, err = readSegments(ctx, s.conn)
	return true, err
}

func effort(tokens []token) int {
	n := 2 * len(tokens)
	if tokens[0].prefix {
		n++
	}
	return n
}

// appendClauses appends the clauses that a document with the term fulfils.
func (t Term) appendClauses(all [][]token) [][]token {
	for i, u := range t.units {
		switch last := i == len(t.units)-1; {
		case !last && t.units[i+1].joined:
			all = append(all, []token{{text: u.text + t.units[i+1].text}})
		case u.joined: // part of the pair before
		default:
			all = append(all, []token{{text: u.text, prefix: u.lone || last && t.Prefix}})
		}
	}
	return all
}

// pickRooms returns the tokens of the rooms to search. It sets s.rooms instead where checking each candidate's room is
// cheaper, because the rooms hold a large part of the log. It returns nil without s.rooms if no room is indexed, and an
// empty list if all rooms are meant. It bounds the search to the documents that exist now, so that none is found that
// belongs to a room which appears later.
func (s *searchRun) pickRooms(names []chat.RoomName, other bool) []token {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	s.floor, s.top = 1, s.db.next
	ids := make(map[int64]bool, len(names))
	var events, ofAll chat.Seq
	for _, name := range names {
		r, ok := s.db.rooms[name]
		if ok && !ids[r.id] {
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
		return []token{}
	case other && len(ids) > maxRoomTokens && events > ofAll/8:
		s.rooms = ids
		return nil
	}
	var tokens []token
	for id := range ids {
		tokens = append(tokens, token{text: roomToken(id)})
	}
	return sorted(tokens)
}

// sorted sorts tokens and removes duplicates.
func sorted(tokens []token) []token {
	slices.SortFunc(tokens, func(a, b token) int { return strings.Compare(a.text, b.text) })
	return slices.Compact(tokens)
}

// authors returns the tokens of the authors whose names contain one of the from: values, from the beginning of a word
// on.
func (s *searchRun) authors(ctx context.Context) (tokens []token, err error) {
	for _, name := range s.query.From {
		if bare := strings.TrimPrefix(name, " "); classOf([]rune(bare)[0]) == lone {
			name = bare // such scripts have no space before a word
		}
		err := eachRow(ctx, s.conn, `
			SELECT id FROM author WHERE instr(name, $1) > 0 ORDER BY length(name), id DESC LIMIT $2`,
			[]any{name, mostAuthors}, func(scan func(...any) error) error {
				var id int64
				err := scan(&id)
				tokens = append(tokens, token{text: authorToken(id)})
				return err
			})
		if err != nil {
			return nil, fmt.Errorf("authors of a name: %w", err)
		}
	}
	return sorted(tokens), nil
}

// bound narrows the documents to the blocks that can hold messages of the right time.
func (s *searchRun) bound(ctx context.Context) error {
	var id sql.NullInt64
	if !s.query.Before.IsZero() {
		err := s.conn.QueryRowContext(ctx, `
			SELECT max(id) FROM block WHERE since_ms < $1`, s.query.Before.UnixMilli()).Scan(&id)
		if err != nil {
			return fmt.Errorf("documents before a time: %w", err)
		}
		s.top = min(s.top, firstOf(id.Int64+1))
		if !id.Valid {
			s.top = 1
		}
	}
	if !s.query.Since.IsZero() {
		err := s.conn.QueryRowContext(ctx, `
			SELECT min(id) FROM block WHERE until_ms >= $1`, s.query.Since.UnixMilli()).Scan(&id)
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

// run reads candidates, newest first, until the page is full. It reads the index in one snapshot.
func (s *searchRun) run(ctx context.Context, in []chat.RoomName) (result Result, err error) {
	tx, err := s.conn.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return result, err
	}
	defer tx.Rollback() // read-only
	if possible, err := s.plan(ctx, in); err != nil || !possible {
		return result, err
	}
	top := s.top
	if s.at.top > 0 {
		top = min(top, s.at.top)
	}
	size := 2 * s.limit
	if s.query.Order == Relevance {
		size = window
	}
	for more := true; more; size = min(2*size, window) {
		begin := top // of the window: greater than all numbers in it
		var hits []Hit
		if hits, top, more, err = s.candidates(ctx, size, top); err != nil {
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

// cursorBehind returns the cursor of the page after hits, whose last window began at top.
func (s *searchRun) cursorBehind(hits []Hit, top int64) string {
	last := hits[len(hits)-1]
	if s.query.Order == Relevance {
		if last.number >= top { // the windows before have filled the page
			return s.db.formatCursor(cursor{top: top})
		}
		return s.db.formatCursor(cursor{top: top, number: last.number, score: last.score})
	}
	return s.db.formatCursor(cursor{top: last.number})
}

// compare orders hits by relevance, then newest first.
func (h Hit) compare(other Hit) int {
	return cmp.Or(cmp.Compare(other.score, h.score), cmp.Compare(other.number, h.number))
}

// behindCursor drops the hits of the first window that earlier pages have shown.
func (s *searchRun) behindCursor(hits []Hit) []Hit {
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

// candidates looks at the next candidates below top, at most size. It returns the hits among them, newest first, the
// number of the last one that it looked at, and whether there may be more.
func (s *searchRun) candidates(
	ctx context.Context, size int, top int64,
) (hits []Hit, last int64, more bool, err error) {
	last = top
	var numbers []int64
	var places []docRef
	for more = true; more && len(numbers) < size && s.numbers < mostNumbers; {
		var found []int64
		for len(found) < size-len(numbers) {
			number, err := s.next(ctx, last)
			if err != nil {
				return nil, 0, false, err
			}
			if more = number > 0; !more {
				break
			}
			last = number
			found = append(found, number)
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

// next returns the number of the newest candidate below top, 0 if there is none.
func (s *searchRun) next(ctx context.Context, top int64) (int64, error) {
	for {
		if s.found != nil {
			if n := s.found.before(int(min(top-s.segment.first, segmentDocuments))); n >= 0 {
				number := s.segment.first + int64(n)
				if number < s.floor {
					return 0, nil
				}
				return number, nil
			}
			s.found = nil
		}
		for n := len(s.segments); n > 0 && s.segments[n-1].first >= top; n-- {
			s.segments = s.segments[:n-1]
		}
		n := len(s.segments)
		if n == 0 || s.segments[n-1].end() <= s.floor {
			return 0, nil
		}
		s.segment, s.segments = s.segments[n-1], s.segments[:n-1]
		if err := s.findCandidates(ctx); err != nil {
			return 0, err
		}
	}
}

// findCandidates looks up the candidates of a segment.
func (s *searchRun) findCandidates(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.found = nil
	for i, clause := range s.clauses {
		b := new(bitmap)
		if err := s.lookup.find(ctx, s.segment, clause, b); err != nil {
			return err
		}
		if i == 0 {
			s.found = b
			continue
		}
		if !s.found.and(b) {
			break
		}
	}
	return nil
}

// hits reads the texts of candidates and returns those that match.
func (s *searchRun) hits(ctx context.Context, numbers []int64, places []docRef) ([]Hit, error) {
	if len(numbers) == 0 {
		return nil, nil
	}
	s.texts += len(numbers)
	asked := make([]chat.MessageRef, len(places))
	s.db.mu.Lock()
	for i, p := range places {
		asked[i] = chat.MessageRef{Room: s.db.names[p.room], Seq: p.seq}
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
