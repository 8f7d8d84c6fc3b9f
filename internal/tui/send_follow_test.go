package tui

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/client"
)

func TestEachLineIsAMessage(t *testing.T) {
	c := &fakeChat{}
	if err := Send(t.Context(), c, "lobby", strings.NewReader("one\n\n  \ntwo\r\n  three"), time.Minute); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.sent, "|"); got != "one|two|  three" {
		t.Errorf("sent %s", got)
	}
}

// A silentChat never answers.
type silentChat struct{ fakeChat }

func (c *silentChat) Send(ctx context.Context, _, _ string) (client.Receipt, error) {
	<-ctx.Done()
	return client.Receipt{}, ctx.Err()
}

func TestLineThatIsNotSentIsAnErrorInOneSentence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refusing := &fakeChat{refuse: &client.Error{Code: client.TooLong, Message: "Too long."}}
		tests := map[string]struct {
			after time.Duration // then it is interrupted
			chat  Chat
			in    io.Reader
			want  string
		}{
			"refused": {time.Hour, refusing, strings.NewReader("\na\nb"), "line 2 was not sent: Too long."},
			"no answer": {
				time.Hour, &silentChat{}, strings.NewReader("a"),
				"line 1 was not sent: no answer from the server within 1m0s",
			},
			"interrupted": {time.Second, &silentChat{}, strings.NewReader("a"), "line 1 was not sent: interrupted"},
		}
		for name, tt := range tests {
			interrupted, cancel := context.WithCancel(t.Context())
			defer cancel()
			time.AfterFunc(tt.after, cancel)
			err := Send(interrupted, tt.chat, "lobby", tt.in, time.Minute)
			if err == nil || err.Error() != tt.want {
				t.Errorf("%s: %v, want %s", name, err, tt.want)
			}
		}
	})
}

func TestSendingEndsWhenInterruptedWhileItWaitsForMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		interrupted, cancel := context.WithCancel(t.Context())
		in, more := io.Pipe()
		defer more.Close()
		c := &fakeChat{}
		done := make(chan error, 1)
		go func() { done <- Send(interrupted, c, "lobby", in, time.Minute) }()
		io.WriteString(more, "one\n")
		synctest.Wait()
		cancel()
		synctest.Wait()
		select {
		case err := <-done:
			if err == nil || !strings.HasPrefix(err.Error(), "interrupted") || len(c.sent) != 1 {
				t.Errorf("%v, sent %v", err, c.sent)
			}
		default:
			t.Error("it still waits for more to send")
		}
	})
}

// An eventChat returns some events, and then ends.
type eventChat struct {
	fakeChat
	events []client.Event
}

func (c *eventChat) Next(context.Context) (client.Event, error) {
	if len(c.events) == 0 {
		return nil, client.ErrClosed
	}
	e := c.events[0]
	c.events = c.events[1:]
	return e, nil
}

func TestFollowPrintsHistoryAndWhatComes(t *testing.T) {
	c := &eventChat{events: []client.Event{
		client.Connected{},
		message(4, ada, "two\nlines\x1b[2J"),
		client.Typing{},
		message(5, client.Person{Name: "x\ny"}, "é"),
	}}
	for i := range 3 {
		c.log = append(c.log, message(int64(i+1), grace, "old"))
	}
	var out bytes.Buffer
	err := Follow(t.Context(), c, client.Room{Name: "lobby", Seq: 3}, 2, &out, PrintLine)
	if !errors.Is(err, client.ErrClosed) {
		t.Errorf("err = %v", err)
	}
	want := "2026-11-23 12:00:02 Grace: old\n2026-11-23 12:00:03 Grace: old\n" +
		"2026-11-23 12:00:04 Ada: two ⏎ lines␛[2J\n2026-11-23 12:00:05 x ⏎ y: é\n"
	if out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", out.String(), want)
	}
}

func TestFollowSaysWhichMessageIsChanged(t *testing.T) {
	evil := "\x1b[2J\n"
	c := &eventChat{events: []client.Event{
		client.Edit{Room: "lobby", Seq: 2, At: noon, From: ada, Target: 1, Text: "new" + evil},
		client.Edit{Room: "lobby", Seq: 3, At: noon, From: ada, Target: 1, Gone: true},
		client.Reaction{Room: "lobby", Seq: 4, At: noon, From: ada, Target: 70, Emoji: "👍" + evil},
		client.Topic{Room: "lobby", Seq: 5, At: noon, From: ada},
		client.Message{Room: "lobby", Seq: 6, At: noon, From: ada, Gone: true},
		client.Delete{Room: "lobby", Seq: 7, At: noon, From: ada, Target: 6},
	}}
	c.log = append(c.log, message(1, grace, "old"))
	var out bytes.Buffer
	if err := Follow(t.Context(), c, client.Room{Name: "lobby", Seq: 1}, 2, &out, PrintLine); !errors.Is(err,
		client.ErrClosed) {
		t.Errorf("err = %v", err)
	}
	want := `2026-11-23 12:00:01 Grace: old
2026-11-23 12:00:00 * Ada edited the message of Grace at 2026-11-23 12:00:01: new␛[2J
2026-11-23 12:00:00 * Ada reacted with 👍␛[2J to an older message
2026-11-23 12:00:00 * Ada took the topic away
2026-11-23 12:00:00 * Ada deleted the message of Ada at 2026-11-23 12:00:00
`
	if out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", out.String(), want)
	}
}

