package search

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/chat"
)

// What another process stores is found, and what it deletes is in no file any more, whether the index is told in which
// rooms or only that there is something.
func TestIndexLearnsWhatOtherProcessesHaveStored(t *testing.T) {
	for name, tell := range map[string]func(x *Index, l *memLog){
		"in which rooms": func(x *Index, l *memLog) {
			for _, room := range l.Rooms() {
				head := chat.Seq(len(l.Events(room)))
				x.StoredElsewhere(room, head, time.Now(), true)
				x.StoredElsewhere(room, head-1, time.Now(), false) // late
			}
		},
		"somewhere": func(x *Index, _ *memLog) { x.StoredAnywhere() },
	} {
		t.Run(name, func(t *testing.T) {
			l := newMemLog()
			dir := t.TempDir()
			deleted := l.say("lobby", "Ada", secret)
			l.say("lobby", "Ada", "old")
			x := newIndex(t, l, dir)
			follow(t, x, l)
			if !isThere(t, dir) {
				t.Fatal("it was not indexed")
			}
			l.say("lobby", "Ada", "said")
			l.say("garden", "Grace", "said")
			l.erase("lobby", deleted)
			l.torn["lobby"] = errLog // so that only the deletion is carried out
			tell(x, l)
			must(t, x.catchUp(t.Context()))
			wantFound(t, x, "said", chat.MessageRef{Room: "garden", Seq: 1})
			if isThere(t, dir) {
				t.Error("a deleted text is in the files")
			}
			if n, _ := x.Lag(); n != 2 {
				t.Errorf("%d behind, want 2", n)
			}
			delete(l.torn, "lobby")
			x.reads("lobby") // it would be read again in a while
			must(t, x.catchUp(t.Context()))
			wantFound(t, x, "said", chat.MessageRef{Room: "garden", Seq: 1}, chat.MessageRef{Room: "lobby", Seq: 3})
			if n, age := x.Lag(); n != 0 || age != 0 {
				t.Errorf("in the end %d behind for %v", n, age)
			}
		})
	}
}

// A log that does not answer keeps the index from reading what it was told of.
func TestASearchSaysWhatTheIndexWasToldAndHasNotRead(t *testing.T) {
	since := time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		tell  func(*Index)
		until time.Time
	}{
		"in this room": {func(x *Index) { x.StoredElsewhere("lobby", 2, since, false) }, since},
		"somewhere, a while ago": {func(x *Index) {
			x.StoredAnywhere()
			wantWhole(t, x, true, time.Time{}) // what is told with delay is no reason
			x.missing = x.missing.Add(-2 * toldWithin)
		}, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			l := &silentSource{memLog: newMemLog(), asked: make(chan struct{}), answer: make(chan struct{})}
			l.say("lobby", "Ada", "said")
			x := newIndex(t, l.memLog, t.TempDir())
			follow(t, x, l.memLog)
			wantWhole(t, x, true, time.Time{})
			l.say("lobby", "Ada", "said again")
			x.source = l
			tt.tell(x)
			wantWhole(t, x, false, tt.until)
			caughtUp := make(chan error, 1)
			go func() { caughtUp <- x.catchUp(t.Context()) }()
			<-l.asked
			wantWhole(t, x, false, tt.until)
			close(l.answer)
			must(t, <-caughtUp)
			wantWhole(t, x, true, time.Time{})
		})
	}
}

func wantWhole(t *testing.T, x *Index, complete bool, until time.Time) {
	t.Helper()
	if is, at := x.whole([]chat.RoomName{"garden", "lobby"}); is != complete || !at.Equal(until) {
		t.Errorf("whole: %v until %v, want %v until %v", is, at, complete, until)
	}
}

// A silentSource answers its first question, whichever that is, after the word to do so.
type silentSource struct {
	*memLog
	once          sync.Once
	asked, answer chan struct{}
}

func (s *silentSource) wait() {
	s.once.Do(func() {
		close(s.asked)
		<-s.answer
	})
}

func (s *silentSource) Heads(ctx context.Context) (map[chat.RoomName]chat.Seq, error) {
	s.wait()
	return s.memLog.Heads(ctx)
}

