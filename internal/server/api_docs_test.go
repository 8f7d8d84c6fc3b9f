package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/room"
)

// openAPI has the parts of the document that the tests read.
type openAPI struct {
	OpenAPI string
	Paths   map[string]map[string]struct {
		Parameters []struct {
			In, Name string
			Required bool
			Schema   struct{ Examples []any }
		}
		RequestBody *struct{ Content map[string]media }
		Responses   map[string]struct{ Content map[string]media }
	}
	Components struct{ Schemas map[string]json.RawMessage }
}

type media struct {
	Example json.RawMessage
	Schema  struct {
		Ref string `json:"$ref"`
	}
}

func document(t *testing.T, ts *testServer) openAPI {
	t.Helper()
	a := ts.ask(t, http.MethodGet, "/api/openapi.json", "")
	if got := a.Header.Get("Content-Type"); got != "application/openapi+json" {
		t.Errorf("Content-Type %q", got)
	}
	return decode[openAPI](t, a)
}

func TestTheDocumentNamesEveryRoute(t *testing.T) {
	doc := document(t, startServer(t, Config{}, room.Config{}))
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		t.Errorf("OpenAPI %s", doc.OpenAPI)
	}
	var got []string
	for path, methods := range doc.Paths {
		for method := range methods {
			got = append(got, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(got)
	want := []string{
		"DELETE /api/me/rooms/{room}",
		"DELETE /api/me/saved/{room}/{seq}",
		"DELETE /api/me/threads/{room}/{seq}",
		"DELETE /api/rooms/{room}/messages/{seq}",
		"DELETE /api/rooms/{room}/messages/{seq}/reactions/{emoji}",
		"DELETE /api/rooms/{room}/pins/{seq}",
		"DELETE /api/session",
		"GET /api/commands",
		"GET /api/emoji",
		"GET /api/link",
		"GET /api/me/rooms",
		"GET /api/me/rooms/{room}",
		"GET /api/me/saved",
		"GET /api/me/threads",
		"GET /api/rooms/{room}",
		"GET /api/rooms/{room}/events",
		"GET /api/rooms/{room}/log",
		"GET /api/rooms/{room}/messages",
		"GET /api/rooms/{room}/messages/{seq}",
		"GET /api/rooms/{room}/messages/{seq}/replies",
		"GET /api/rooms/{room}/pins",
		"GET /api/rooms/{room}/text",
		"GET /api/search",
		"GET /api/session",
		"GET /healthz",
		"GET /metrics",
		"GET /readyz",
		"PATCH /api/rooms/{room}/messages/{seq}",
		"POST /api/rooms/{room}/messages",
		"POST /api/session",
		"PUT /api/me/rooms/{room}",
		"PUT /api/me/rooms/{room}/read",
		"PUT /api/me/saved/{room}/{seq}",
		"PUT /api/me/threads/{room}/{seq}",
		"PUT /api/rooms/{room}/messages/{seq}/reactions/{emoji}",
		"PUT /api/rooms/{room}/pins/{seq}",
		"PUT /api/rooms/{room}/topic",
	}
	if !slices.Equal(got, want) {
		t.Errorf("routes %q\nwant %q", got, want)
	}
}

// Each example of a request is sent, and the answer must have the same fields as
// the example of the answer.
func TestTheExamplesAreTrue(t *testing.T) {
	ts := startServer(t, Config{Find: findNothing}, room.Config{})
	doc := document(t, ts)
	auth := []string{"Authorization", "Bearer " + ts.guest(t, "Ada").Session}
	examples := 0
	for path, methods := range doc.Paths {
		for method, op := range methods {
			if path == "/metrics" || strings.HasSuffix(path, "/events") || strings.HasSuffix(path, "/text") {
				continue
			}
			examples++
			t.Run(method+" "+path, func(t *testing.T) {
				body := ""
				if op.RequestBody != nil {
					body = string(op.RequestBody.Content["application/json"].Example)
				}
				header := auth
				if method == "post" || path == "/api/session" && method == "delete" {
					header = nil // as a new guest
				}
				m := decode[struct{ Seq chat.Seq }](
					t, ts.ask(t, http.MethodPost, "/api/rooms/lobby/messages", `{"text":"hi"}`, auth...),
				)
				there := strings.NewReplacer(
					"{room}", "lobby", "{seq}", fmt.Sprint(m.Seq), "{emoji}", "%F0%9F%91%8D",
				).Replace(path)
				query := url.Values{}
				for _, p := range op.Parameters {
					if p.In == "query" && p.Required {
						query.Set(p.Name, fmt.Sprint(p.Schema.Examples[0]))
					}
				}
				if len(query) > 0 {
					there += "?" + query.Encode()
				}
				a := ts.ask(t, strings.ToUpper(method), there, body, header...)
				response, documented := op.Responses[a.Status[:3]]
				if !documented {
					t.Fatalf("status %s is not documented: %s", a.Status, a.body)
				}
				if a.StatusCode == http.StatusNoContent {
					return
				}
				example := response.Content["application/json"].Example
				optional := []string{"at", "html", "last", "messages", "only_here", "session"}
				want, got := fields(t, example, optional), fields(t, []byte(a.body), optional)
				if !slices.Equal(got, want) {
					t.Errorf("answer has %v, example %v", got, want)
				}
			})
		}
	}
	if examples != 34 {
		t.Errorf("%d operations were tried", examples)
	}
}

func findNothing(context.Context, chat.Search) (chat.Found, error) { return chat.Found{}, nil }

func TestRefusalsOfNewGuestsAreInTheDocument(t *testing.T) {
	ts := startServer(t, Config{GuestRate: 1}, room.Config{})
	ts.guest(t, "Ada")
	doc := document(t, ts)
	for _, path := range []string{"/api/session", "/api/rooms/{room}/messages"} {
		a := ts.ask(t, http.MethodPost, strings.ReplaceAll(path, "{room}", "lobby"), `{"name":"Grace","text":"hi"}`)
		if _, documented := doc.Paths[path]["post"].Responses[a.Status[:3]]; !documented ||
			a.StatusCode != http.StatusTooManyRequests {
			t.Errorf("%s: %s is documented: %v", path, a.Status, documented)
		}
	}
}

func fields(t *testing.T, object []byte, but []string) []string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(object, &m); err != nil {
		t.Fatalf("%v in %q", err, object)
	}
	maps.DeleteFunc(m, func(name string, _ any) bool { return slices.Contains(but, name) })
	return slices.Sorted(maps.Keys(m))
}

func TestEveryBodyInTheDocumentHasAnExampleAndASchema(t *testing.T) {
	doc := document(t, startServer(t, Config{}, room.Config{}))
	check := func(where string, m media) {
		if len(m.Example) == 0 {
			t.Errorf("%s has no example", where)
		}
		name := strings.TrimPrefix(m.Schema.Ref, "#/components/schemas/")
		if _, found := doc.Components.Schemas[name]; !found {
			t.Errorf("%s has no schema, but %q", where, m.Schema.Ref)
		}
	}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			if op.RequestBody != nil {
				check(method+" "+path, op.RequestBody.Content["application/json"])
			}
			for status, r := range op.Responses {
				if m, ok := r.Content["application/json"]; ok {
					check(method+" "+path+" "+status, m)
				}
			}
		}
	}
}

