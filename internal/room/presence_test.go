package room

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/chat"
)

func guest(i int) chat.Person {
	return chat.Person{ID: chat.PersonID(fmt.Sprint("guest-", i)), Name: fmt.Sprint("Guest ", i)}
}

func TestPresenceNamesPeopleWhoJoinAndLeave(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		s, again := newSlate(), newSlate()
		rd1, found := b.join(&ada, s)
		if len(found.Here) != 1 || found.Here[0] != ada || found.Count != 1 {
			t.Errorf("alone: %+v", found)
		}
		rd2, found := b.join(&grace, newSlate())
		rd3, _ := b.join(&grace, again) // a second tab adds no member
		if len(found.Here) != 2 {
			t.Errorf("two: %+v", found)
		}
		rd2.Leave()
		rd3.Leave()
		time.Sleep(2 * time.Second)
		rd4, _ := b.join(&grace, newSlate()) // a reload is not announced
		time.Sleep(10 * time.Second)
		rd4.Leave()
		time.Sleep(4 * time.Second)
		synctest.Wait()
		got := s.ephemerals()
		if len(got) != 2 || got[0].Change.Joined == nil || *got[0].Change.Joined != grace || got[0].Change.Count != 2 ||
			got[1].Change.Left == nil || *got[1].Change.Left != grace || got[1].Change.Count != 1 {
			t.Errorf("told %+v", got)
		}
		rd1.Leave()
	})
}

func TestRenameIsTold(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		s := newSlate()
		rd1, _ := b.join(&ada, s)
		rd2, _ := b.join(&grace, newSlate())
		b.Rename(chat.Person{ID: grace.ID, Name: "Hopper"})
		synctest.Wait()
		got := s.ephemerals()
		if len(got) != 2 || got[1].Change.Joined.Name != "Hopper" || got[1].Change.Count != 2 {
			t.Errorf("told %+v", got)
		}
		rd1.Leave()
		rd2.Leave()
	})
}

func TestLargeRoomIsCountedOnceASecond(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		s := newSlate()
		watcher, _ := b.join(&ada, s)
		var readers []*Reader
		for i := range 1000 {
			p := guest(i)
			rd, _ := b.join(&p, newSlate())
			readers = append(readers, rd)
		}
		synctest.Wait()
		before := len(s.ephemerals())
		if before > chat.MaxHere+2 {
			t.Errorf("%d presence events for a crowd", before)
		}
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		got := s.ephemerals()
		last := got[len(got)-1].Change
		if last.Count != 1001 || last.Joined != nil || last.Here != nil {
			t.Errorf("last told %+v", last)
		}
		for _, rd := range readers[50:] {
			rd.Leave()
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		var list int
		for _, l := range s.ephemerals()[before:] {
			if l.Change.Here != nil {
				list++
				if len(l.Change.Here) != chat.MaxHere || l.Change.Count != chat.MaxHere {
					t.Errorf("a list of %d, count %d", len(l.Change.Here), l.Change.Count)
				}
			}
		}
		if list != 1 {
			t.Errorf("%d lists were sent as the room shrank, want 1", list)
		}
		if got := s.ephemerals(); got[len(got)-1].Change.Count != 51 {
			t.Errorf("last told %+v", got[len(got)-1].Change)
		}
		for _, rd := range append(readers[:50], watcher) {
			rd.Leave()
		}
	})
}

func TestTypingIsPassedOnButNotTooOften(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		s := newSlate()
		rd1, _ := b.join(&ada, s)
		rd2, _ := b.join(&grace, newSlate())
		for range 30 {
			rd2.Typing()
			time.Sleep(100 * time.Millisecond)
		}
		synctest.Wait()
		typed := 0
		for _, l := range s.ephemerals() {
			if l.Kind == chat.Typing && l.From == grace.Name {
				typed++
			}
		}
		if typed != 2 {
			t.Errorf("told %d times in three seconds, want 2", typed)
		}
		b.say(grace, "sent")
		synctest.Wait()
		rd2.Typing() // a new message
		synctest.Wait()
		if got := s.ephemerals(); got[len(got)-1].Kind != chat.Typing || len(got) != 1+typed+1 {
			t.Errorf("after a message: told %+v", got)
		}
		rd1.Leave()
		rd2.Leave()
	})
}

func TestBlockedReaderMissesEphemeralEventsOnly(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		s := newSlate()
		rd1, _ := b.join(&ada, s)
		rd2, _ := b.join(&grace, newSlate())
		synctest.Wait()
		seen := len(s.ephemerals())
		s.take(0)
		b.sayMany(1)
		rd2.Typing()
		synctest.Wait()
		s.take(-1)
		synctest.Wait()
		s.wantRun(t, 1, 1)
		rd2.Typing() // too soon
		time.Sleep(3 * time.Second)
		rd2.Typing()
		synctest.Wait()
		if got := s.ephemerals()[seen:]; len(got) != 1 && len(got) != 2 {
			t.Errorf("%d events of the moment", len(got))
		}
		rd1.Leave()
		rd2.Leave()
	})
}

func TestReaderBecomesAMember(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		s := newSlate()
		rd1, _ := b.join(&ada, s)
		rd2, found := b.join(nil, newSlate())
		if found.Count != 1 {
			t.Errorf("who only reads was counted: %+v", found)
		}
		rd2.BecomeMember(grace)
		rd2.BecomeMember(grace)
		synctest.Wait()
		if got := s.ephemerals(); len(got) != 1 || *got[0].Change.Joined != grace {
			t.Errorf("told %+v", got)
		}
		rd2.Leave()
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if got := s.ephemerals(); len(got) != 2 || *got[1].Change.Left != grace {
			t.Errorf("told %+v", got)
		}
		rd1.Leave()
	})
}

func TestOldTabDoesNotUndoARename(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		s := newSlate()
		rd1, _ := b.join(&ada, s)
		rd2, _ := b.join(&grace, newSlate())
		hopper := chat.Person{ID: grace.ID, Name: "Hopper"}
		b.Rename(hopper)
		rd3, found := b.join(&grace, newSlate()) // a tab that does not know the new name
		synctest.Wait()
		if len(found.Here) != 2 || found.Here[1] != hopper {
			t.Errorf("here are %v", found.Here)
		}
		if got := s.ephemerals(); len(got) != 2 || got[1].Change.Joined.Name != "Hopper" {
			t.Errorf("told %+v", got)
		}
		for _, rd := range []*Reader{rd1, rd2, rd3} {
			rd.Leave()
		}
	})
}
