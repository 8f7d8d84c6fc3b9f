package server

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/format"
	"parley/internal/httpdoor"
	"parley/internal/room"
)

// large returns a text whose HTML is as large as possible, another one for each i.
func large(i int) string { return fmt.Sprintf("N %d ", i) + strings.Repeat("a@b.c*", 660) }

// patiently renders like the server, but without a time limit.
func patiently(text string, _ *room.Budget) string { return format.HTML(text, nil) }

// Each operation that returns a list ends it when it is large enough, and requests
// for the following pages return the rest.
func TestAnswersAreBoundedAndCanBeReadOn(t *testing.T) {
	var ts *testServer
	find := func(_ context.Context, s chat.Search) (found chat.Found, err error) {
		from := 0
		if s.Cursor != "" {
			if _, err := fmt.Sscan(s.Cursor, &from); err != nil {
				return found, err
			}
		}
		for seq := from + 1; seq <= 30 && len(found.Hits) < s.Limit; seq++ {
			found.Hits = append(
				found.Hits,
				chat.Hit{MessageRef: chat.MessageRef{Room: "lobby", Seq: chat.Seq(seq)}, Ranges: [][2]int{}},
			)
			found.Next = fmt.Sprint(seq)
		}
		return found, nil
	}
	ts = startServer(t, Config{Find: find}, room.Config{Format: patiently})
	c := ts.hello(t, "Ada")
	session := ts.guest(t, "Grace").Session
	const messages = 30 // and as many replies, pins and edits
	for i := range messages {
		c.ask(`"op":"send","room":"lobby","text":%q`, large(i))
	}
	for i := range messages {
		c.ask(`"op":"send","room":"lobby","text":%q,"thread":1`, large(i))
	}
	bearer := "Bearer " + session
	for i := range messages {
		c.ask(`"op":"pin","room":"lobby","seq":%d`, i+1)
		c.ask(`"op":"edit","room":"lobby","seq":%d,"text":%q`, messages, large(1000+i))
		if a := ts.ask(
			t, http.MethodPut, fmt.Sprint("/api/me/saved/lobby/", i+1), "", "Authorization", bearer,
		); a.StatusCode != http.StatusNoContent {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
	}

	type item struct {
		Seq     int
		At      string
		Message struct{ Seq int }
	}
	type body struct {
		Messages, Hits, Versions, Events []item
		Cursor                           string
		More                             bool
		Before, Seq                      int
	}
	last := func(items []item) item { return items[len(items)-1] }
	for name, tt := range map[string]struct {
		path string
		list func(body) []item
		next func(body, []item) string // what to add to the path; "" at the end
		want int
	}{
		"messages backwards": {
			"messages?limit=200", func(b body) []item { return b.Messages },
			func(b body, items []item) string { return more(b.More, "&before=%d", items[0].Seq) }, messages,
		},
		"messages forwards": {
			"messages?limit=200", func(b body) []item { return b.Messages },
			func(b body, items []item) string { return more(b.More, "&after=%d", last(items).Seq) }, messages,
		},
		"replies": {
			"messages/1/replies?limit=200", func(b body) []item { return b.Messages },
			func(b body, items []item) string { return more(b.More, "&before=%d", items[0].Seq) }, messages,
		},
		"pins": {
			"pins?", func(b body) []item { return b.Messages },
			func(b body, _ []item) string { return more(b.More, "&before=%d", b.Before) }, messages,
		},
		"versions": {
			"messages/30?", func(b body) []item { return b.Versions },
			func(b body, items []item) string { return more(b.More, "&after=%d", last(items).Seq) }, messages + 1,
		},
		"log": {
			"log?limit=200", func(b body) []item { return b.Events },
			func(b body, items []item) string { return more(last(items).Seq < b.Seq, "&after=%d", last(items).Seq) },
			4 * messages,
		},
		"search": {
			"/api/search?room=lobby&limit=100&q=N", func(b body) []item { return b.Hits },
			func(b body, _ []item) string { return more(b.Cursor != "" && b.Cursor != "30", "&cursor=%s", b.Cursor) },
			messages,
		},
		"saved": {
			"/api/me/saved?limit=200", func(b body) []item { return b.Messages },
			func(b body, items []item) string { return more(b.More, "&before=%s", last(items).At) }, messages,
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := tt.path
			if !strings.HasPrefix(path, "/") {
				path = "/api/rooms/lobby/" + path
			}
			seen := map[int]bool{}
			pages := 0
			next := path
			if name == "messages forwards" {
				next += "&after=0"
			}
			for ; next != ""; pages++ {
				a := ts.ask(t, http.MethodGet, next, "", "Authorization", bearer)
				if a.StatusCode != http.StatusOK {
					t.Fatalf("%s: %d %s", next, a.StatusCode, a.body)
				}
				// The last message may exceed the limit, and some answers have another message.
				if most := 256<<10 + 5*(70<<10); len(a.body) > most {
					t.Fatalf("%s: %d bytes, at most %d", next, len(a.body), most)
				}
				b := decode[body](t, a)
				items := tt.list(b)
				if len(items) == 0 || pages > 100 {
					t.Fatalf("%s: %d on page %d", next, len(items), pages)
				}
				for _, i := range items {
					seen[cmp.Or(i.Seq, i.Message.Seq)] = true
				}
				if next = tt.next(b, items); next != "" {
					next = path + next
				}
			}
			if pages < 2 {
				t.Errorf("it is all in %d pages", pages)
			}
			// A page of bookmarks ends before a time in milliseconds, which several bookmarks may share.
			if len(seen) < tt.want-2 || len(seen) < tt.want && !strings.HasPrefix(path, "/api/me") {
				t.Errorf("%d were found, want %d", len(seen), tt.want)
			}
		})
	}
}

