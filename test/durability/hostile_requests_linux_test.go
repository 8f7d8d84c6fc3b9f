package durability

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// An assault is what clients at one address request as often as they can, to disturb people at
// another address. begin prepares it; strike runs until its context ends.
type assault struct {
	flags   []string
	pause   time.Duration // between messages of the two people
	begin   func(a *attacker) error
	strike  func(ctx context.Context, a *attacker) error
	refused bool  // some of the requests must be refused
	most    int64 // bytes of memory that it may cost
}

var assaults = map[string]assault{
	"large pages": {
		begin: writesLargeMessages, most: 128 << 20, refused: true,
		strike: func(ctx context.Context, a *attacker) error {
			return a.repeat(ctx, 30, "/api/rooms/large/messages?limit=200")
		},
	},
	"large logs, threads, pins, searches and versions": {
		begin: writesLargeMessages, most: 128 << 20, refused: true,
		strike: func(ctx context.Context, a *attacker) error {
			return a.repeat(ctx, 30, "/api/rooms/large/log?limit=200", "/api/rooms/large/messages/1/replies?limit=200",
				"/api/rooms/large/pins",
				"/api/search?room=large&limit=100&q=N", "/api/rooms/large/messages/1")
		},
	},
	"pages that nobody reads": {begin: writesLargeMessages, strike: readsNothing, most: 128 << 20},
	"code, deletions and resumes": {
		begin: writesCode, most: 128 << 20,
		strike: func(ctx context.Context, a *attacker) error {
			var g errgroup.Group
			g.Go(func() error { return a.deletesOften(ctx) })
			g.Go(func() error { return a.resumesOften(ctx, 4) })
			g.Go(func() error { return a.repeat(ctx, 4, "/api/rooms/code/messages?limit=200") })
			return g.Wait()
		},
	},
	"a crowd of guests": {
		flags: []string{"--message-rate", "5"}, pause: 250 * time.Millisecond, most: 64 << 20, refused: true,
		strike: func(ctx context.Context, a *attacker) error { return a.crowdTalks(ctx, 50) },
	},
	"names of rooms guessed": {
		most: 64 << 20, refused: true,
		strike: func(ctx context.Context, a *attacker) error { return a.guesses(ctx, 8) },
	},
}

// TestHostileRequestsCostOthersLittle measures how long messages take between people at one address
// while an attacker at another address requests as much as possible. Nobody may be disconnected.
// The times are only printed, because they depend on the machine.
func TestHostileRequestsCostOthersLittle(t *testing.T) {
	for name, s := range assaults {
		t.Run(name, func(t *testing.T) {
			last := 500 * time.Millisecond
			if os.Getenv("PARLEY_HOSTILE") != "" {
				last = 8 * time.Second
			} else {
				t.Parallel()
			}
			b := startVictim(t, s.flags...)
			b.pause = s.pause
			a := newAttacker(b)
			if s.begin != nil {
				if err := s.begin(a); err != nil {
					t.Fatal(err)
				}
			}
			calmly := func() calm {
				stop := b.talkOn()
				phase, end := context.WithTimeout(t.Context(), max(last/4, 4*s.pause))
				defer end()
				<-phase.Done()
				return stop()
			}
			before, memory := calmly(), b.rss()
			b.forgetPeak()

			ctx, cancel := context.WithTimeout(t.Context(), last)
			defer cancel()
			stop := b.talkOn()
			if err := s.strike(ctx, a); err != nil {
				t.Fatal(err)
			}
			meanwhile, peak := stop(), b.peak()
			b.end()
			t.Logf(
				"a message of others took %v before, %v meanwhile; %d MiB before, at most %d MiB; %d answers, %d "+
					"refusals, %d MB",
				before, meanwhile, memory>>20, peak>>20, a.answers.Load(), a.refusals.Load(), a.bytes.Load()/1e6)
			if s.refused && a.refusals.Load() == 0 && os.Getenv("PARLEY_HOSTILE") != "" {
				t.Error("nothing was refused")
			}
			factor := int64(1)
			if raced() {
				factor = 8 // its shadow memory
			}
			if peak > memory+factor*s.most {
				t.Errorf("that is more than %d MiB", (memory+factor*s.most)>>20)
			}
			if b.log.Len() > 4<<10 {
				t.Errorf("%d bytes are logged: %.500s", b.log.Len(), b.log)
			}
		})
	}
}

