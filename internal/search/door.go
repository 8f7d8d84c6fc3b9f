package search

import (
	"context"
	"time"

	"parley/internal/chat"
)

// patience is how long a search may take: long enough for anything that somebody
// means, short for what somebody makes up.
const patience = 5 * time.Second

// Find is Search for doors: it takes what somebody typed. The rooms that they name
// are searched whether they are among s.Rooms or not, since who knows a room's name
// may read it, unless s.Only says that they narrow s.Rooms. The error is an *chat.Error
// for a cursor that is none, and while there is no index.
func (x *Index) Find(ctx context.Context, s chat.Search) (chat.Found, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	q := ParseQuery(s.Typed)
	q.Limit, q.Cursor, q.Typing = s.Limit, s.Cursor, s.Typing
	if q.Order = Newest; s.Best {
		q.Order = Relevance
	}
	rooms := s.Rooms
	if len(q.In) > 0 && !s.Only {
		rooms = q.In
	}
	result, err := x.Search(ctx, q, rooms)
	found := chat.Found{Next: result.Next, Complete: result.Complete, Until: result.Until}
	for _, h := range result.Hits {
		hit := chat.Hit{Place: chat.Place{Room: h.Room, Seq: h.Seq}, Ranges: [][2]int{}}
		for _, r := range h.Ranges {
			hit.Ranges = append(hit.Ranges, [2]int{r.Start, r.End})
		}
		found.Hits = append(found.Hits, hit)
	}
	return found, err
}
