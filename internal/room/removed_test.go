package room

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/chat"
)

// A robbedLog lacks events that somebody has removed by hand. The newest of them is the head.
type robbedLog struct {
	Log
	first, head chat.Seq // of the removed ones
}

func (l *robbedLog) isRemoved(seq chat.Seq) bool { return seq >= l.first && seq <= l.head }

func (l *robbedLog) Head(ctx context.Context, name chat.RoomName) (chat.Seq, time.Time, error) {
	head, at, err := l.Log.Head(ctx, name)
	if l.isRemoved(head) {
		at = time.Time{}
	}
	return head, at, err
}

func (l *robbedLog) At(ctx context.Context, name chat.RoomName, seq chat.Seq) (time.Time, error) {
	if l.isRemoved(seq) {
		return time.Time{}, nil
	}
	return l.Log.At(ctx, name, seq)
}

func (l *robbedLog) After(ctx context.Context, name chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error) {
	events, err := l.Log.After(ctx, name, seq, limit)
	return slices.DeleteFunc(events, func(e chat.Event) bool { return l.isRemoved(e.Seq) }), err
}

func TestRoomWhoseNewestEventsWereRemovedGoesOn(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		b.sayMany(10)
		seen, err := b.log.At(t.Context(), "lobby", 10)
		if err != nil {
			t.Fatal(err)
		}
		b.Hub.log = &robbedLog{Log: b.Hub.log, first: 9, head: 10}
		for after, want := range map[chat.Seq]JoinResult{
			0:  {},
			8:  {},
			9:  {Behind: true, Reset: true}, // nobody knows whether that was the same event
			10: {},
			11: {Behind: true, Reset: true},
		} {
			s := newSlate()
			rd, found := b.join(&ada, s, after)
			synctest.Wait()
			if found.Head != 10 || !found.At.IsZero() || found.Behind != want.Behind || found.Reset != want.Reset {
				t.Errorf("after %d: %+v", after, found)
			}
			if code, _ := s.closedWith(); code != "" || b.Stats().NotLive != 0 {
				t.Errorf("after %d: closed with %q, %+v", after, code, b.Stats())
			}
			if want.Behind {
				s.wantRun(t, 1, 0)
			} else {
				s.wantRun(t, after+1, max(after, 8))
			}
			rd.Leave()
		}
		// Whoever has seen the newest event comes back with its time, which the log has forgotten.
		if err := b.CheckPosition(t.Context(), nobody, "lobby", 10, seen, "epoch"); err != nil {
			t.Error(err)
		}
		if err := b.CheckPosition(t.Context(), nobody, "lobby", 9, seen, "epoch"); chat.CodeOf(err) != chat.Behind {
			t.Error(err)
		}
		s := newSlate()
		rd, _ := b.join(&ada, s, 8)
		ctx, end := context.WithCancel(t.Context())
		var followed []chat.Seq
		go func() {
			for e, err := range b.Follow(ctx, nobody, "lobby", 7) {
				if err != nil {
					t.Error(err)
				}
				followed = append(followed, e.Seq)
			}
		}()
		synctest.Wait()
		b.sayMany(3)
		s.wantRun(t, 11, 13)
		rd.Leave()
		end()
		synctest.Wait()
		if want := []chat.Seq{8, 11, 12, 13}; !slices.Equal(followed, want) {
			t.Errorf("followed %d, want %d", followed, want)
		}
	})
}

// An event that the store should have and does not return is an error, not a gap.
func TestEventThatTheStoreDoesNotReturnIsNotPassedOver(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		b.sayMany(10)
		b.Hub.log = silentLog{b.Hub.log}
		s := newSlate()
		rd, _ := b.join(&ada, s, 8)
		synctest.Wait()
		if code, _ := s.closedWith(); code != chat.Internal {
			t.Errorf("closed with %q", code)
		}
		rd.Leave()
		p := b.follow(t.Context(), b.Hub, 8)
		if _, err, _ := p.next(); err == nil {
			t.Error("no error")
		}
		p.wantEnd()
	})
}

// A silentLog returns no events.
type silentLog struct{ Log }

func (silentLog) After(context.Context, chat.RoomName, chat.Seq, int) ([]chat.Event, error) {
	return nil, nil
}
