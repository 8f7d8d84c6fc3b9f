package room

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/chat"
)

func TestReaderFarBehindPagesFromTheStore(t *testing.T) {
	inBubble(t, Config{StallTimeout: time.Hour}, func(t *testing.T, b *bench) {
		slow := newSlate()
		rd, _ := b.join(&ada, slow)
		slow.take(0)
		long := strings.Repeat("x", 3000)
		const events = 2 * maxLogBytes / 3000
		for range events { // more than a byte log holds
			b.say(grace, long)
		}
		synctest.Wait()
		if got := b.Stats().Bytes; got > 2*maxLogBytes {
			t.Errorf("the room keeps %d bytes for one slow reader", got)
		}
		for range 2 * events {
			slow.take(3000)
			synctest.Wait()
		}
		slow.wantRun(t, 1, events)
		rd.Leave()
	})
}

func TestAnswerComesBeforeTheEventOfAReaderThatCatchesUp(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		b.sayMany(10)
		s := newSlate()
		s.take(0)
		rd, _ := b.join(&ada, s, 0)
		synctest.Wait() // blocked, and from then on served from the store
		answer := make(chan struct{})
		d := chat.Draft{Room: "lobby", From: ada, Text: "mine"}
		if err := b.Post(d, func(chat.Commit) { <-answer }); err != nil {
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
