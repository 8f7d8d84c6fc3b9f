package httpdoor

import (
	"encoding/json"
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
	"time"

	"parley/internal/chat"
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
	documented := map[chat.Code]Error{}
	for _, m := range row.FindAllStringSubmatch(section, -1) {
		status := 0
		if m[2] != "" {
			if status, err = strconv.Atoi(m[2]); err != nil {
				t.Fatal(err)
			}
		}
		documented[chat.Code(m[1])] = Error{status, m[3], m[4]}
	}
	for _, code := range chat.Codes {
		if Errors[code].Means == "" {
			t.Errorf("%s has no word", code)
		}
		if documented[code] != Errors[code] {
			t.Errorf("%s is %v here and %v in the document", code, Errors[code], documented[code])
		}
	}
	if got, want := len(slices.Collect(maps.Keys(Errors))), len(chat.Codes); got != want ||
		len(documented) != want {
		t.Errorf("%d words, %d documented, %d codes", got, len(documented), want)
	}
}

func TestEveryCodeIsAProblem(t *testing.T) {
	d := &Door{cfg: Config{Counted: func(chat.Code) {}}, logger: slog.New(slog.DiscardHandler)}
	for _, code := range chat.Codes {
		w := httptest.NewRecorder()
		d.Refuse(
			w, httptest.NewRequest(http.MethodGet, "/", nil),
			fmt.Errorf(
				"somewhere: %w", &chat.Error{Code: code, Message: "Why <so>.", RetryAfter: 1500 * time.Microsecond},
			),
		)
		var p Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		status := Errors[code].Status
		if status == 0 {
			status = http.StatusInternalServerError
		}
		want := Problem{"/api/docs#" + string(code), Errors[code].title(), status, "Why <so>.", code, 2}
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
