package room

import (
	"context"
	"sync/atomic"
	"testing"

	"parley/internal/chat"
)

func TestEventForARoomThatHasJustBeenLeftTakesNoMemory(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		rd, _ := b.join(&ada, newSlate())
		r := b.rooms.find("lobby") // as deliver does, before the last reader leaves
		rd.Leave()
		r.append(chat.Event{Room: "lobby", Seq: 1, Kind: chat.Message, From: ada, Text: "late"})
		if got := b.Stats(); got.Bytes != 0 || got.Rooms != 0 {
			t.Errorf("%+v", got)
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
			j := JoinRequest{Sink: s, Encoder: countedEncoder{&used}, After: &after}
			other, err := b.Join(context.Background(), nobody, "lobby", j, func(JoinResult) {})
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