// An attacker is at 127.0.0.2; other people are at 127.0.0.1.
type attacker struct {
	b    *victim
	http *http.Client

	answers, refusals, bytes atomic.Int64
}

func newAttacker(b *victim) *attacker {
	transport := &http.Transport{DialContext: elsewhere.DialContext, MaxIdleConnsPerHost: 100}
	b.t.Cleanup(transport.CloseIdleConnections)
	return &attacker{b: b, http: &http.Client{Transport: transport, Timeout: patience}}
}

var elsewhere = &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}

// ask sends one request and counts its answer.
func (a *attacker) ask(ctx context.Context, method, path, body, session string) (status int, answer []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+a.b.address+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if session != "" {
		r.Header.Set("Authorization", "Bearer "+session)
	}
	w, err := a.http.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer w.Body.Close()
	answer, err = io.ReadAll(w.Body)
	a.bytes.Add(int64(len(answer)))
	switch {
	case w.StatusCode == http.StatusTooManyRequests:
		a.refusals.Add(1)
		pause, end := context.WithTimeout(ctx, 20*time.Millisecond)
		<-pause.Done() // the server and its attacker share this machine's processors
		end()
	case w.StatusCode < 300:
		a.answers.Add(1)
	}
	return w.StatusCode, answer, err
}

// repeat requests paths again and again, with several requests at a time.
func (a *attacker) repeat(ctx context.Context, hands int, paths ...string) error {
	var g errgroup.Group
	for hand := range hands {
		g.Go(func() error {
			for i := hand; ; i++ {
				status, answer, err := a.ask(ctx, http.MethodGet, paths[i%len(paths)], "", "")
				switch {
				case ctx.Err() != nil:
					return nil
				case err != nil:
					return err
				case status != http.StatusOK && status != http.StatusTooManyRequests:
					return fmt.Errorf("%s: %d %.200s", paths[i%len(paths)], status, answer)
				}
			}
		})
	}
	return g.Wait()
}

// guest makes a new person. Every answer to their posts must be a success.
func (a *attacker) guest(name string) (post func(method, path, body string) error, err error) {
	_, answer, err := a.ask(a.b.t.Context(), http.MethodPost, "/api/session", fmt.Sprintf(`{"name":%q}`, name), "")
	var is struct{ Session string }
	if err == nil {
		err = json.Unmarshal(answer, &is)
	}
	return func(method, path, body string) error {
		status, answer, err := a.ask(a.b.t.Context(), method, path, body, is.Session)
		if err == nil && status >= 300 {
			err = fmt.Errorf("%s %s: %d %s", method, path, status, answer)
		}
		return err
	}, err
}

// writesLargeMessages fills a room with messages whose formatting is as large and as slow as
// possible: in the room, in a thread, pinned, and edited.
func writesLargeMessages(a *attacker) error {
	post, err := a.guest("Mallory")
	text := func(i int) string { return fmt.Sprintf("N %d ", i) + strings.Repeat("a@b.c*", 660) }
	const room = "/api/rooms/large"
	for i := 0; err == nil && i < 200; i++ {
		err = post(http.MethodPost, room+"/messages", fmt.Sprintf(`{"text":%q}`, text(i)))
	}
	for i := 0; err == nil && i < 50; i++ {
		err = post(http.MethodPost, room+"/messages", fmt.Sprintf(`{"text":%q,"thread":1}`, text(i)))
	}
	for i := 0; err == nil && i < 50; i++ {
		err = errors.Join(
			post(http.MethodPut, fmt.Sprintf("%s/pins/%d", room, i+2), ""),
			post(http.MethodPatch, room+"/messages/1", fmt.Sprintf(`{"text":%q}`, text(1000+i))))
	}
	return err
}

