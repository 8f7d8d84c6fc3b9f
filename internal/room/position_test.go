package room

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/chat"
)

// A client that has read a page of history may know of an event that the room's readers have not got yet: it is in the
// store, and its commit is about to arrive.
func TestAReaderMayBeAheadOfTheRoom(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		first := newSlate()
		rd, _ := b.join(nil, first)
		b.sayMany(3)
		b.log.Append(chat.Draft{Room: "lobby", From: ada, Text: "4"}, func(chat.Commit) {})
		synctest.Wait()
		ahead := newSlate()
		other, found := b.join(nil, ahead, 4)
		if found.Behind || found.Head != 4 || found.From != 4 {
			t.Errorf("joined = %+v", found)
		}
		b.sayMany(2)
		ahead.wantRun(t, 5, 6)
		first.wantRun(t, 1, 6)
		rd.Leave()
		other.Leave()
	})
}

// If a position cannot be looked up, Join fails and leaves no reader behind.
func TestUnreadablePositionRefusesTheReader(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		b.sayMany(3)
		broken := &blindLog{Log: b.Hub.log}
		b.Hub.log = broken
		two := chat.Seq(2)
		for _, fault := range []func(){
			func() { broken.err = errors.New("the disk") },
			func() { broken.panics = true },
		} {
			fault()
			func() {
				defer func() { _ = recover() }()
				j := JoinRequest{Sink: newSlate(), Encoder: lines{}, After: &two}
				rd, err := b.Join(t.Context(), nobody, "lobby", j, func(JoinResult) {})
				if err == nil {
					t.Error("joined")
					rd.Leave()
				}
			}()
			if s := b.Stats(); s.Rooms != 0 || s.Readers != 0 {
				t.Errorf("left behind: %+v", s)
			}
		}
	})
}

// Those who come back with one of the newest events are many when another node has stopped: the store is not asked.
func TestTimesOfTheNewestEventsAreInMemory(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		first := newSlate()
		rd, _ := b.join(nil, first)
		defer rd.Leave()
		for range maxTimes + 5 {
			b.say(ada, "later")
			time.Sleep(time.Second)
		}
		whole := b.Hub.log
		b.Hub.log = &blindLog{Log: whole, err: errors.New("the disk")}
		for seq := chat.Seq(maxTimes + 5); seq >= 1; seq-- {
			at, err := b.Hub.rooms.find("lobby").eventAt(t.Context(), seq)
			if seq <= 5 && seq != 3 { // blindLog knows event 3
				if err == nil {
					t.Errorf("event %d: the store was not asked", seq)
				}
				continue
			}
			want, err2 := whole.At(t.Context(), "lobby", seq)
			if err != nil || err2 != nil || !at.Equal(want) {
				t.Errorf("event %d: stored at %v, %v; want %v, %v", seq, at, err, want, err2)
			}
		}
	})
}

// A blindLog fails or panics in At.
type blindLog struct {
	Log
	err    error
	panics bool
}

func (l *blindLog) At(ctx context.Context, room chat.RoomName, seq chat.Seq) (time.Time, error) {
	if seq == 3 {
		return l.Log.At(ctx, room, seq)
	}
	if l.panics {
		panic("a mistake in the log")
	}
	return time.Time{}, l.err
}
