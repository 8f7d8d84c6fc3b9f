package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/account"
	"parley/internal/chat"
	"parley/internal/room"
	"parley/internal/store/sqlite"
)

// row matches a row of the table of errors in docs/protocol.md.
var row = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (\\d*) ?\\| (.*?) \\| ?(.*?) ?\\|$")

func TestEveryCodeHasAnHTTPErrorAndTheDocumentSaysTheSame(t *testing.T) {
	document, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(document), "\n## Errors\n")
	if !found {
		t.Fatal("the document has no section on errors")
	}
	documented := map[chat.Code]httpError{}
	for _, m := range row.FindAllStringSubmatch(section, -1) {
		status := 0
		if m[2] != "" {
			if status, err = strconv.Atoi(m[2]); err != nil {
				t.Fatal(err)
			}
		}
		documented[chat.Code(m[1])] = httpError{status, m[3], m[4]}
	}
	for _, code := range chat.Codes {
		if httpErrors[code].means == "" {
			t.Errorf("%s has no word", code)
		}
		if documented[code] != httpErrors[code] {
			t.Errorf("%s is %v here and %v in the document", code, httpErrors[code], documented[code])
		}
	}
	if got, want := len(slices.Collect(maps.Keys(httpErrors))), len(chat.Codes); got != want ||
		len(documented) != want {
		t.Errorf("%d words, %d documented, %d codes", got, len(documented), want)
	}
}

func TestEveryCodeIsAProblem(t *testing.T) {
	s := &Server{metrics: NewMetrics(), logger: slog.New(slog.DiscardHandler)}
	for _, code := range chat.Codes {
		w := httptest.NewRecorder()
		s.refuse(
			w, httptest.NewRequest(http.MethodGet, "/", nil),
			fmt.Errorf(
				"somewhere: %w", &chat.Error{Code: code, Message: "Why <so>.", RetryAfter: 1500 * time.Microsecond},
			),
		)
		var p Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		status := httpErrors[code].status
		if status == 0 {
			status = http.StatusInternalServerError
		}
		want := Problem{"/api/docs#" + string(code), httpErrors[code].title(), status, "Why <so>.", code, 2}
		if p != want || w.Code != status {
			t.Errorf("status %d, %+v, want %+v", w.Code, p, want)
		}
		if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("Content-Type %q", got)
		}
		if got := w.Header().Get("Retry-After"); got != "1" {
			t.Errorf("Retry-After %q, want whole seconds", got)
		}
	}
}

// A fire is a store that fails to make guests.
type fire struct{ account.People }

func (fire) NewGuest(context.Context, string, string) (chat.Person, string, error) {
	return chat.Person{}, "", errors.New("disk on fire at /secret/path")
}

func TestInternalErrorsAreLoggedAndNotShown(t *testing.T) {
	kept, err := sqlite.Open(t.Context(), sqlite.Config{Dir: emptyFolder(t)})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	ts := startServerWith(
		t, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}, room.Config{}, kept, fire{kept}, kept.Healthy,
	)
	a := ts.ask(t, http.MethodPost, "/api/session", `{"name":"Ada"}`)
	if p := decode[Problem](t, a); a.StatusCode != http.StatusInternalServerError || p.Code != chat.Internal ||
		strings.Contains(a.body, "fire") {
		t.Errorf("status %d: %s", a.StatusCode, a.body)
	}
	metrics := ts.ask(t, http.MethodGet, "/metrics", "").body
	if want := "parley_errors_total{code=\"internal\"} 1\n"; !strings.Contains(metrics, want) {
		t.Errorf("the metrics have no %s", want)
	}
	if err := ts.stop(); err != nil { // nothing writes to the logs from here on
		t.Error(err)
	}
	if got := log.String(); !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "disk on fire") {
		t.Errorf("log: %s", got)
	}
}

func TestHealthzReportsAFailedStore(t *testing.T) {
	kept, err := sqlite.Open(t.Context(), sqlite.Config{Dir: emptyFolder(t)})
	if err != nil {
		t.Fatal(err)
	}
	ill := func(context.Context) error { return errors.New("the disk is full") }
	ts := startServerWith(t, Config{}, room.Config{}, kept, kept, ill)
	a := ts.ask(t, http.MethodGet, "/healthz", "")
	if p := decode[Problem](t, a); a.StatusCode != http.StatusServiceUnavailable || p.Code != chat.Unavailable ||
		!strings.Contains(p.Detail, "the disk is full") {
		t.Errorf("status %d: %s", a.StatusCode, a.body)
	}
}

func TestHealthzDoesNotWaitForADiskThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := &Server{health: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		if _, err := s.healthz(t.Context(), nil); chat.CodeOf(err) != chat.Unavailable ||
			time.Since(start) > healthTimeout {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
