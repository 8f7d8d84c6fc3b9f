package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/room"
)

// A failed search must not look like a store that cannot write.
func TestErrorsOfASearchNameTheSearch(t *testing.T) {
	gone := &chat.Error{Code: chat.SearchUnavailable, Message: "The search took too long."}
	for name, find := range map[string]func(context.Context, chat.Search) (chat.Found, error){
		"no search at all": nil,
		"one that fails": func(context.Context, chat.Search) (chat.Found, error) {
			return chat.Found{}, fmt.Errorf("searching: %w", gone)
		},
	} {
		ts := startServer(t, Config{Find: find}, room.Config{})
		a := ts.ask(t, http.MethodGet, "/api/search?q=x", "")
		p := decode[httpdoor.Problem](t, a)
		if a.StatusCode != http.StatusServiceUnavailable || p.Code != chat.SearchUnavailable ||
			!strings.Contains(p.Title, "search") || strings.Contains(p.Title, "store") {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
		if a := ts.ask(t, http.MethodGet, "/healthz", ""); a.StatusCode != http.StatusOK {
			t.Errorf("%s: the server is ill: %d", name, a.StatusCode)
		}
	}
}

func TestASearchSaysWhetherItKnowsEverything(t *testing.T) {
	until := time.Date(2026, time.November, 23, 9, 41, 5, 123e6, time.FixedZone("", 3600))
	for name, tt := range map[string]struct {
		found chat.Found
		want  string
	}{
		"complete": {chat.Found{Complete: true}, `{"complete":true,"hits":[]}`},
		"up to a time": {
			chat.Found{Until: until}, `{"complete":false,"complete_until":"2026-11-23T08:41:05.123Z","hits":[]}`,
		},
		"nobody knows to when": {chat.Found{}, `{"complete":false,"hits":[]}`},
		"with another page": {
			chat.Found{Next: "abc", Until: until},
			`{"cursor":"abc","complete":false,"complete_until":"2026-11-23T08:41:05.123Z","hits":[]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			ts := startServer(
				t, Config{Find: func(context.Context, chat.Search) (chat.Found, error) { return tt.found, nil }},
				room.Config{},
			)
			if a := ts.ask(t, http.MethodGet, "/api/search?q=x&room=lobby", ""); a.StatusCode != 200 ||
				strings.TrimSpace(a.body) != tt.want {
				t.Errorf("%s %s, want %s", a.Status, a.body, tt.want)
			}
		})
	}
}

func TestTheRoomOfASearchIsTheOnlyOne(t *testing.T) {
	for _, tt := range []struct {
		query string
		rooms []chat.RoomName
		only  bool
	}{
		{"q=x&room=lobby", []chat.RoomName{"lobby"}, true},
		{"q=x+in:attic&room=lobby", []chat.RoomName{"lobby"}, true},
		{"q=x+in:attic&room=LOBBY", []chat.RoomName{"lobby"}, true},
		{"q=x+in:attic", nil, false},
	} {
		var asked chat.Search
		ts := startServer(
			t,
			Config{Find: func(
				_ context.Context, s chat.Search,
			) (chat.Found, error) {
				asked = s
				return chat.Found{}, nil
			}},
			room.Config{},
		)
		a := ts.ask(t, http.MethodGet, "/api/search?"+tt.query, "")
		if a.StatusCode != 200 || asked.Only != tt.only || len(asked.Rooms) != len(tt.rooms) ||
			len(tt.rooms) > 0 && asked.Rooms[0] != tt.rooms[0] {
			t.Errorf("%s: %s: %+v", tt.query, a.Status, asked)
		}
	}
}

func TestMetricsSayHowFarTheSearchIsBehind(t *testing.T) {
	m := NewMetrics()
	m.Searches(func() (int, time.Duration) { return 42, 90 * time.Second })
	ts := startServer(t, Config{Metrics: m}, room.Config{})
	a := ts.ask(t, http.MethodGet, "/metrics", "")
	for _, want := range []string{"\nparley_search_lag_events 42\n", "\nparley_search_lag_seconds 90\n"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("%q is missing", want)
		}
	}
}