func (s *silentSource) After(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	s.wait()
	return s.memLog.After(ctx, room, seq, limit)
}

// What is in the index already costs nothing.
func TestIndexDoesNotReadAgainWhatItHas(t *testing.T) {
	l := newMemLog()
	l.say("lobby", "Ada", "said")
	x := newIndex(t, l, t.TempDir())
	follow(t, x, l)
	reads := 0
	l.read = func() { reads++ }
	x.StoredElsewhere("lobby", 1, time.Now(), true)
	x.StoredAnywhere()
	must(t, x.catchUp(t.Context()))
	if n, _ := x.Lag(); reads != 0 || n != 0 {
		t.Errorf("%d readings, %d behind", reads, n)
	}
}

// A slowSource takes a while to say the heads of all rooms.
type slowSource struct {
	*memLog
	takes, takesOnce time.Duration
	asked            int
}

func (s *slowSource) Heads(ctx context.Context) (map[chat.RoomName]chat.Seq, error) {
	s.asked++
	time.Sleep(s.takes + s.takesOnce)
	s.takesOnce = 0
	return s.memLog.Heads(ctx)
}

// While another process may have stored something at any time, the heads of all rooms are compared each second, and
// less often if that takes long.
func TestHeadsAreNotComparedAllTheTime(t *testing.T) {
	for name, tt := range map[string]struct {
		takes, takesOnce time.Duration
		least, most      int // in a minute
	}{
		"a few rooms":                        {0, 0, 50, 61},
		"many rooms":                         {time.Second, 0, 5, 7},
		"the database was away for a moment": {0, 8 * time.Second, 45, 55},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &slowSource{memLog: newMemLog(), takes: tt.takes}
				x := New(l, Config{Dir: t.TempDir(), Epoch: "first"})
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- x.Run(ctx) }()
				synctest.Wait()
				time.Sleep(time.Minute)
				synctest.Wait()
				before := l.asked
				l.takesOnce = tt.takesOnce
				for range 600 {
					x.StoredAnywhere()
					time.Sleep(100 * time.Millisecond)
				}
				synctest.Wait()
				if n := l.asked - before; n < tt.least || n > tt.most {
					t.Errorf("compared %d times in a minute, want %d to %d", n, tt.least, tt.most)
				}
				cancel()
				must(t, <-ended)
			})
		})
	}
}

// A comparison that fails is made up for.
func TestComparisonThatFailedIsTriedAgain(t *testing.T) {
	l := newMemLog()
	x := newIndex(t, l, t.TempDir())
	follow(t, x, l)
	l.say("lobby", "Ada", "said")
	l.failed = errLog
	x.StoredAnywhere()
	if err := x.catchUp(t.Context()); !errors.Is(err, errLog) {
		t.Errorf("%v", err)
	}
	l.failed = nil
	x.compareAt = time.Time{}
	must(t, x.catchUp(t.Context()))
	wantFound(t, x, "said", chat.MessageRef{Room: "lobby", Seq: 1})
}

// A database that was away for a moment is read again soon, whatever the index was doing when it went.
func TestIndexFollowsSoonAfterTheLogWasAway(t *testing.T) {
	for name, tell := range map[string]func(x *Index){
		"in a room": func(x *Index) { touch(x, "lobby") },
		"anywhere":  func(x *Index) { x.StoredAnywhere() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newMemLog()
				l.say("lobby", "Ada", "before")
				x := newIndex(t, l, t.TempDir())
				stop := run(t, x)
				defer stop()
				time.Sleep(time.Second)
				away := func(err error) {
					l.mu.Lock()
					defer l.mu.Unlock()
					l.failed = err
				}
				away(errLog)
				l.say("lobby", "Ada", "meanwhile")
				tell(x)
				time.Sleep(25 * time.Second)
				away(nil)
				time.Sleep(2 * time.Second)
				synctest.Wait() // the log is the index's until then
				wantFound(t, x, "meanwhile", chat.MessageRef{Room: "lobby", Seq: 2})
			})
		})
	}
}