func more(is bool, format string, arg any) string {
	if !is {
		return ""
	}
	return fmt.Sprintf(format, arg)
}

// Each operation that reads answers 429, with the time to wait, to an address that
// has read too much, and serves other addresses.
func TestReadingIsLimitedPerAddressWithAndWithoutSession(t *testing.T) {
	ts := startServer(
		t,
		Config{
			TrustedProxy: loopback,
			Find:         func(context.Context, chat.Search) (chat.Found, error) { return chat.Found{}, nil },
		},
		room.Config{ReadRate: 1},
	)
	c := ts.hello(t, "Ada")
	c.ask(`"op":"send","room":"lobby","text":"hi"`)
	bearer := "Bearer " + ts.guest(t, "Grace").Session
	paths := []string{
		"/api/rooms/lobby", "/api/rooms/lobby/messages", "/api/rooms/lobby/messages/1",
		"/api/rooms/lobby/messages/1/replies", "/api/rooms/lobby/pins",
		"/api/rooms/lobby/log", "/api/rooms/lobby/events?after=0", "/api/rooms/lobby/text?after=0",
		"/api/me/rooms", "/api/me/saved", "/api/me/threads",
		"/api/search?q=x",
		"/api/commands", "/api/emoji", "/api/session",
	}
	for i := 0; ; i++ {
		a := ts.ask(t, http.MethodGet, "/api/rooms/lobby/messages", "", "X-Forwarded-For", "192.0.2.1")
		if a.StatusCode == http.StatusTooManyRequests {
			break
		}
		if a.StatusCode != http.StatusOK || i > 100 {
			t.Fatalf("page %d: %d %s", i, a.StatusCode, a.body)
		}
	}
	for _, path := range paths {
		for what, header := range map[string][]string{"without a session": nil, "with one": {"Authorization", bearer}} {
			if header == nil && (strings.HasPrefix(path, "/api/me") || path == "/api/session") {
				continue
			}
			a := ts.ask(t, http.MethodGet, path, "", append(slices.Clone(header), "X-Forwarded-For", "192.0.2.1")...)
			if a.StatusCode != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "" ||
				decode[httpdoor.Problem](t, a).Code != chat.RateLimited {
				t.Errorf("%s %s: %d %.200s", path, what, a.StatusCode, a.body)
			}
		}
		if strings.Contains(path, "events") || strings.Contains(path, "text") {
			continue // it does not end
		}
		if a := ts.ask(
			t, http.MethodGet, path, "", "Authorization", bearer, "X-Forwarded-For", "192.0.2.2",
		); a.StatusCode != http.StatusOK {
			t.Errorf("%s from elsewhere: %d %.200s", path, a.StatusCode, a.body)
		}
	}
	if a := ts.ask(t, http.MethodGet, "/healthz", "", "X-Forwarded-For", "192.0.2.1"); a.StatusCode != http.StatusOK {
		t.Errorf("health: %d", a.StatusCode)
	}
}
