package search

import (
	"context"
	"errors"
	"time"

	"parley/internal/chat"
)

// searchTimeout is how long a search may take: long enough for anything that somebody
// means, short for what somebody makes up.
const searchTimeout = 5 * time.Second

// Find is Search for doors: it takes what somebody typed. The rooms that they name
// are searched whether they are among s.Rooms or not, since who knows a room's name
// may read it; s.May has a say in that. If s.Only is set they narrow s.Rooms instead.
// The error is an *chat.Error for a cursor that is none, for a search that takes too
// long, and while there is no index.
func (x *Index) Find(ctx context.Context, s chat.Search) (chat.Found, error) {
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	q := ParseQuery(s.Text)
	q.Limit, q.Cursor, q.Typing = s.Limit, s.Cursor, s.Typing
	if q.Order = Newest; s.Best {
		q.Order = Relevance
	}
	for _, name := range q.In {
		if s.MayRead == nil || s.Only {
			break
		}
		if err := s.MayRead(name); err != nil {
			return chat.Found{}, err
		}
	}
	x.awaitOpen(ctx)
	rooms := s.Rooms
	if len(q.In) > 0 && !s.Only {
		rooms = q.In
	}
	result, err := x.Search(ctx, q, rooms)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = &chat.Error{Code: chat.SearchUnavailable, Message: "The search took too long. Look for longer or rarer words, or in one room."}
	}
	found := chat.Found{Next: result.Next, Complete: result.Complete, Until: result.Until}
	for _, h := range result.Hits {
		hit := chat.Hit{MessageRef: chat.MessageRef{Room: h.Room, Seq: h.Seq}, Ranges: [][2]int{}}
		for _, r := range h.Ranges {
			hit.Ranges = append(hit.Ranges, [2]int{r.Start, r.End})
		}
		found.Hits = append(found.Hits, hit)
	}
	return found, err
}

// openTimeout is how long a search waits for the index, which is opened when the
// server has begun to answer already.
const openTimeout = 2 * time.Second

// awaitOpen waits until there is an index, but not for long.
func (x *Index) awaitOpen(ctx context.Context) {
	if x.database() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for x.database() == nil {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}
