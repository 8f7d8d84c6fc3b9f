package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/andybalholm/brotli"
)

// built returns the embedded page.
func built(t *testing.T) *build {
	t.Helper()
	b, err := builtOnce()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// firstWith returns the last of the first assets with an extension.
func (b *build) firstWith(t *testing.T, ext string) string {
	t.Helper()
	for _, name := range slices.Backward(b.first) {
		if path.Ext(name) == ext {
			return name
		}
	}
	t.Fatalf("no %s among %v", ext, b.first)
	return ""
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
	s := New()
	page := read(t, get(s.page(http.StatusOK), "/"))
	urls := assetURL.FindAllStringSubmatch(page, -1)
	if len(urls) < 4 {
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
	s := New()
	r := get(s.page(http.StatusOK), "/r/lobby", "Accept-Encoding", "gzip;q=0.8")
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
	small := get(s.page(http.StatusOK), "/r/lobby", "Accept-Encoding", "gzip, br")
	if b, err := io.ReadAll(brotli.NewReader(small.Body)); err != nil || small.Header.Get("Content-Encoding") != "br" ||
		!strings.Contains(string(b), "<!doctype html>") {
		t.Errorf("what is inside the Brotli is no page: %.60q, %v", b, err)
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
	s, b := New(), built(t)
	name := b.firstWith(t, ".css")
	url, a := prefix+name, b.assets[name]
	plain, zipped, brotli, tag := a.plain, a.gzip(), a.brotli(), `"`+a.version
	tests := map[string]struct {
		header  []string
		status  int
		content string // of Content-Range
		body    []byte
	}{
		"all":                  {status: 200, body: plain},
		"all, compressed":      {header: []string{"Accept-Encoding", "gzip, deflate"}, status: 200, body: zipped},
		"all, in Brotli":       {header: []string{"Accept-Encoding", "gzip, br"}, status: 200, body: brotli},
		"Brotli refused":       {header: []string{"Accept-Encoding", "br;q=0, gzip"}, status: 200, body: zipped},
		"the same":             {header: []string{"If-None-Match", "\"x\", W/" + tag + `"`}, status: 304},
		"anything":             {header: []string{"If-None-Match", "*"}, status: 304},
		"the other form's tag": {header: []string{"If-None-Match", tag + `-gzip"`}, status: 200, body: plain},
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
			header: []string{"Range", "bytes=0-0", "If-Range", tag + `-gzip"`}, status: 200, body: plain,
		},
		"beyond the end": {
			header: []string{"Range", "bytes=99999999-"}, status: 416, content: fmt.Sprintf("bytes */%d", len(plain)),
		},
		"only another form": {header: []string{"If-Match", tag + `-gzip"`}, status: 412},
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
	s := New()
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

// What the page loads by itself before the first message is one file; what it loads by import() is not in it.
func TestModulesOfTheFirstMessageAreOneFile(t *testing.T) {
	b := built(t)
	var modules []string
	for _, name := range b.first {
		if path.Ext(name) == ".js" {
			modules = append(modules, name)
		}
	}
	if len(modules) != 2 {
		t.Fatalf("the page begins with the modules %v, want reload.js and all others in one", modules)
	}
	page := read(t, get(New().page(http.StatusOK), "/"))
	for i, attributes := range []string{"", `type="module" `} {
		if !strings.Contains(page, "<script "+attributes+`src="`+prefix+modules[i]+`"`) {
			t.Errorf("the page does not start %s", modules[i])
		}
	}
	if loads := regexp.MustCompile(`\b(import|export)\b`).Find(b.assets[modules[0]].plain); loads != nil {
		t.Errorf("%s is no module, but has %s", modules[0], loads)
	}
	for file, first := range map[string]bool{
		"js/main.js": true, "js/ui/dom.js": true, "js/lang/en.js": true, "js/lang/de.js": false,
		"js/shell/front-page.js": false, "js/shell/room-names.js": false, "js/talk/message-actions.js": false,
	} {
		if got := slices.Contains(sources(t, b, modules[1]), file); got != first {
			t.Errorf("%s is loaded at once: %v, want %v", file, got, first)
		}
	}
}

// sources returns the modules that are in an asset.
func sources(t *testing.T, b *build, name string) []string {
	t.Helper()
	var m struct{ Sources []string }
	if err := json.Unmarshal(b.assets[name+".map"].plain, &m); err != nil {
		t.Fatalf("the source map of %s: %v", name, err)
	}
	for i, source := range m.Sources {
		m.Sources[i] = strings.TrimPrefix(source, inFiles+":")
	}
	return m.Sources
}

// A browser's tools find the modules as they were written.
func TestEveryModuleIsInOneSourceMap(t *testing.T) {
	b := built(t)
	times := map[string]int{}
	for name, a := range b.assets {
		if path.Ext(name) != ".js" {
			continue
		}
		if comment := "//# sourceMappingURL=" + name + ".map\n"; !strings.HasSuffix(string(a.plain), comment) {
			t.Errorf("%s does not name its source map", name)
		}
		for _, source := range sources(t, b, name) {
			times[source]++
		}
	}
	err := fs.WalkDir(files, "js", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && times[name] > 1 {
			t.Errorf("%s is in %d files: the page would have it several times", name, times[name])
		}
		return err
	})
	if err != nil || times["js/wire/protocol.js"] != 1 {
		t.Errorf("%d modules, protocol.js %d times: %v", len(times), times["js/wire/protocol.js"], err)
	}
}

func TestTheSameFilesMakeTheSameBuild(t *testing.T) {
	one := built(t)
	other, err := newBuild(files)
	if err != nil {
		t.Fatal(err)
	}
	if one.index.version != other.index.version || !slices.Equal(one.first, other.first) {
		t.Errorf("%v and %v", one.first, other.first)
	}
	for name, a := range one.assets {
		if !bytes.Equal(a.plain, other.assets[name].plain) {
			t.Errorf("%s differs", name)
		}
	}
}

// A change in a late module changes its name, and with it what names it.
func TestAChangeChangesTheNamesOfFiles(t *testing.T) {
	before := built(t)
	changed := fstest.MapFS{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if name == "js/lang/de.js" {
			content = append(bytes.Clone(content), "\nconsole.log();"...)
		}
		changed[name] = &fstest.MapFile{Data: content}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	after, err := newBuild(changed)
	if err != nil {
		t.Fatal(err)
	}
	for i, kind := range map[int]string{0: "reload", 1: "icon", 2: "Apple's icon", 3: "manifest", 4: "styles"} {
		if before.first[i] != after.first[i] {
			t.Errorf("%s: %s became %s without need", kind, before.first[i], after.first[i])
		}
	}
	if main := before.firstWith(t, ".js"); main == after.firstWith(t, ".js") ||
		before.index.version == after.index.version {
		t.Errorf("%s names a file that does not exist any more", main)
	}
}

func TestAPageThatCannotBeBuiltSaysWhy(t *testing.T) {
	page := func(index, main string) fstest.MapFS {
		return fstest.MapFS{
			"index.html":       {Data: []byte(index)},
			"js/main.js":       {Data: []byte(main)},
			"icons/parley.svg": {Data: []byte("<svg/>")},
			"js/there.js":      {Data: []byte("export const y = 1;")},
			workerModule:       {Data: []byte("console.log(BUILD, FILES);")},
		}
	}
	const index = `<html><head><script src="/assets/js/main.js"></script></head>`
	tests := map[string]struct {
		files fs.FS
		want  string // in the error; "" if there is none
	}{
		"all is there":       {files: page(index, `import("./main.js")`)},
		"no module":          {files: page(index, `import "./other.js"`), want: "other.js"},
		"no late module":     {files: page(index, `import("./other.js")`), want: "other.js"},
		"no export":          {files: page(index, `import { x } from "./there.js"; x()`), want: "main.js:1"},
		"a mistake":          {files: page(index, `const = 1`), want: "main.js:1"},
		"no icon":            {files: page(`<a href="/assets/icons/a.svg">`+index, ""), want: "icons/a.svg"},
		"no entry":           {files: page(`<a href="/assets/js/a.js">`+index, ""), want: "js/a.js"},
		"unknown media type": {files: fstest.MapFS{"index.html": {}, "icons/a.exe": {}}, want: "icons/a.exe"},
		"no page":            {files: fstest.MapFS{}, want: "index.html"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b, err := newBuild(tt.files)
			if tt.want == "" {
				if err != nil || len(b.first) == 0 {
					t.Fatalf("%v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want one about %s", err, tt.want)
			}
		})
	}
}

// The worker holds every file that a page loads, and none twice: not the source maps and the images of installers.
func TestTheServiceWorkerNamesItsBuildAndAllFiles(t *testing.T) {
	b := built(t)
	r := get(http.HandlerFunc(New().ServeWorker), "/sw.js")
	if r.StatusCode != http.StatusOK || r.Header.Get("Cache-Control") != "no-cache" ||
		!strings.Contains(r.Header.Get("Content-Type"), "javascript") {
		t.Fatalf("status %d: %v", r.StatusCode, r.Header)
	}
	worker := read(t, r)
	if !strings.Contains(worker, `"`+New().Build()+`"`) {
		t.Error("the worker does not name its build")
	}
	for name := range b.assets {
		want := 1
		if ext := path.Ext(name); ext == ".map" || ext == ".png" {
			want = 0
		}
		if got := strings.Count(worker, `"`+prefix+name+`"`); got != want {
			t.Errorf("the worker names %s %d times, want %d", name, got, want)
		}
	}
}

func TestAServerWithoutAPageEnds(t *testing.T) {
	broken := errors.New("broken")
	s := &Site{built: func() (*build, error) { return nil, broken }}
	synctest.Test(t, func(t *testing.T) {
		if got := s.Run(t.Context()); got != broken {
			t.Errorf("Run: %v", got)
		}
	})
	for _, h := range []http.Handler{s.page(http.StatusOK), s.Assets()} {
		if r := get(h, prefix+"x"); r.StatusCode != http.StatusInternalServerError {
			t.Errorf("status %d", r.StatusCode)
		}
	}
}

func TestThePageIsBuiltSoonButNotForAServerThatEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		runs  time.Duration
		built int
	}{"a script's server": {buildDelay - 1, 0}, "a server": {buildDelay + 1, 1}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				times := 0
				s := &Site{built: func() (*build, error) { times++; return builtOnce() }}
				ctx, cancel := context.WithTimeout(t.Context(), tt.runs)
				defer cancel()
				if err := s.Run(ctx); err != nil || times != tt.built {
					t.Errorf("built %d times, want %d: %v", times, tt.built, err)
				}
			})
		})
	}
}

