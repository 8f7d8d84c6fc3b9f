package room

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/chat"
)

// A mined encoder, sink, log or format panics on the text "boom".
type minedLines struct{ lines }

func (minedLines) Formatted() bool { return true }

func (m minedLines) Append(dst []byte, e chat.Event) []byte {
	if e.Text == "boom" || e.From.Name == "boom" {
		panic("a mistake in encoding")
	}
	return m.lines.Append(dst, e)
}

type minedSink struct{ *slate }

func (s minedSink) TryWrite(p []byte) (int, error) {
	if bytes.Contains(p, []byte("boom")) {
		panic("a mistake in writing")
	}
	return s.slate.TryWrite(p)
}

type minedLog struct{ Log }

func (l minedLog) Head(ctx context.Context, room chat.RoomName) (chat.Seq, time.Time, error) {
	if room == "boom" {
		panic("a mistake in the log")
	}
	return l.Log.Head(ctx, room)
}

// joinWith is join with any sink and encoder.
func (b *bench) joinWith(p *chat.Person, sink Sink, enc Encoder, after ...chat.Seq) *Reader {
	b.t.Helper()
	j := JoinRequest{Member: p != nil, Sink: sink, Encoder: enc}
	if len(after) > 0 {
		j.After = &after[0]
	}
	rd, err := b.Join(context.Background(), by(p), "lobby", j, func(JoinResult) {})
	if err != nil {
		b.t.Fatal(err)
	}
	return rd
}

// logged returns a Config whose log lines go to said.
func logged(said *bytes.Buffer) Config {
	return Config{Logger: slog.New(slog.NewTextHandler(said, nil))}
}

func wantLogged(t *testing.T, said *bytes.Buffer, mistake string) {
	t.Helper()
	if got := said.String(); !strings.Contains(got, "level=ERROR") || !strings.Contains(got, mistake) ||
		!strings.Contains(got, "panic_test.go") {
		t.Errorf("logged %q, want %q and its stack", got, mistake)
	}
}

func TestPanicInASinkEndsThatReaderAlone(t *testing.T) {
	var said bytes.Buffer
	inBubble(t, logged(&said), func(t *testing.T, b *bench) {
		first, bad, last := newSlate(), minedSink{newSlate()}, newSlate()
		readers := []*Reader{
			b.joinWith(nil, first, lines{}), b.joinWith(nil, bad, lines{}),
			b.joinWith(nil, last, lines{}),
		}
		b.say(ada, "one", "boom", "three")
		synctest.Wait()
		first.wantRun(t, 1, 3)
		last.wantRun(t, 1, 3)
		if code, _ := bad.closedWith(); code != chat.Internal {
			t.Errorf("closed with %q", code)
		}
		for _, rd := range readers {
			rd.Leave()
		}
		if got := b.Stats(); got.Readers+got.Rooms+got.Bytes+got.NotLive != 0 {
			t.Errorf("left behind: %+v", got)
		}
	})
	wantLogged(t, &said, "a mistake in writing")
}

func TestPanicInAnEncodingKeepsOtherEncodingsWhole(t *testing.T) {
	var said bytes.Buffer
	inBubble(t, logged(&said), func(t *testing.T, b *bench) {
		good, bad := newSlate(), newSlate()
		readers := []*Reader{b.joinWith(nil, bad, minedLines{}), b.joinWith(nil, good, lines{})}
		answered := 0
		for _, text := range []string{"one", "boom", "three"} {
			if err := b.Post(chat.Draft{Room: "lobby", From: ada, Text: text}, func(c chat.Commit) {
				if c.Err == nil {
					answered++
				}
			}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if answered != 3 {
			t.Errorf("%d of 3 were answered", answered)
		}
		good.wantRun(t, 1, 3) // from the store, because the bytes in memory may be incomplete
		bad.wantRun(t, 1, 1)
		if code, _ := bad.closedWith(); code != chat.Internal {
			t.Errorf("closed with %q", code)
		}
		b.say(ada, "four")
		synctest.Wait()
		good.wantRun(t, 1, 4)
		for _, rd := range readers {
			rd.Leave()
		}
		if got := b.Stats(); got.Readers+got.Rooms+got.Bytes+got.NotLive != 0 {
			t.Errorf("left behind: %+v", got)
		}
	})
	wantLogged(t, &said, "a mistake in encoding")
}

func TestPanicInAnEphemeralEventDropsIt(t *testing.T) {
	var said bytes.Buffer
	inBubble(t, logged(&said), func(t *testing.T, b *bench) {
		good := newSlate()
		b.joinWith(nil, good, minedLines{})
		boom := b.joinWith(&chat.Person{ID: "b", Name: "boom"}, newSlate(), lines{})
		boom.Typing()
		b.say(ada, "one")
		synctest.Wait()
		good.wantRun(t, 1, 1)
		boom.Leave()
	})
	wantLogged(t, &said, "a mistake in encoding")
}

func TestPanicInAnAnswerKeepsTheLogGoing(t *testing.T) {
	var said bytes.Buffer
	inBubble(t, logged(&said), func(t *testing.T, b *bench) {
		s := newSlate()
		b.join(nil, s)
		d := chat.Draft{Room: "lobby", From: ada, Text: "one"}
		if err := b.Post(d, func(chat.Commit) { panic("a mistake in answering") }); err != nil {
			t.Fatal(err)
		}
		b.say(ada, "two")
		synctest.Wait()
		s.wantRun(t, 1, 2)
	})
	wantLogged(t, &said, "a mistake in answering")
}

func TestPanicInLoadingARoomIsAnErrorForAllWhoWait(t *testing.T) {
	inBubble(t, Config{}, func(t *testing.T, b *bench) {
		b.Hub.log = minedLog{b.Hub.log}
		for range 2 {
			j := JoinRequest{Sink: newSlate(), Encoder: lines{}}
			_, err := b.Join(context.Background(), nobody, "boom", j, func(JoinResult) {})
			if err == nil || !strings.Contains(err.Error(), "a mistake in the log") {
				t.Errorf("joined: %v", err)
			}
		}
		if got := b.Stats(); got.Rooms != 0 {
			t.Errorf("left behind: %+v", got)
		}
	})
}

func TestPanicInTheAnswerToAJoinLeavesNobodyBehind(t *testing.T) {
	inBubble(t, Config{LeaveGrace: 1}, func(t *testing.T, b *bench) {
		s := newSlate()
		rd, _ := b.join(&ada, s)
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			j := JoinRequest{Member: true, Sink: newSlate(), Encoder: lines{}}
			b.Join(context.Background(), by(&grace), "lobby", j, func(JoinResult) { panic("a mistake") })
		}()
		b.say(ada, "one")
		synctest.Wait()
		s.wantRun(t, 1, 1)
		rd.Leave()
		synctest.Wait()
		if got := b.Stats(); got.Readers+got.Rooms+got.Members != 0 {
			t.Errorf("left behind: %+v", got)
		}
	})
}
