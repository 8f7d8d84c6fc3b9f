package room

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"parley/internal/chat"
)

func TestAnswerComesBeforeTheEventOfAReaderThatCatchesUp(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		b.sayMany(10)
		s := newSlate()
		s.take(0)
		rd, _ := b.join(&ada, s, 0)
		synctest.Wait() // parked, and served from the store from then on
		answer := make(chan struct{})
		if err := b.Post(chat.Draft{Room: "lobby", From: ada, Text: "mine"}, func(chat.Commit) { <-answer }); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // stored, and not yet answered
		s.take(-1)
		synctest.Wait()
		s.wantRun(t, 1, 10)
		close(answer)
		synctest.Wait()
		s.wantRun(t, 1, 11)
		rd.Leave()
	})
}

func TestEventForARoomThatHasJustBeenLeftTakesNoMemory(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		rd, _ := b.join(&ada, newSlate())
		r := b.rooms.find("lobby") // as publish does
		rd.Leave()
		r.append(chat.Event{Room: "lobby", Seq: 1, Kind: chat.Message, From: ada, Text: "late"})
		if got := b.Stats(); got.Bytes != 0 || got.Rooms != 0 {
			t.Errorf("%+v", got)
		}
	})
}

func TestOldTabDoesNotUndoARename(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		s := newSlate()
		rd1, _ := b.join(&ada, s)
		rd2, _ := b.join(&grace, newSlate())
		hopper := chat.Person{ID: grace.ID, Name: "Hopper"}
		b.Rename(hopper)
		rd3, found := b.join(&grace, newSlate()) // a tab that has not heard of it
		synctest.Wait()
		if len(found.Here) != 2 || found.Here[1] != hopper {
			t.Errorf("here are %v", found.Here)
		}
		if got := s.moments(); len(got) != 2 || got[1].Change.Joined.Name != "Hopper" {
			t.Errorf("told %+v", got)
		}
		if got, ok := rd3.Person(); !ok || got != hopper {
			t.Errorf("the old tab's person is %v, want %v", got, hopper)
		}
		for _, rd := range []*Reader{rd1, rd2, rd3} {
			rd.Leave()
		}
	})
}

// A countedEncoder counts how often it is used.
type countedEncoder struct{ used *atomic.Int64 }

func (countedEncoder) Formatted() bool { return true }

func (c countedEncoder) Append(dst []byte, e chat.Event) []byte {
	c.used.Add(1)
	return lines{}.Append(dst, e)
}

func TestEncodingThatNobodyReadsIsNotMade(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		rd, _ := b.join(&ada, newSlate())
		s := newSlate()
		var used atomic.Int64
		join := func(after chat.Seq) *Reader {
			other, err := b.Join(context.Background(), nobody, "lobby", JoinRequest{Sink: s, Encoder: countedEncoder{&used}, After: &after}, func(JoinResult) {})
			if err != nil {
				t.Fatal(err)
			}
			return other
		}
		other := join(0)
		b.sayMany(3)
		other.Leave()
		b.sayMany(5)
		if n := used.Load(); n != 3 {
			t.Errorf("encoded %d events, want the 3 that somebody read", n)
		}
		other = join(3)
		b.sayMany(2)
		s.wantRun(t, 1, 10)
		other.Leave()
		rd.Leave()
	})
}
