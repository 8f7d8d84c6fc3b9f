package client_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/client"
)

// patience is how long a test waits before it fails.
const patience = 60 * time.Second

// program is where buildProgram puts the real program. One serves all tests: to link it takes seconds.
var program string

var buildProgram = sync.OnceValue(func() error {
	if out, err := exec.Command("go", "build", "-o", program, "parley").CombinedOutput(); err != nil {
		return fmt.Errorf("build the server: %w\n%s", err, out)
	}
	return nil
})

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "parley-client-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	program = filepath.Join(dir, "parley")
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

// A server is the real program. It can be killed and started again at the same
// address.
type server struct {
	t       *testing.T
	program string
	data    string
	address string // host:port

	cmd    *exec.Cmd
	stderr bytes.Buffer
}

func startServer(t *testing.T) *server {
	t.Helper()
	if err := buildProgram(); err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, program: program, data: filepath.Join(t.TempDir(), "data"), address: "127.0.0.1:0"}
	s.start()
	t.Cleanup(s.kill)
	return s
}

func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.Command(s.program, "serve", "--listen", s.address, "--data", s.data, "--message-rate", "0")
	s.cmd.Stderr = &s.stderr
	stdout, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on http://")
	if !ok {
		s.t.Fatalf("no address but %q (%v):\n%s", line, err, s.stderr.String())
	}
	s.address = address
}

// kill ends the server without giving it time to shut down.
func (s *server) kill() {
	s.cmd.Process.Kill()
	s.cmd.Wait() // its status says only that it was killed
}

func (s *server) dial(o client.Options) *client.Client {
	s.t.Helper()
	o.MaxBackoff = 500 * time.Millisecond
	c, err := client.Dial(s.t.Context(), "http://"+s.address, o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}

// hear takes n messages and returns their texts by seq. It checks that none is
// missing and none is repeated.
func hear(ctx context.Context, c *client.Client, n int) ([]string, error) {
	var texts []string
	for len(texts) < n {
		e, err := c.Next(ctx)
		if err != nil {
			return texts, fmt.Errorf("after %d of %d messages: %w", len(texts), n, err)
		}
		if m, ok := e.(client.Message); ok {
			texts = append(texts, m.Text)
			if m.Seq != int64(len(texts)) {
				return texts, fmt.Errorf("message %d came, want %d", m.Seq, len(texts))
			}
		}
	}
	return texts, nil
}

func TestNothingIsLostOrDoubledWhenTheServerIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and kills the server")
	}
	const clients, each, kills = 5, 200, 3
	s := startServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var talking, listening sync.WaitGroup
	heard := make([][]string, clients)
	acknowledged := make([]map[int64]string, clients)
	progress := make(chan struct{}, clients*each)
	for i := range clients {
		c := s.dial(client.Options{Name: fmt.Sprintf("Talker %d", i)})
		if _, err := c.JoinAfter(ctx, "lobby", client.Position{}); err != nil {
			t.Fatal(err)
		}
		listening.Go(func() {
			var err error
			if heard[i], err = hear(ctx, c, clients*each); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		})
		acknowledged[i] = map[int64]string{}
		talking.Go(func() {
			for n := range each {
				text := fmt.Sprintf("%d of %d", n, i)
				r, err := c.Send(ctx, "lobby", text)
				if err != nil {
					t.Errorf("client %d: %v", i, err)
					return
				}
				acknowledged[i][r.Seq] = text
				progress <- struct{}{}
			}
		})
	}
	for range kills {
		for range clients * each / (kills + 1) {
			<-progress
		}
		s.kill()
		s.start()
	}
	talking.Wait()
	listening.Wait()
	for i := range clients {
		if !slices.Equal(heard[i], heard[0]) {
			t.Errorf("clients 0 and %d heard different things", i)
		}
		for seq, text := range acknowledged[i] {
			if int(seq) > len(heard[i]) || heard[i][seq-1] != text {
				t.Errorf("%q was acknowledged as %d and is not there", text, seq)
			}
		}
	}
	slices.Sort(heard[0])
	if n := len(slices.Compact(heard[0])); n != clients*each {
		t.Errorf("%d different messages, want %d", n, clients*each)
	}
}

