package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/room"
)

// What a search fails with is called what it is: the store can write.
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
		p := decode[Problem](t, a)
		if a.StatusCode != http.StatusServiceUnavailable || p.Code != chat.SearchUnavailable || !strings.Contains(p.Title, "search") || strings.Contains(p.Title, "store") {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
		if a := ts.ask(t, http.MethodGet, "/healthz", ""); a.StatusCode != http.StatusOK {
			t.Errorf("%s: the server is ill: %d", name, a.StatusCode)
		}
	}
}
