package room

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"parley/internal/chat"
)

func TestDeletionFindsQuotesOfAMessage(t *testing.T) {
	quote := func(of chat.Seq) *chat.Attrs { return &chat.Attrs{ReplyTo: of, Quote: &chat.Quote{Text: "x"}} }
	events := []chat.Event{
		{Seq: 1, Kind: chat.Message},
		{Seq: 2, Kind: chat.Message},
		{Seq: 3, Kind: chat.Message, Attrs: quote(1)},
		{Seq: 4, Kind: chat.Edit, Target: 2},
		{Seq: 5, Kind: chat.Reply, Target: 2, Attrs: quote(1)},
		{Seq: 6, Kind: chat.Message, Attrs: &chat.Attrs{ReplyTo: 2}},
	}
	for target, want := range map[chat.Seq]chat.Seq{1: 5, 2: 4, 3: 3, 6: 6} {
		var r quotes
		for _, e := range events {
			if through := r.observe(e); through != 0 {
				t.Errorf("%s %d is no deletion, but %d", e.Kind, e.Seq, through)
			}
		}
		if got := r.observe(chat.Event{Seq: 7, Kind: chat.Delete, Target: target}); got != want {
			t.Errorf("of %d: up to %d, want %d", target, got, want)
		}
	}
	var r quotes
	for seq := chat.Seq(1); seq <= maxQuotes+10; seq++ {
		r.observe(chat.Event{Seq: seq + 10_000, Kind: chat.Edit, Target: seq})
	}
	if got := r.observe(chat.Event{Kind: chat.Delete, Target: 5}); got < 10_005 {
		t.Errorf("of a message that is remembered no more: up to %d", got)
	}
	if len(r.newest) > maxQuotes {
		t.Errorf("%d are remembered", len(r.newest))
	}
}

func TestABytelogIsCutBehindAnEvent(t *testing.T) {
	for through, want := range map[chat.Seq]string{0: "abcde", 3: "bcde"[:4], 5: "de", 7: "", 99: ""} {
		l := &byteLog{enc: letters{}, first: 3}
		for i := range 5 {
			l.append(chat.Event{Seq: chat.Seq(3 + i), Text: string(rune('a' + i))})
		}
		old := l.buf
		l.cut(through)
		if got := string(l.buf); got != want || l.first != 8-chat.Seq(len(want)) || len(l.ends) != len(want) {
			t.Errorf("through %d: %q from %d on, want %q", through, got, l.first, want)
		}
		if string(old) != "abcde" {
			t.Errorf("through %d: bytes that a reader may hold have changed", through)
		}
		for next := l.first; next < 8; next++ {
			w := l.window()
			if got := string(w.from(next)); !strings.HasSuffix("abcde", got) || len(got) != int(8-next) {
				t.Errorf("through %d: from %d on it is %q", through, next, got)
			}
		}
	}
}

type letters struct{}

func (letters) Formatted() bool { return false }

func (letters) Append(dst []byte, e chat.Event) []byte { return append(dst, e.Text...) }

// Live readers stay live when an old message is deleted.
func TestDeletionOfAnOldMessageLeavesNewBytesInMemory(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		var at []string
		b.sayMany(3)
		r, err := b.enter(t.Context(), "lobby")
		if err != nil {
			t.Fatal(err)
		}
		defer b.exit(r)
		r.mu.Lock()
		l := r.logFor(letters{})
		l.readers++
		r.mu.Unlock()
		b.sayMany(4)
		synctest.Wait()
		r.append(chat.Event{Room: "lobby", Seq: 8, Kind: chat.Delete, Target: 2, Text: "!"})
		at = append(at, string(l.buf))
		r.append(chat.Event{Room: "lobby", Seq: 9, Kind: chat.Delete, Target: 6, Text: "?"})
		at = append(at, string(l.buf))
		if l.first != 7 || len(l.ends) != 3 || !strings.HasSuffix(at[0], "!") || !strings.HasSuffix(at[1], "!?") ||
			len(at[0]) <= len(at[1]) {
			t.Errorf("from %d on there are %q", l.first, slices.Clone(at))
		}
	})
}
