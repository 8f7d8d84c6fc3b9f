package search

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
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
	until      time.Time // hits are not newer than this; zero: no bound

	texts, numbers int      // read so far
	first, last    storedAt // of the candidates of this window that exist; zero: there are none

	lookup   lookup
	segments []segment // not searched yet
	segment  segment   // the one being searched
	found    *bitmap   // the candidates in segment; nil: not looked up yet
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
		begin := cursor{top: top, from: s.last} // of the page, if no hit of this window fits on this one
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
			result.Next, err = s.cursorBehind(ctx, result.Hits, begin)
			return result, err
		}
		result.Hits = append(result.Hits, hits...)
		if more && (s.texts >= mostTexts || s.numbers >= mostNumbers) {
			result.Next, err = s.formatCursor(ctx, cursor{top: top, from: s.last})
			return result, err
		}
	}
	return result, nil
}

// cursorBehind returns the cursor of the page after hits, whose last window begins at begin.
func (s *searchRun) cursorBehind(ctx context.Context, hits []Hit, begin cursor) (string, error) {
	last := hits[len(hits)-1]
	shown := storedAt{chat.MessageRef{Room: last.Room, Seq: last.Seq}, last.At}
	switch {
	case s.query.Order != Relevance:
		return s.formatCursor(ctx, cursor{top: last.number, from: shown})
	case last.number >= begin.top: // the windows before have filled the page
		return s.formatCursor(ctx, begin)
	}
	return s.formatCursor(ctx, cursor{
		top: begin.top, from: s.first, number: last.number, score: last.score, shown: shown,
	})
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
	s.first, s.last = storedAt{}, storedAt{}
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
		if e.At.IsZero() {
			continue
		}
		if s.last = (storedAt{asked[i], e.At}); s.first.at.IsZero() {
			s.first = s.last
		}
		if !s.until.IsZero() && e.At.After(s.until) {
			continue
		}
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
