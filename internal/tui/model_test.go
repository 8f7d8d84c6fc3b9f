package tui

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"parley/client"
)

var (
	ada   = client.Person{ID: "a", Name: "Ada"}
	grace = client.Person{ID: "g", Name: "Grace"}
	noon  = time.Date(2026, 11, 23, 12, 0, 0, 0, time.Local)
)

// A fakeChat is a room in memory.
type fakeChat struct {
	log     []client.Message
	refuse  error
	kind    string // kind of the sent messages; "": a message
	sent    []string
	typing  int
	fetched []int64 // values of before that were requested
}

func (c *fakeChat) Next(ctx context.Context) (client.Event, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (c *fakeChat) Send(_ context.Context, room, text string) (client.Receipt, error) {
	if c.refuse != nil {
		return client.Receipt{}, c.refuse
	}
	c.sent = append(c.sent, text)
	c.log = append(c.log, message(int64(len(c.log)+1), ada, text))
	return client.Receipt{Seq: int64(len(c.log)), At: noon, Kind: cmp.Or(c.kind, "message")}, nil
}

func (c *fakeChat) Typing(context.Context, string) error { c.typing++; return nil }

func (c *fakeChat) History(_ context.Context, room string, p client.Page) (client.History, error) {
	c.fetched = append(c.fetched, *p.Before)
	end := *p.Before - 1
	return client.History{Room: room, Seq: int64(len(c.log)), Messages: c.log[max(0, end-int64(p.Limit)):end]}, nil
}

func message(seq int64, from client.Person, text string) client.Message {
	return client.Message{
		Room: "lobby", Seq: seq, At: noon.Add(time.Duration(seq) * time.Second), From: from, Text: text,
	}
}

// A screen drives a model like bubbletea, one command at a time.
type screen struct {
	*model
	t    *testing.T
	chat *fakeChat
}

func newScreen(t *testing.T, messages int) *screen {
	c := &fakeChat{}
	for i := range messages {
		c.log = append(c.log, message(int64(i+1), grace, fmt.Sprintf("message %d.", i+1)))
	}
	r := client.Room{Name: "lobby", Seq: int64(messages), Count: 2, Here: []client.Person{ada, grace}}
	s := &screen{newModel(t.Context(), c, ada, r, 4000), t, c}
	s.do(tea.WindowSizeMsg{Width: 60, Height: 20})
	s.run(s.loadOlder())
	return s
}

func (s *screen) do(msg tea.Msg) {
	_, cmd := s.Update(msg)
	s.run(cmd)
}

func (s *screen) event(e client.Event) { s.run(s.apply(e)) }

// waits reports whether a command waits for an event or a timer: next, and the commands of libraries
// other than batches.
func waits(cmd tea.Cmd) bool {
	name := runtime.FuncForPC(reflect.ValueOf(cmd).Pointer()).Name()
	ours := strings.HasPrefix(name, "parley/") && !strings.Contains(name, ").next")
	return !ours && !strings.Contains(name, "compactCmds")
}

// run carries out a command that does not wait.
func (s *screen) run(cmd tea.Cmd) {
	if cmd == nil || waits(cmd) {
		return
	}
	limit, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	done := make(chan tea.Msg, 1)
	go func() { done <- cmd() }()
	select {
	case msg := <-done:
		switch msg := msg.(type) {
		case historyMsg, sentMsg:
			s.do(msg)
		case tea.BatchMsg:
			for _, c := range msg {
				s.run(c)
			}
		}
	case <-limit.Done():
		s.t.Error("a command does not end")
	}
}

func (s *screen) press(code rune, mod ...tea.KeyMod) {
	k := tea.Key{Code: code}
	for _, m := range mod {
		k.Mod |= m
	}
	s.do(tea.KeyPressMsg(k))
}

func (s *screen) write(text string) {
	for _, r := range text {
		s.do(tea.KeyPressMsg(tea.Key{Code: r, Text: string(r)}))
	}
}

func (s *screen) text() string { return ansi.Strip(s.View().Content) }

func (s *screen) shows(want bool, parts ...string) {
	s.t.Helper()
	for _, part := range parts {
		if strings.Contains(s.text(), part) != want {
			s.t.Errorf("shows %q: %v, want %v\n%s", part, !want, want, s.text())
		}
	}
}

func TestScreenShowsTheRoom(t *testing.T) {
	s := newScreen(t, 3)
	s.shows(true, "lobby · 2 here", "Monday, 23 November 2026", "Grace 12:00\nmessage 1.\nmessage 2.\nmessage 3.",
		"> Write to lobby")
	s.event(message(4, ada, "hi, **Grace**"))
	s.shows(true, "Ada 12:00\nhi, **Grace**")
	lines := strings.Split(s.text(), "\n")
	if len(lines) != 20 {
		t.Errorf("%d lines, want 20", len(lines))
	}
}

func TestScreenIsNeverLargerThanTheTerminal(t *testing.T) {
	s := newScreen(t, 40)
	s.event(
		message(41, client.Person{ID: "x", Name: strings.Repeat("W", 32)},
			strings.Repeat("long", 300)+" 你好😀 "+strings.Repeat("\n", 9)))
	s.event(client.Disconnected{Err: errors.New(strings.Repeat("why ", 60))})
	for _, size := range [][2]int{{1, 1}, {10, 4}, {20, 5}, {60, 20}, {89, 10}, {90, 10}, {200, 60}} {
		for range 2 {
			s.do(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
			s.press(tea.KeyTab)
			lines := strings.Split(s.text(), "\n")
			if len(lines) > size[1] {
				t.Errorf("%d lines at %v", len(lines), size)
			}
			for _, line := range lines {
				if w := ansi.StringWidth(line); w > size[0] {
					t.Errorf("%d cells at %v: %q", w, size, line)
				}
			}
		}
	}
}

func TestOwnMessageIsShownUntilItComesBack(t *testing.T) {
	s := newScreen(t, 1)
	s.write("hello")
	if s.chat.typing != 1 {
		t.Errorf("said %d times that somebody types, want once", s.chat.typing)
	}
	_, cmd := s.Update(tea.KeyPressMsg(tea.Key{Code: tea.KeyEnter}))
	s.shows(true, "on its way …\nhello", "> Write to lobby")
	s.run(cmd)
	s.event(message(2, ada, "hello"))
	s.shows(false, "on its way")
	if n := strings.Count(s.text(), "hello"); n != 1 {
		t.Errorf("hello is shown %d times", n)
	}
	// The answer may also come after the message.
	s.write("again")
	_, cmd = s.Update(tea.KeyPressMsg(tea.Key{Code: tea.KeyEnter}))
	s.event(message(3, ada, "again"))
	s.run(cmd)
	if n := strings.Count(s.text(), "again"); n != 1 {
		t.Errorf("again is shown %d times", n)
	}
}

func TestMessagesGoOutInTheOrderWritten(t *testing.T) {
	s := newScreen(t, 0)
	var first tea.Cmd
	for _, text := range []string{"1", "2", "3"} {
		s.write(text)
		_, cmd := s.Update(tea.KeyPressMsg(tea.Key{Code: tea.KeyEnter}))
		if first == nil {
			first = cmd
		} else if cmd != nil {
			t.Error("sent while another is on its way")
		}
	}
	s.run(first)
	if got := strings.Join(s.chat.sent, ""); got != "123" {
		t.Errorf("sent %s, want 123", got)
	}
}

func TestRefusedMessageCanBeTakenBack(t *testing.T) {
	s := newScreen(t, 0)
	s.chat.refuse = fmt.Errorf("send: %w", &client.Error{Code: client.TooLong, Message: "Too long by far."})
	s.write("my words")
	s.press(tea.KeyEnter)
	s.shows(true, "not sent: Too long by far. ↑ takes it back\nmy words")
	s.press(tea.KeyUp)
	s.shows(false, "not sent")
	s.shows(true, "> my words")
}

func TestScrollingBackLoadsOlderAndStaysThere(t *testing.T) {
	s := newScreen(t, 250)
	s.shows(true, "message 250.")
	for range 8 {
		s.press(tea.KeyPgUp)
	}
	if len(s.chat.fetched) < 2 || s.chat.fetched[1] != 151 {
		t.Fatalf("asked for what is before %v, want 251, 151", s.chat.fetched)
	}
	before := s.timeline.view(s.messageLines())
	s.event(message(251, grace, "new and\nof two lines"))
	if after := s.timeline.view(s.messageLines()); strings.Join(after, "\n") != strings.Join(before, "\n") {
		t.Errorf("the view moved from\n%s\nto\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	s.shows(true, "↓ 1 new")
	s.press(tea.KeyEnd, tea.ModCtrl)
	s.shows(true, "of two lines")
	s.shows(false, "↓ 1 new")
	for range 40 {
		s.press(tea.KeyPgUp)
	}
	s.shows(true, "message 1.")
	fetched := len(s.chat.fetched)
	s.press(tea.KeyPgUp)
	if len(s.chat.fetched) != fetched {
		t.Error("asked for what is before the first message")
	}
}

func TestPeopleAndTyping(t *testing.T) {
	s := newScreen(t, 1)
	s.shows(false, "(you)")
	s.press(tea.KeyTab)
	s.shows(true, "Here (2)", "Ada (you)", "Grace")
	alan := client.Person{ID: "t", Name: "Alan"}
	s.event(client.Presence{Room: "lobby", Count: 3, Joined: &alan})
	s.event(client.Presence{Room: "lobby", Count: 2, Left: &grace})
	s.shows(true, "Here (2)", "│ Alan")
	s.shows(false, "│ Grace")
	s.event(client.Typing{Room: "lobby", From: alan})
	s.shows(true, "Alan is typing …")
	s.event(client.Typing{Room: "lobby", From: ada}) // the person's own typing, on another device
	s.shows(true, "Alan is typing …")
	s.event(message(2, alan, "done"))
	s.shows(false, "is typing")
	s.event(client.Presence{Room: "lobby", Count: 250})
	s.shows(true, "Here (250)", "Too many to list")
}

func TestLostAndRestoredConnectionIsShown(t *testing.T) {
	s := newScreen(t, 1)
	s.event(client.Disconnected{Err: errors.New("connection refused")})
	s.shows(true, "no connection, trying again", "connection refused")
	s.event(client.Connected{Person: ada})
	s.shows(false, "no connection", "connection refused")
	s.event(client.Reset{Room: "lobby", Seq: 0, Epoch: "new"})
	s.shows(false, "message 1.")
	s.shows(true, "restored from a back-up")
}

func TestHostileTextDoesNotReachTheTerminal(t *testing.T) {
	evil := "\x1b[2J\x1b[H\u009b31m\u202eevil\x07\x00\r\x1b]0;title\x1b\\"
	s := newScreen(t, 1)
	s.do(tea.WindowSizeMsg{Width: 120, Height: 30})
	mallory := client.Person{ID: "m" + evil, Name: "Mallory" + evil}
	s.event(message(2, mallory, "text"+evil))
	said := message(3, mallory, "text"+evil)
	said.ReplyTo, said.Quote, said.Forward, said.Action = 1, &client.Quote{From: mallory, Text: evil},
		&client.Forward{From: mallory}, true
	s.event(said)
	s.event(client.Edit{Room: "lobby", Seq: 4, From: mallory, Target: 2, Text: "text" + evil})
	s.event(client.Reaction{Room: "lobby", Seq: 5, From: mallory, Target: 2, Emoji: "👍" + evil})
	s.event(client.Topic{Room: "lobby", Seq: 6, From: mallory, Text: evil})
	s.event(client.Presence{Room: "lobby", Count: 2, Joined: &mallory})
	s.event(client.Typing{Room: "lobby", From: mallory})
	s.me.Name += evil
	s.room += evil
	for _, lost := range []error{nil, errors.New("why" + evil), &client.Error{Message: evil}} {
		s.lost, s.notice = lost, ""
		if lost != nil {
			s.timeline.pending = []*outgoing{{text: evil, err: lost}}
		}
		v := s.View()
		// The only escape sequences that remain are colours.
		for _, part := range []string{v.Content, v.WindowTitle} {
			plain := regexp.MustCompile(`\x1b\[[0-9;]*m`).ReplaceAllString(part, "")
			if plain = strings.ReplaceAll(plain, "\n", ""); Clean(plain) != plain {
				t.Errorf("%q", part)
			}
		}
		if !strings.Contains(v.Content, "text␛[2J␛[H") {
			t.Errorf("the message is not shown as what it is: %q", v.Content)
		}
	}
}

func TestScreenShowsMessageStates(t *testing.T) {
	s := newScreen(t, 2)
	s.event(client.Edit{Room: "lobby", Seq: 3, From: grace, Target: 1, Text: "changed."})
	s.shows(true, "changed.\n(edited)\nmessage 2.")
	s.shows(false, "message 1.")
	s.event(client.Edit{Room: "lobby", Seq: 3, From: grace, Target: 1, Gone: true}) // as on a resume after a deletion
	s.shows(true, "changed.")
	for seq, from := range []client.Person{ada, grace} {
		s.event(client.Reaction{Room: "lobby", Seq: int64(4 + seq), From: from, Target: 1, Emoji: "👍"})
	}
	s.event(client.Pin{Room: "lobby", Seq: 6, From: ada, Target: 1})
	s.shows(true, "(edited · pinned · 👍 2)")
	s.event(client.Reaction{Room: "lobby", Seq: 7, From: ada, Target: 1, Emoji: "👍", Removed: true})
	s.event(client.Pin{Room: "lobby", Seq: 8, From: ada, Target: 1, Removed: true})
	s.event(client.Reply{Message: client.Message{Room: "lobby", Seq: 9, From: ada, Thread: 1, Text: "aside"}})
	s.shows(true, "(edited · 👍 1 · 1 in its thread)")
	s.shows(false, "aside")
	answer := message(10, ada, "I agree.")
	answer.ReplyTo, answer.Quote = 1, &client.Quote{From: grace, Text: "changed."}
	s.event(answer)
	s.shows(true, "│ Grace: changed.\nI agree.")
	wave := message(11, ada, "waves")
	wave.Action = true
	s.event(wave)
	s.shows(true, "* Ada waves")
	s.event(client.Topic{Room: "lobby", Seq: 12, From: ada, Text: "tea"})
	s.shows(true, "lobby · 2 here · tea")
	s.event(client.Delete{Room: "lobby", Seq: 13, From: grace, Target: 1})
	s.shows(true, "(deleted)\nmessage 2.", "│ (deleted)\nI agree.")
	s.shows(false, "changed", "👍")
}

// Changes may arrive between the request of a page and its answer.
func TestChangesOvertakeAPageThatIsOnItsWay(t *testing.T) {
	s := newScreen(t, 0)
	s.newest = 2
	s.loadOlder() // its answer does not come yet
	page := []client.Message{message(1, grace, "old."), message(2, grace, "oops.")}
	s.event(client.Edit{Room: "lobby", Seq: 3, From: grace, Target: 1, Text: "new."})
	s.event(client.Reply{Message: client.Message{Room: "lobby", Seq: 4, From: ada, Thread: 1, Text: "aside"}})
	s.event(client.Delete{Room: "lobby", Seq: 5, From: grace, Target: 2})
	page[0].Text, page[0].Edited = "new.", &client.Edited{Seq: 3}
	s.do(historyMsg{page: client.History{Room: "lobby", Seq: 3, Messages: page}})
	s.shows(true, "new.\n(edited · 1 in its thread)\n(deleted)")
	s.shows(false, "old.", "oops.")
}

func TestViewStaysWhereItIsWhenMessagesChange(t *testing.T) {
	s := newScreen(t, 100)
	s.press(tea.KeyPgUp)
	s.press(tea.KeyPgUp)
	before := strings.Join(s.timeline.view(s.messageLines()), "\n")
	for _, target := range []int64{1, 100} {
		s.event(client.Edit{Room: "lobby", Seq: 100 + target, From: grace, Target: target, Text: "of\nmany\nlines"})
		if after := strings.Join(s.timeline.view(s.messageLines()), "\n"); after != before {
			t.Errorf("after %d had changed the view moved from\n%s\nto\n%s", target, before, after)
		}
	}
	got := slices.Clone(s.timeline.rendered())
	s.timeline.bodies = nil
	s.timeline.redraw()
	if want := s.timeline.rendered(); !slices.Equal(got, want) {
		t.Errorf("kept lines are\n%q\nnew ones\n%q", got, want)
	}
}

func TestCommandsAreCarriedOutOrAnswered(t *testing.T) {
	s := newScreen(t, 0)
	s.chat.kind = "topic"
	s.write("/topic tea")
	s.press(tea.KeyEnter)
	s.shows(false, "on its way", "/topic")
	for _, text := range []string{"/nick Countess", "/join elsewhere", "/help"} {
		s.write(text)
		s.press(tea.KeyEnter)
		s.shows(true, text)
		s.composer.Reset()
	}
	if got := strings.Join(s.chat.sent, "|"); got != "/topic tea" {
		t.Errorf("sent %s", got)
	}
}

func TestSpoilersAreHiddenUntilAskedFor(t *testing.T) {
	s := newScreen(t, 1)
	s.event(written(2, "the ||butler|| did it"))
	s.shows(true, "the ▒▒▒▒▒▒ did it", "Ctrl+R shows what is hidden")
	s.press('r', tea.ModCtrl)
	s.shows(true, "the butler did it")
	s.shows(false, "Ctrl+R")
	s.event(written(3, "no, ||the cook||")) // it came after the key
	s.shows(true, "the butler did it", "no, ▒▒▒ ▒▒▒▒")
	s.press('r', tea.ModCtrl)
	s.shows(true, "the butler did it", "no, the cook")
	s.press('r', tea.ModCtrl)
	s.shows(true, "the ▒▒▒▒▒▒ did it", "no, ▒▒▒ ▒▒▒▒")
	s.press('r', tea.ModCtrl)
	edit := written(4, "no, ||the gardener||")
	s.event(client.Edit{Room: "lobby", Seq: 4, From: grace, Target: 3, Text: edit.Text, HTML: edit.HTML})
	s.shows(true, "the butler did it", "no, ▒▒▒ ▒▒▒▒▒▒▒▒")
}

func TestOnlySpoilersInTheViewAreUncovered(t *testing.T) {
	s := newScreen(t, 0)
	s.event(written(1, "||first||"))
	for seq := range int64(50) {
		s.event(message(seq+2, grace, "between"))
	}
	s.event(written(52, "||last||"))
	s.press('r', tea.ModCtrl)
	s.shows(true, "last")
	for range 5 {
		s.press(tea.KeyPgUp)
	}
	s.shows(true, "▒▒▒▒▒", "Ctrl+R shows what is hidden")
	before := s.text()
	s.press('r', tea.ModCtrl)
	s.shows(true, "first")
	s.press('r', tea.ModCtrl)
	if after := s.text(); after != before {
		t.Errorf("the view moved from\n%s\nto\n%s", before, after)
	}
}

func TestEditShowsItsOwnFormatting(t *testing.T) {
	s := newScreen(t, 0)
	s.event(written(1, "**old**"))
	edit := written(2, "`new`")
	s.event(client.Edit{Room: "lobby", Seq: 2, From: grace, Target: 1, Text: edit.Text, HTML: edit.HTML})
	s.shows(true, "Grace 12:00\nnew\n(edited)")
}

func TestQuotesAndTopicShowTextAndNotItsSource(t *testing.T) {
	s := newScreen(t, 1)
	answer := message(2, ada, "yes")
	answer.ReplyTo, answer.Quote = 1, &client.Quote{From: grace, Text: "was it ▒▒▒? 2*3*4, **plain**"}
	s.event(answer)
	s.event(client.Topic{Room: "lobby", Seq: 3, From: grace, Text: "*Tea* at `five`"})
	s.shows(true, "│ Grace: was it ▒▒▒? 2*3*4, **plain**", "lobby · 2 here · Tea at five")
}

func TestEscapeNeverLosesADraft(t *testing.T) {
	s := newScreen(t, 1)
	s.write("dear all")
	for range 2 {
		_, cmd := s.Update(tea.KeyPressMsg(tea.Key{Code: tea.KeyEscape}))
		if cmd != nil {
			t.Fatal("Esc does something beside telling")
		}
		s.shows(true, "> dear all", "Not all is sent. Ctrl+C leaves")
	}
	s.composer.Reset()
	s.chat.refuse = errors.New("the server does not answer")
	s.write("refused")
	s.press(tea.KeyEnter)
	if _, cmd := s.Update(tea.KeyPressMsg(tea.Key{Code: tea.KeyEscape})); cmd != nil {
		t.Error("Esc leaves a message that was not sent")
	}
}

func TestWhatIsNotSentIsPrintedAtTheEnd(t *testing.T) {
	limit, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for keys, want := range map[string]string{
		"dear all\x03": "Not sent, as far as is known:\ndear all\n", "\x03": "", "  \x03": "", "\x1b": "",
	} {
		var out bytes.Buffer
		r := client.Room{Name: "lobby", Count: 1, Here: []client.Person{ada}}
		if err := Run(limit, &fakeChat{}, ada, r, "", 4000, strings.NewReader(keys), &out); err != nil {
			t.Fatal(err)
		}
		_, told, _ := strings.Cut(out.String(), "Not sent")
		if told != strings.TrimPrefix(want, "Not sent") || strings.Contains(out.String(), "Not sent") != (want != "") {
			t.Errorf("after %q it prints %q", keys, out.String())
		}
	}
}

func TestKeysThatEndIt(t *testing.T) {
	for _, k := range []tea.Key{{Code: tea.KeyEscape}, {Code: 'c', Mod: tea.ModCtrl}} {
		s := newScreen(t, 0)
		_, cmd := s.Update(tea.KeyPressMsg(k))
		if cmd == nil {
			t.Fatalf("%v does nothing", k)
		}
		if _, ok := cmd().(tea.QuitMsg); !ok {
			t.Errorf("%v does not quit", k)
		}
	}
	s := newScreen(t, 0)
	if _, cmd := s.Update(endMsg{errors.New("the server said no")}); cmd == nil || s.err == nil {
		t.Error("the end of the client is not the end of the screen")
	}
}

func TestTimelineOfManyMessagesStaysSmallAndWhole(t *testing.T) {
	s := newScreen(t, 0)
	for seq := range int64(3 * maxMessages) {
		s.event(message(seq+1, grace, fmt.Sprintf("number %d.", seq+1)))
	}
	if n := len(s.timeline.messages); n > maxMessages || n < maxMessages/2 {
		t.Errorf("%d messages are kept, want at most %d", n, maxMessages)
	}
	s.shows(true, fmt.Sprintf("number %d.\nnumber %d.", 3*maxMessages-1, 3*maxMessages))
	got := slices.Clone(s.timeline.rendered())
	s.timeline.redraw()
	if want := s.timeline.rendered(); !slices.Equal(got, want) {
		t.Errorf("%d lines made one by one, %d at once", len(got), len(want))
	}
}