// readsNothing requests pages on 40 sockets, and reads no answer.
func readsNothing(ctx context.Context, a *attacker) error {
	var g errgroup.Group
	for range 40 {
		g.Go(func() error {
			nc, err := elsewhere.DialContext(ctx, "tcp", a.b.address)
			if err != nil {
				return err
			}
			defer nc.Close()
			nc.(*net.TCPConn).SetReadBuffer(4 << 10)
			const page = "GET /api/rooms/large/messages?limit=200 HTTP/1.1\r\nHost: localhost\r\n\r\n"
			nc.SetWriteDeadline(time.Now().Add(patience))
			if _, err := io.WriteString(nc, strings.Repeat(page, 100)); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		})
	}
	// At the same address, another client reads its answers.
	g.Go(func() error { return a.repeat(ctx, 2, "/api/rooms/large/messages?limit=200") })
	return g.Wait()
}

// writesCode fills a room with code that takes long to colour.
func writesCode(a *attacker) error {
	post, err := a.guest("Mallory")
	languages := []string{"rbw", "objectivec", "sql", "kts", "py"}
	lines := []string{"a b c d ", "(a", "/a", "a- "}
	for i := 0; err == nil && i < 200; i++ {
		line := strings.Repeat(lines[i%len(lines)], 390/len(lines[i%len(lines)])) + "\n"
		text := fmt.Sprintf("%d\n```%s\n%s```", i, languages[i%len(languages)], strings.Repeat(line, 9))
		err = post(http.MethodPost, "/api/rooms/code/messages", fmt.Sprintf(`{"text":%q}`, text))
	}
	return err
}

// deletesOften posts a message every second and deletes it.
func (a *attacker) deletesOften(ctx context.Context) error {
	post, err := a.guest("Eraser")
	if err != nil {
		return err
	}
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for i := 1; ; i++ {
		err := errors.Join(
			post(http.MethodPost, "/api/rooms/erased/messages", `{"text":"**soon** deleted"}`),
			post(http.MethodDelete, fmt.Sprintf("/api/rooms/erased/messages/%d", 2*i-1), ""))
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		}
	}
}

// resumesOften listens to a room from its beginning, again and again.
func (a *attacker) resumesOften(ctx context.Context, hands int) error {
	var g errgroup.Group
	for range hands {
		g.Go(func() error {
			for ctx.Err() == nil {
				if err := a.resume(ctx); err != nil && ctx.Err() == nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

func (a *attacker) resume(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.b.address+"/api/rooms/code/events?after=0",
		nil)
	if err != nil {
		return err
	}
	w, err := a.http.Do(r)
	if err != nil {
		return err
	}
	defer w.Body.Close()
	if w.StatusCode == http.StatusTooManyRequests {
		a.refusals.Add(1)
		return nil
	}
	in := bufio.NewScanner(w.Body)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		a.bytes.Add(int64(len(in.Bytes())))
		if bytes.Contains(in.Bytes(), []byte(`"seq":200,`)) {
			a.answers.Add(1)
			return nil
		}
	}
	return in.Err()
}

// crowdTalks lets many guests post as fast as they can.
func (a *attacker) crowdTalks(ctx context.Context, guests int) error {
	var g errgroup.Group
	for guest := range guests {
		g.Go(func() error {
			_, answer, err := a.ask(ctx, http.MethodPost, "/api/session", fmt.Sprintf(`{"name":"Guest %d"}`, guest), "")
			var is struct{ Session string }
			if err == nil {
				err = json.Unmarshal(answer, &is)
			}
			for err == nil && ctx.Err() == nil {
				_, _, err = a.ask(ctx, http.MethodPost, "/api/rooms/crowd/messages", `{"text":"me too"}`, is.Session)
			}
			if ctx.Err() != nil {
				return nil
			}
			return err
		})
	}
	return g.Wait()
}

// guesses requests rooms that may exist.
func (a *attacker) guesses(ctx context.Context, hands int) error {
	var g errgroup.Group
	for hand := range hands {
		g.Go(func() error {
			for i := 0; ctx.Err() == nil; i++ {
				path := fmt.Sprintf("/api/rooms/guess-%d-%d", hand, i)
				if i%2 == 1 {
					path += "/messages?limit=1"
				}
				if _, _, err := a.ask(ctx, http.MethodGet, path, "", ""); err != nil && ctx.Err() == nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}
