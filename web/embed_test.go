package web

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"
)

func newSite(t *testing.T) *Site {
	t.Helper()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// get requests target from h; header has pairs of names and values.
func get(h http.Handler, target string, header ...string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func (s *Site) page(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.ServeIndex(w, r, status) })
}

func read(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var assetURL = regexp.MustCompile(`(?:src|href)="(/assets/[^"]+)"`)

func TestEveryAddressInThePageIsServedForGood(t *testing.T) {
	s := newSite(t)
	page := read(t, get(s.page(http.StatusOK), "/"))
	urls := assetURL.FindAllStringSubmatch(page, -1)
	if len(urls) < 5 {
		t.Fatalf("the page names %d assets", len(urls))
	}
	for _, m := range urls {
		r := get(s.Assets(), m[1])
		if r.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", m[1], r.StatusCode)
		}
		if got := r.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
			t.Errorf("%s: Cache-Control %q", m[1], got)
		}
		if got := r.Header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("%s: X-Content-Type-Options %q", m[1], got)
		}
		if again := get(s.Assets(), m[1], "If-None-Match",
			r.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s again: status %d", m[1], again.StatusCode)
		}
	}
}

func TestThePageIsAskedForEachTimeAndIsLockedDown(t *testing.T) {
	s := newSite(t)
	r := get(s.page(http.StatusOK), "/r/lobby", "Accept-Encoding", "br, gzip;q=0.8")
	want := map[string]string{
		"Cache-Control":    "no-cache",
		"Content-Encoding": "gzip",
		"Content-Type":     "text/html; charset=utf-8",
		"Referrer-Policy":  "same-origin",
		"Vary":             "Accept-Encoding",
	}
	for name, value := range want {
		if got := r.Header.Get(name); got != value {
			t.Errorf("%s = %q, want %q", name, got, value)
		}
	}
	csp := r.Header.Get("Content-Security-Policy")
	for _, part := range []string{
		"default-src 'none'", "script-src 'self';", "style-src 'self';", "require-trusted-types-for 'script'",
	} {
		if !strings.Contains(csp, part) {
			t.Errorf("Content-Security-Policy without %s: %s", part, csp)
		}
	}
	if strings.Contains(csp, "unsafe") {
		t.Errorf("Content-Security-Policy allows something unsafe: %s", csp)
	}
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || !strings.Contains(string(b), "<!doctype html>") {
		t.Errorf("what is inside the gzip is no page: %.60q, %v", b, err)
	}
	if again := get(s.page(http.StatusOK), "/", "Accept-Encoding", "gzip", "If-None-Match",
		r.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("the page again: status %d", again.StatusCode)
	}
	if refused := get(s.page(http.StatusBadRequest), "/r/%20"); refused.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d, want the one asked for", refused.StatusCode)
	}
	if plain := get(s.page(http.StatusOK), "/", "Accept-Encoding",
		"gzip;q=0"); plain.Header.Get("Content-Encoding") != "" {
		t.Error("gzip for a client that refuses it")
	}
}

func TestFilesAnswerConditionsAndRanges(t *testing.T) {
	s := newSite(t)
	url := prefix + s.hash + "/js/main.js"
	plain, zipped := s.assets["js/main.js"].plain, s.assets["js/main.js"].zipped()
	tag := `"` + s.assets["js/main.js"].version
	tests := map[string]struct {
		header  []string
		status  int
		content string // of Content-Range
		body    []byte
	}{
		"all":                  {status: 200, body: plain},
		"all, compressed":      {header: []string{"Accept-Encoding", "gzip, br"}, status: 200, body: zipped},
		"the same":             {header: []string{"If-None-Match", "\"x\", W/" + tag + `"`}, status: 304},
		"anything":             {header: []string{"If-None-Match", "*"}, status: 304},
		"the other form's tag": {header: []string{"If-None-Match", tag + `-gz"`}, status: 200, body: plain},
		"by date": {
			header: []string{"If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"}, status: 200, body: plain,
		},
		"a part": {
			header: []string{"Range", "bytes=2-5"}, status: 206, body: plain[2:6],
			content: fmt.Sprintf("bytes 2-5/%d", len(plain)),
		},
		"a part, compressed": {
			header: []string{"Range", "bytes=-3", "Accept-Encoding", "gzip"}, status: 206, body: zipped[len(zipped)-3:],
			content: fmt.Sprintf("bytes %d-%d/%d", len(zipped)-3, len(zipped)-1, len(zipped)),
		},
		"a part, if still the same": {
			header: []string{"Range", "bytes=0-0", "If-Range", tag + `"`}, status: 206, body: plain[:1],
			content: fmt.Sprintf("bytes 0-0/%d", len(plain)),
		},
		"a part of another form": {
			header: []string{"Range", "bytes=0-0", "If-Range", tag + `-gz"`}, status: 200, body: plain,
		},
		"beyond the end": {
			header: []string{"Range", "bytes=99999999-"}, status: 416, content: fmt.Sprintf("bytes */%d", len(plain)),
		},
		"only another form": {header: []string{"If-Match", tag + `-gz"`}, status: 412},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := get(s.Assets(), url, tt.header...)
			if r.StatusCode != tt.status || r.Header.Get("Content-Range") != tt.content {
				t.Fatalf("status %d, want %d: %v", r.StatusCode, tt.status, r.Header)
			}
			if body := read(t, r); r.StatusCode < 400 && body != string(tt.body) {
				t.Errorf("%d bytes, want %d", len(body), len(tt.body))
			}
		})
	}
}

