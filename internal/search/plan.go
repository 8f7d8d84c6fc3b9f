package search

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"parley/internal/chat"
)

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
	if err := s.begin(ctx); err != nil {
		return false, err
	}
	s.segments, err = readSegments(ctx, s.conn)
	return true, err
}

// begin sets where the page begins.
func (s *searchRun) begin(ctx context.Context) error {
	c, isOwn, err := s.db.parseCursor(s.query.Cursor)
	if err == nil && !isOwn {
		c, err = s.adopt(ctx, c)
	}
	s.at = c
	return err
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