func TestTheDocsPageNeedsNothingFromElsewhere(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	a := ts.ask(t, http.MethodGet, "/api/docs", "")
	if a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("status %d, %s", a.StatusCode, a.Header.Get("Content-Type"))
	}
	_, rest, _ := strings.Cut(a.body, "<style>")
	style, _, found := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	policy := a.Header.Get("Content-Security-Policy")
	if !found || !strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") ||
		!strings.HasPrefix(policy, "default-src 'none';") {
		t.Errorf("the style would be blocked, or too much allowed: %s", policy)
	}
	if strings.Contains(a.body, "<script") || strings.Contains(a.body, " style=") || strings.Contains(style, "url(") {
		t.Error("the page has scripts, inline styles or images")
	}
	for _, m := range regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(a.body, -1) {
		if target, isAnchor := strings.CutPrefix(m[1], "#"); isAnchor {
			if !strings.Contains(a.body, ` id="`+target+`"`) {
				t.Errorf("nothing is at #%s", target)
			}
		} else if m[1] != "/api/openapi.json" && m[1] != "/" {
			t.Errorf("a link to %s", m[1])
		}
	}
	if !strings.Contains(a.body, `<a href="/">← Back to the rooms</a>`) {
		t.Error("there is no way back")
	}
	for _, code := range chat.Codes { // problems point here
		if !strings.Contains(a.body, `<tr id="`+string(code)+`">`) {
			t.Errorf("%s is not explained", code)
		}
	}
	for path, methods := range document(t, ts).Paths {
		for method := range methods {
			name := strings.ToUpper(method)
			heading := `<b class="` + name + `">` + name + `</b> <code>` + path + `</code> <a class="self"`
			if !strings.Contains(a.body, heading) {
				t.Errorf("%s %s is not shown", method, path)
			}
		}
	}
	if bytes.Contains([]byte(a.body), []byte("ZgotmplZ")) {
		t.Error("the template has refused a value")
	}
}