func TestRealServer(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the server")
	}
	s := startServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ada := s.dial(client.Options{Name: "Ada"})
	grace := s.dial(client.Options{Name: "Grace"})
	room, err := ada.Join(ctx, "Straße")
	if err != nil || room.Name != "strasse" || room.Count != 1 || len(room.Here) != 1 || room.Here[0] != ada.Person() {
		t.Fatalf("joined %+v, %v", room, err)
	}
	if _, err := grace.Join(ctx, "strasse"); err != nil {
		t.Fatal(err)
	}
	until(t, ada, func(e client.Event) bool {
		p, ok := e.(client.Presence)
		return ok && p.Count == 2 && *p.Joined == grace.Person()
	})
	if err := grace.Typing(ctx, "strasse"); err != nil {
		t.Fatal(err)
	}
	until(t, ada, func(e client.Event) bool { y, ok := e.(client.Typing); return ok && y.From == grace.Person() })

	receipt, err := grace.SendNonce(ctx, "STRASSE", "a-nonce", "hello, **Ada**")
	if err != nil || receipt.Seq != 1 {
		t.Fatalf("%+v, %v", receipt, err)
	}
	again, err := grace.SendNonce(ctx, "strasse", "a-nonce", "hello, **Ada**")
	if err != nil || again != receipt {
		t.Errorf("the same nonce again: %+v, %v, want %+v", again, err, receipt)
	}
	want := client.Message{
		Room: "strasse", Seq: 1, At: receipt.At, From: grace.Person(),
		Text: "hello, **Ada**", HTML: "<p>hello, <strong>Ada</strong></p>",
	}
	until(t, ada, func(e client.Event) bool { return reflect.DeepEqual(e, client.Event(want)) })

	// More than a join delivers: it comes in pages.
	var talking sync.WaitGroup
	for range 44 {
		talking.Go(func() {
			for range 25 {
				if _, err := grace.Send(ctx, "strasse", "more"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	talking.Wait()
	late := s.dial(client.Options{Name: "Late"})
	if _, err := late.JoinAfter(ctx, "strasse", client.Position{Epoch: room.Epoch}); err != nil {
		t.Fatal(err)
	}
	if _, err := hear(ctx, late, 1101); err != nil {
		t.Error(err)
	}
	before := int64(3)
	h, err := late.History(ctx, "Straße", client.Page{Before: &before})
	if err != nil || len(h.Messages) != 2 || h.Seq != 1101 || h.Epoch != room.Epoch ||
		!reflect.DeepEqual(h.Messages[0], want) {
		t.Errorf("history %+v, %v", h, err)
	}

	// And the refusals have their codes.
	_, err = grace.Send(ctx, "strasse", strings.Repeat("x", grace.Limits().MessageLength+1))
	wantCode(t, err, client.TooLong)
	_, err = grace.Send(ctx, "?!", "x")
	wantCode(t, err, client.BadRoom)
	_, err = grace.History(ctx, "🎉", client.Page{})
	wantCode(t, err, client.BadRoom)
	wantCode(t, late.Typing(ctx, "elsewhere"), client.NotJoined)
	_, err = client.Dial(ctx, "ws://"+s.address, client.Options{Session: "of nobody"})
	wantCode(t, err, client.BadSession)

	if err := grace.Leave(ctx, "strasse"); err != nil {
		t.Error(err)
	}
	until(t, ada, func(e client.Event) bool {
		p, ok := e.(client.Presence)
		return ok && p.Left != nil && *p.Left == grace.Person()
	})
}

// Changes of messages reach clients that are in the room and clients that resume or
// page, and pages show messages with the changes applied.
func TestRealServerDeliversChangesOfMessages(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the server")
	}
	s := startServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ada := s.dial(client.Options{Name: "Ada"})
	grace := s.dial(client.Options{Name: "Grace"})
	if _, err := ada.Join(ctx, "lobby"); err != nil {
		t.Fatal(err)
	}
	var last client.Receipt
	do := func(r client.Receipt, err error) client.Receipt {
		t.Helper()
		if err != nil || r.Seq != last.Seq+1 {
			t.Fatalf("%+v after %+v, %v", r, last, err)
		}
		last = r
		return r
	}
	const room = "lobby"
	do(grace.Send(ctx, room, "helo **Ada**"))
	do(grace.Edit(ctx, room, 1, "hello, @Grace says"))
	do(ada.React(ctx, room, 1, "👍"))
	do(grace.React(ctx, room, 1, "👍"))
	do(grace.Unreact(ctx, room, 1, "👍"))
	do(ada.SendWith(ctx, room, "in a thread", client.SendOptions{Thread: 1}))
	do(ada.SendWith(ctx, room, "in both", client.SendOptions{Thread: 1, ReplyTo: 1, Echo: true}))
	do(ada.Pin(ctx, room, 1))
	do(ada.Send(ctx, room, "/me waves"))
	if r := do(ada.Send(ctx, room, "/topic tea")); r.Kind != "topic" {
		t.Errorf("a topic became a %s", r.Kind)
	}
	do(ada.Send(ctx, room, "oops"))
	do(ada.Delete(ctx, room, 11))
	if again, err := ada.Delete(ctx, room, 11); err != nil || again.Seq != last.Seq {
		t.Errorf("deleted again: %+v, %v", again, err)
	}
	_, err := ada.Edit(ctx, room, 1, "mine")
	wantCode(t, err, client.NotYours)
	_, err = ada.Edit(ctx, room, 11, "again")
	wantCode(t, err, client.Gone)
	_, err = ada.React(ctx, room, 2, "👍")
	wantCode(t, err, client.NotFound)

	live := hearLog(ctx, t, ada, int(last.Seq))
	late := s.dial(client.Options{Name: "Late"})
	if _, err := late.JoinAfter(ctx, room, client.Position{}); err != nil {
		t.Fatal(err)
	}
	resumed := hearLog(ctx, t, late, int(last.Seq))
	if oops, ok := live[10].(client.Message); !ok || oops.Text != "oops" {
		t.Errorf("live came %+v", live[10])
	}
	if oops, ok := resumed[10].(client.Message); !ok || oops.Text != "" || !oops.Gone {
		t.Errorf("on resuming came %+v", resumed[10])
	}
	resumed[10] = live[10]
	if !reflect.DeepEqual(live, resumed) {
		t.Errorf("live came\n%+v\non resuming\n%+v", live, resumed)
	}
	if e, ok := live[1].(client.Edit); !ok || e.Target != 1 || e.Text != "hello, @Grace says" || len(e.Mentions) != 1 ||
		e.Mentions[0] != grace.Person() {
		t.Errorf("the edit came as %+v", live[1])
	}
	if r, ok := live[5].(client.Reply); !ok || r.Thread != 1 || r.Text != "in a thread" {
		t.Errorf("the reply came as %+v", live[5])
	}

	page, err := late.History(ctx, room, client.Page{Limit: 3})
	if err != nil || page.Seq != last.Seq || !page.More || len(page.Messages) != 3 || !page.Messages[1].Action ||
		!page.Messages[2].Gone {
		t.Errorf("the newest page is %+v, %v", page, err)
	}
	page, err = late.History(ctx, room, client.Page{})
	if err != nil || page.More || len(page.Messages) != 4 {
		t.Fatalf("the page is %+v, %v", page, err)
	}
	m := page.Messages[0]
	want := client.Message{
		Room: room, Seq: 1, At: m.At, From: grace.Person(), Text: "hello, @Grace says",
		Mentions: []client.Person{grace.Person()}, Pinned: true,
		Edited: m.Edited, Reactions: []client.Emoji{{Emoji: "👍", People: []client.Person{ada.Person()}}},
		Replies: m.Replies,
	}
	if !reflect.DeepEqual(m, want) || m.Edited.Seq != 2 || m.Replies.Count != 2 || m.Replies.Seq != 7 {
		t.Errorf("the message stands as %+v", m)
	}
	thread, err := late.History(ctx, room, client.Page{Thread: 1, Limit: 10})
	if err != nil || len(thread.Messages) != 2 || thread.Messages[1].Quote.Text != "hello, @Grace says" ||
		!reflect.DeepEqual(*thread.Root, m) {
		t.Errorf("the thread is %+v, %v", thread, err)
	}
	unread, err := grace.Read(ctx, room, 8)
	one := client.Unread{Read: 8, Messages: 1} // by Ada; another one is deleted
	if err != nil || unread != one {
		t.Errorf("Grace has read %+v, %v, want %+v", unread, err, one)
	}
	if again, err := grace.Read(ctx, room, 3); err != nil || again != unread {
		t.Errorf("and then %+v, %v", again, err)
	}
	rooms, err := grace.Rooms(ctx)
	if err != nil || len(rooms) != 1 || rooms[0].Unread != unread || rooms[0].Topic != "tea" ||
		rooms[0].Seq != last.Seq {
		t.Errorf("Grace's rooms are %+v, %v", rooms, err)
	}
	seq := int64(7)
	around, err := late.History(ctx, room, client.Page{Around: &seq, Limit: 2})
	if err != nil || len(around.Messages) != 2 || !around.More || !around.Newer {
		t.Errorf("the page around 7 is %+v, %v", around, err)
	}
	since, err := late.History(ctx, room, client.Page{Since: around.Messages[0].At, Limit: 1})
	if err != nil || len(since.Messages) != 1 || !since.More || since.Messages[0].Seq != around.Messages[0].Seq {
		t.Errorf("the page since %v is %+v, %v", around.Messages[0].At, since, err)
	}
	since, err = late.History(ctx, room, client.Page{Since: time.Now().Add(time.Hour)})
	if err != nil || len(since.Messages) != 0 || since.More {
		t.Errorf("the page since later is %+v, %v", since, err)
	}
}

// hearLog takes n events of a room's log.
func hearLog(ctx context.Context, t *testing.T, c *client.Client, n int) (events []client.Event) {
	t.Helper()
	for len(events) < n {
		e, err := c.Next(ctx)
		if err != nil {
			t.Fatalf("after %d of %d events: %v", len(events), n, err)
		}
		switch e.(type) {
		case client.Message, client.Reply, client.Edit, client.Delete, client.Reaction, client.Pin, client.Topic:
			events = append(events, e)
		}
	}
	return events
}

func until(t *testing.T, c *client.Client, is func(client.Event) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for e, err := range c.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if is(e) {
			return
		}
	}
}

func wantCode(t *testing.T, err error, code client.Code) {
	t.Helper()
	if e, ok := errors.AsType[*client.Error](err); !ok || e.Code != code {
		t.Errorf("err = %v, want %s", err, code)
	}
}

// Of two servers with the same data only one runs at a time. It is killed in the middle
// of sends, and then the other one is started.
func TestNothingIsLostOrDoubledBetweenTwoAddresses(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and kills servers")
	}
	const messages, kills = 400, 4
	running := startServer(t)
	waiting := &server{t: t, program: running.program, data: t.TempDir(), address: "127.0.0.1:0"}
	waiting.start() // only to have an address of its own
	waiting.kill()
	waiting.data = running.data
	t.Cleanup(func() { running.kill() })

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := running.dial(client.Options{Name: "Ada", More: []string{"http://" + waiting.address}})
	if _, err := c.JoinAfter(ctx, "lobby", client.Position{}); err != nil {
		t.Fatal(err)
	}
	var heard, sent []string
	var others sync.WaitGroup
	others.Go(func() {
		var err error
		if heard, err = hear(ctx, c, messages); err != nil {
			t.Error(err)
		}
	})
	progress := make(chan struct{}, messages)
	others.Go(func() {
		for n := range messages {
			sent = append(sent, fmt.Sprintf("message %d", n))
			if _, err := c.Send(ctx, "lobby", sent[n]); err != nil {
				t.Errorf("message %d: %v", n, err)
				cancel()
				return
			}
			progress <- struct{}{}
		}
	})
	for range kills {
		for range messages / (kills + 1) {
			select {
			case <-progress:
			case <-ctx.Done():
			}
		}
		running.kill()
		running, waiting = waiting, running
		running.start()
	}
	others.Wait()
	if !slices.Equal(heard, sent) {
		t.Errorf("heard %q", heard)
	}
}
