package search

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/chat"
)

// slowLog is a Source that never returns texts.
type slowLog struct{ *memLog }

func (slowLog) Texts(ctx context.Context, _ []chat.MessageRef) ([]chat.Event, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// The error names the search, not the store and not an internal error.
func TestSlowSearchIsRefusedWithItsOwnCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newMemLog()
		l.say("lobby", "Ada", "said before")
		x := New(slowLog{l}, Config{Dir: t.TempDir(), Epoch: "e"})
		stop := run(t, x)
		defer stop()
		time.Sleep(time.Second)
		begun := time.Now()
		_, err := x.Find(t.Context(), chat.Search{Text: "said", Rooms: l.Rooms()})
		if e := chat.UserError(err); e.Code != chat.SearchUnavailable || time.Since(begun) != searchTimeout {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = x.Find(ctx, chat.Search{Text: "said", Rooms: l.Rooms()})
		if err == nil || chat.CodeOf(err) == chat.SearchUnavailable {
			t.Errorf("for somebody who has gone: %v", err)
		}
	})
}

func TestSearchWaitsForTheIndexToOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newMemLog()
		l.say("lobby", "Ada", "said before")
		x := newIndex(t, l, t.TempDir())
		type answer struct {
			found chat.Found
			err   error
			took  time.Duration
		}
		find := func() answer {
			begun := time.Now()
			found, err := x.Find(t.Context(), chat.Search{Text: "said", Rooms: l.Rooms()})
			return answer{found, err, time.Since(begun)}
		}
		if a := find(); chat.CodeOf(a.err) != chat.SearchUnavailable || a.took != openTimeout {
			t.Errorf("without an index: %+v", a)
		}
		answers := make(chan answer, 1)
		go func() { answers <- find() }()
		time.Sleep(openTimeout / 2)
		stop := run(t, x)
		defer stop()
		if a := <-answers; a.err != nil || a.took >= openTimeout {
			t.Errorf("while it opens: %+v", a)
		}
	})
}

func TestRoomsThatAreNamedAreAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newMemLog()
		l.say("secret", "Ada", "said there")
		x := newIndex(t, l, t.TempDir())
		stop := run(t, x)
		defer stop()
		time.Sleep(time.Second)
		refusal := &chat.Error{Code: chat.RateLimited}
		var asked []chat.RoomName
		may := func(room chat.RoomName) error {
			asked = append(asked, room)
			return refusal
		}
		found, err := x.Find(t.Context(), chat.Search{Text: "said in:secret", MayRead: may})
		if chat.CodeOf(err) != chat.RateLimited || len(found.Hits) > 0 {
			t.Errorf("%+v, %v", found, err)
		}
		if len(asked) != 1 || asked[0] != "secret" {
			t.Errorf("asked for %v", asked)
		}
	})
}