func TestAnotherHashIsNotFound(t *testing.T) {
	s := New()
	for _, target := range []string{
		"/assets/main-ABCDEFGH.js", "/assets/js/main.js", "/assets/", "/assets/index.html",
		"/assets/0123456789abcdef/icons/parley.svg", "/assets/icons/../embed.go",
	} {
		r := get(s.Assets(), target)
		if r.StatusCode != http.StatusNotFound || r.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: status %d, Cache-Control %q", target, r.StatusCode, r.Header.Get("Cache-Control"))
		}
	}
}

// The first load is what a visit loads at once: the page itself, its styles, icon and manifest, and the modules that
// are not left to import(). The limit is for the whole way to a room (first-load.spec.js in test/e2e); this is most of
// it.
func TestFirstLoadIsSmall(t *testing.T) {
	b := built(t)
	weigh := func(a asset) int {
		body, _ := a.form(http.Header{"Accept-Encoding": {"br"}})
		return len(body)
	}
	total, requests := weigh(b.index), 1
	for _, name := range b.first {
		if path.Ext(name) != ".png" { // which only installers load
			total, requests = total+weigh(b.assets[name]), requests+1
		}
	}
	t.Logf("%d bytes compressed in %d files", total, requests)
	if total >= 80_000 || requests > 6 {
		t.Errorf("the first load weighs %d bytes compressed, in %d files", total, requests)
	}
}