// After a reset of the server, messages that are new to the reader are printed too.
func TestFollowHasNoGapAfterAReset(t *testing.T) {
	other := func(seq int64) client.Message {
		m := message(seq, ada, "after the restore")
		m.At = m.At.Add(time.Minute)
		return m
	}
	tests := map[string]struct {
		history int
		events  []client.Event // before the reset
		want    string         // the seqs that are printed
	}{
		"messages were printed": {
			2, []client.Event{message(4, grace, "gone"), message(5, grace, "gone")}, "2 3 4 5 * 4 5 6",
		},
		"only history was printed":   {2, nil, "2 3 * 4 5 6"},
		"nothing was printed before": {0, nil, "* 4 5 6"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := &eventChat{events: append(tt.events, client.Reset{Room: "lobby", Seq: 6, Epoch: "e"})}
			for i := range 3 {
				c.log = append(c.log, message(int64(i+1), grace, "old"))
			}
			room := client.Room{Name: "lobby", Seq: 3, At: c.log[2].At}
			c.log = append(c.log, other(4), other(5), other(6))
			var printed []string
			print := func(_ io.Writer, e client.Event, _ client.Message) error {
				if _, ok := e.(client.Reset); ok {
					printed = append(printed, "*")
					return nil
				}
				seq, _ := numbersOf(e)
				printed = append(printed, fmt.Sprint(seq))
				return nil
			}
			if err := Follow(t.Context(), c, room, tt.history, io.Discard, print); !errors.Is(err, client.ErrClosed) {
				t.Errorf("err = %v", err)
			}
			if got := strings.Join(printed, " "); got != tt.want {
				t.Errorf("printed %s, want %s", got, tt.want)
			}
		})
	}
}

func TestASignOutIsASentence(t *testing.T) {
	for name, run := range map[string]func(Chat) error{
		"following": func(c Chat) error {
			return Follow(t.Context(), c, client.Room{Name: "lobby"}, 0, io.Discard, PrintLine)
		},
		"sending": func(c Chat) error { return Send(t.Context(), c, "lobby", strings.NewReader("hi"), time.Minute) },
	} {
		err := run(&endedChat{fakeChat{refuse: fmt.Errorf("send to lobby: %w", client.ErrSessionEnded)}})
		if err == nil || !strings.Contains(err.Error(), "this session has been signed out. Start again") ||
			strings.Contains(err.Error(), "session_ended") {
			t.Errorf("%s: %v", name, err)
		}
	}
	var out bytes.Buffer
	reset := client.Reset{Room: "lobby", Seq: 3, Epoch: "e"}
	if err := errors.Join(PrintLine(&out, reset, client.Message{}),
		PrintJSON(&out, reset, client.Message{})); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.Contains(got, "* the server was restored") ||
		!strings.HasSuffix(got, `{"kind":"reset","room":"lobby","seq":3,"epoch":"e"}`+"\n") {
		t.Errorf("a reset is printed as %s", got)
	}
}

// An endedChat is one whose session was signed out.
type endedChat struct{ fakeChat }

func (*endedChat) Next(context.Context) (client.Event, error) { return nil, client.ErrSessionEnded }

func TestHistoryOfSeveralPages(t *testing.T) {
	c := &fakeChat{}
	for i := range 700 {
		c.log = append(c.log, message(int64(i+1), grace, "old"))
	}
	got, err := lastMessages(t.Context(), c, client.Room{Name: "lobby", Seq: 690}, 500)
	if err != nil || len(got) != 500 || got[0].Seq != 191 || got[499].Seq != 690 {
		t.Errorf("%d messages, %v", len(got), err)
	}
}

func TestJSONIsWholeAndHarmless(t *testing.T) {
	m := message(1, ada, "<b> \u009b\x1b\u202e\n😀")
	var out bytes.Buffer
	if err := PrintJSON(&out, m, client.Message{}); err != nil {
		t.Fatal(err)
	}
	line := out.String()
	if strings.Count(line, "\n") != 1 || strings.ContainsAny(line, "\u009b\x1b\u202e") ||
		!strings.Contains(line, "<b>") {
		t.Errorf("%q", line)
	}
	var back client.Message
	if err := json.Unmarshal([]byte(line), &back); err != nil || back.Text != m.Text {
		t.Errorf("reads back as %q, %v", back.Text, err)
	}
}

func TestSessionsAreKeptPerServerAndName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "config", "parley")
	open := func(host string) *Sessions {
		t.Helper()
		s, err := OpenSessions(dir, "http", host)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	check := func(s *Sessions, name, fallback, wantWho, wantSession string) {
		t.Helper()
		if who, session := s.Choose(name, fallback); who != wantWho || session != wantSession {
			t.Errorf("Who(%q, %q) = %q, %q, want %q, %q", name, fallback, who, session, wantWho, wantSession)
		}
	}
	s := open("a:1")
	check(s, "", "ada", "ada", "")
	check(s, "", "", "guest", "")
	if err := s.Save("ada", "ada", "secret1"); err != nil {
		t.Fatal(err)
	}
	if err := open("a:1").Save(" CI ", "CI", "secret2"); err != nil {
		t.Fatal(err)
	}
	s = open("a:1")
	check(s, "", "x", "CI", "secret2")
	check(s, " CI ", "x", " CI ", "secret2")
	check(s, "ada", "x", "ada", "secret1")
	check(s, "Grace", "x", "Grace", "")
	check(open("a:2"), "", "x", "x", "")
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	info, err := files[0].Info()
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(filepath.Join(dir, files[0].Name()), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSessions(dir, "http", "a:1"); err == nil {
		t.Error("half a file is read as if it were whole")
	}
}
