package search

import (
	"context"
	"errors"
	"time"

	"parley/internal/chat"
)

// searchTimeout is longer than any search of ordinary words takes, and bounds what a made-up query can cost.
const searchTimeout = 5 * time.Second

// Find is Search for what a person typed. Rooms named in the text (in:) are searched although they are not in s.Rooms,
// because whoever knows a room's name may read it, provided s.MayRead allows it; with s.Only they narrow s.Rooms
// instead. The error is an *chat.Error with code BadRequest for an invalid cursor, SearchUnavailable while there is no
// index or after a timeout, or whatever s.MayRead returned.
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
		err = &chat.Error{
			Code:    chat.SearchUnavailable,
			Message: "The search took too long. Look for longer or rarer words, or in one room.",
		}
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

// openTimeout is how long a search waits for the index, which may still be opening when the server accepts its first
// requests.
const openTimeout = 2 * time.Second

// awaitOpen waits until the index is open, at most openTimeout.
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