func TestInstallersFindIcons(t *testing.T) {
	b := built(t)
	page := read(t, get(New().page(http.StatusOK), "/"))
	m := regexp.MustCompile(`rel="manifest" href="(/assets/[^"]+)"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the page names no manifest")
	}
	var manifest struct {
		Icons []struct{ Src, Sizes, Type, Purpose string }
	}
	if err := json.Unmarshal([]byte(read(t, get(New().Assets(), m[1]))), &manifest); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"192x192": false, "512x512": false, "192x192 maskable": false, "512x512 maskable": false}
	for _, icon := range manifest.Icons {
		a, ok := b.assets[strings.TrimPrefix(path.Join(path.Dir(m[1]), icon.Src), prefix)]
		if !ok || a.kind != icon.Type {
			t.Errorf("%s: there is none of type %s", icon.Src, icon.Type)
			continue
		}
		if path.Ext(icon.Src) != ".png" {
			continue
		}
		size, err := png.DecodeConfig(bytes.NewReader(a.plain))
		if got := fmt.Sprintf("%dx%d", size.Width, size.Height); err != nil || got != icon.Sizes {
			t.Errorf("%s is %s, not %s: %v", icon.Src, got, icon.Sizes, err)
		}
		want[strings.TrimSpace(icon.Sizes+" "+icon.Purpose)] = true
	}
	for sizes, found := range want {
		if !found {
			t.Errorf("no icon of %s", sizes)
		}
	}
}