// An error is the page with another status: a condition or a range must not make a success of it.
func TestAPageThatIsAnErrorIgnoresConditionsAndRanges(t *testing.T) {
	s := newSite(t)
	whole := read(t, get(s.page(http.StatusOK), "/"))
	for _, header := range [][]string{{"If-None-Match", "*"}, {"Range", "bytes=0-9"}, {"If-Match", `"x"`}} {
		r := get(s.page(http.StatusNotFound), "/nothing", header...)
		if body := read(t, r); r.StatusCode != http.StatusNotFound || body != whole {
			t.Errorf("%v: status %d, %d bytes", header, r.StatusCode, len(body))
		}
		if r.Header.Get("Accept-Ranges") != "" || !strings.Contains(r.Header.Get("Content-Type"), "text/html") {
			t.Errorf("%v: %v", header, r.Header)
		}
	}
}

func TestLazyModulesAreServedButNotPreloaded(t *testing.T) {
	s := newSite(t)
	page := read(t, get(s.page(http.StatusOK), "/"))
	for name, preloaded := range map[string]bool{
		"js/main.js": true, "js/ui/dom.js": true, "js/lang/en.js": true, "js/lang/de.js": false,
		"js/shell/front-page.js": false, "js/shell/room-names.js": false, "js/talk/message-actions.js": false,
	} {
		url := prefix + s.hash + "/" + name
		if got := strings.Contains(page, `rel="modulepreload" href="`+url); got != preloaded {
			t.Errorf("%s: preloaded = %v, want %v", name, got, preloaded)
		}
		if r := get(s.Assets(), url); r.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", name, r.StatusCode)
		}
	}
}

func TestAnotherHashIsNotFound(t *testing.T) {
	s := newSite(t)
	for _, target := range []string{
		"/assets/0123456789abcdef/js/main.js", "/assets/js/main.js", "/assets/", "/assets/" + s.hash + "/index.html",
		"/assets/" + s.hash + "/js/../embed.go",
	} {
		r := get(s.Assets(), target)
		if r.StatusCode != http.StatusNotFound || r.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: status %d, Cache-Control %q", target, r.StatusCode, r.Header.Get("Cache-Control"))
		}
	}
}

func TestEveryImportIsOneLineThatNamesAFile(t *testing.T) {
	s := newSite(t)
	statement := regexp.MustCompile(`(?m)^\s*import[\s{*"]`) // not import()
	for name, a := range s.assets {
		found := imports(a.plain)
		if n := len(statement.FindAll(a.plain, -1)); strings.HasSuffix(name, ".js") && n != len(found) {
			t.Errorf("%s: %d lines begin like an import, %d are understood", name, n, len(found))
		}
		for _, imported := range found {
			if _, ok := s.assets[path.Join(path.Dir(name), imported)]; !ok {
				t.Errorf("%s imports %s, which is not there", name, imported)
			}
		}
	}
}

// The first load is what a first visit loads at once (firstOf in embed.go): the page itself, its
// styles, icon and manifest, and the modules that are not left to import().
func TestFirstLoadWeighsLessThan120KB(t *testing.T) {
	s := newSite(t)
	weigh := func(a asset) int {
		if zipped := a.zipped(); zipped != nil {
			return len(zipped)
		}
		return len(a.plain)
	}
	total := weigh(s.index)
	for _, name := range s.first {
		total += weigh(s.assets[name])
	}
	t.Logf("%d bytes compressed in %d files", total, len(s.first)+1)
	if total >= 120_000 {
		t.Errorf("the first load weighs %d bytes compressed", total)
	}
}
