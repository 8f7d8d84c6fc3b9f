// Package web holds the page: HTML, CSS and JavaScript as they are served, without a build step.
// Start reading at New; the page itself starts in js/main.js.
//
// It knows nothing of rooms, people or sockets: the server decides which address shows the page.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed index.html css js icons
var files embed.FS

// prefix is the path of assets. index.html uses it without the hash.
const prefix = "/assets/"

// policy lets the page load only embedded files and use only the server that it came from. Strings
// become markup only in the Trusted Types policy of safe-html.js.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types parley"

// A Site is the page, ready to be served.
type Site struct {
	hash   string           // hash of all files: part of each asset's URL, so that the content of a URL never changes
	index  asset            // index.html with hashed URLs and a preload for each of the first modules
	assets map[string]asset // by path, such as "js/main.js"
	first  []string         // the assets that every visit loads at once
}

// An asset is one file, in the two forms in which it is sent.
type asset struct {
	kind    string // media type
	plain   []byte
	zipped  func() []byte // compressed when first requested; nil if that is not smaller
	version string        // a strong validator, without quotes
}

// New reads the embedded files. It compresses none of them, because compressing all takes longer
// than the rest of the server's start.
func New() (*Site, error) {
	s := &Site{assets: map[string]asset{}}
	var names []string
	sum := sha256.New()
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s %d\n", name, len(content))
		sum.Write(content)
		names = append(names, name)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("walk the page's files: %w", err)
	}
	s.hash = hex.EncodeToString(sum.Sum(nil)[:8])
	for _, name := range names {
		content, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read the page's %s: %w", name, err)
		}
		if name == "index.html" {
			if s.first, err = firstOf(content); err != nil {
				return nil, err
			}
			content = s.rewrite(content)
		}
		a, err := newAsset(name, content)
		if err != nil {
			return nil, err
		}
		if name == "index.html" {
			s.index = a
		} else {
			s.assets[name] = a
		}
	}
	return s, nil
}

// firstOf returns what a visit loads at once: the assets that index.html names, and the modules
// that these import. Modules that are loaded by import(), and those that only they import, such as
// languages and dialogs, are loaded when they are needed.
func firstOf(index []byte) ([]string, error) {
	var first []string
	for _, part := range strings.Split(string(index), `"`+prefix)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		first = append(first, name)
	}
	for i := 0; i < len(first); i++ { // first grows in the loop
		if path.Ext(first[i]) != ".js" {
			continue
		}
		content, err := files.ReadFile(first[i])
		if err != nil {
			return nil, fmt.Errorf("read the page's %s: %w", first[i], err)
		}
		for _, name := range imports(content) {
			if name = path.Join(path.Dir(first[i]), name); !slices.Contains(first, name) {
				first = append(first, name)
			}
		}
	}
	return first, nil
}

// imports returns the addresses that a module imports. Each import is one line.
func imports(module []byte) []string {
	var names []string
	for line := range strings.Lines(string(module)) {
		if !strings.HasPrefix(line, "import ") {
			continue
		}
		if parts := strings.Split(line, `"`); len(parts) == 3 {
			names = append(names, parts[1])
		}
	}
	return names
}

// rewrite puts the hash into index.html's URLs, and adds preloads of the first modules, so that the
// browser loads them at once and not import by import.
func (s *Site) rewrite(index []byte) []byte {
	var links strings.Builder
	for _, name := range s.first {
		if path.Ext(name) == ".js" {
			fmt.Fprintf(&links, "  <link rel=\"modulepreload\" href=\"%s%s\">\n", prefix, name)
		}
	}
	index = bytes.Replace(index, []byte("</head>"), []byte(links.String()+"</head>"), 1)
	return bytes.ReplaceAll(index, []byte(`"`+prefix), []byte(`"`+prefix+s.hash+"/"))
}

// kinds does not depend on the machine, whose table of media types may differ.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".png":  "image/png",
	".json": "application/manifest+json",
}

func newAsset(name string, content []byte) (asset, error) {
	kind, ok := kinds[path.Ext(name)]
	if !ok {
		return asset{}, fmt.Errorf("the page's %s: no media type for this extension", name)
	}
	sum := sha256.Sum256(content)
	return asset{
		kind: kind, plain: content, version: hex.EncodeToString(sum[:8]),
		zipped: sync.OnceValue(func() []byte { return zip(content) }),
	}, nil
}

// zip compresses content with gzip. It returns nil if the result is not smaller.
func zip(content []byte) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil { // only for an unknown level
		panic(err)
	}
	z.Write(content) // to memory: cannot fail
	z.Close()
	if b.Len() >= len(content) {
		return nil
	}
	return b.Bytes()
}

// Assets serves everything below /assets/. The URL contains the hash of all files, so browsers may
// keep a file for ever; any other hash is not found.
func (s *Site) Assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Method not allowed.", http.StatusMethodNotAllowed)
			return
		}
		name, ok := strings.CutPrefix(r.URL.Path, prefix+s.hash+"/")
		a, found := s.assets[name]
		if !ok || !found {
			w.Header().Set("Cache-Control", "no-cache")
			http.Error(w, "Not found.", http.StatusNotFound)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
		a.serve(w, r, http.StatusOK)
	})
}

// ServeIndex serves the page, which decides by its own address what to show. The status is for
// programs: 400 for an impossible room name, for example.
func (s *Site) ServeIndex(w http.ResponseWriter, r *http.Request, status int) {
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), browsing-topics=()")
	s.index.serve(w, r, status)
}

// serve sends the asset, compressed if the client accepts that. With status 200 it answers conditional
// and range requests as well.
func (a asset) serve(w http.ResponseWriter, r *http.Request, status int) {
	h := w.Header()
	body, etag := a.plain, `"`+a.version+`"`
	if zipped := a.zipped(); zipped != nil {
		h.Add("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header) {
			body, etag = zipped, `"`+a.version+`-gz"`
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("ETag", etag)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Type", a.kind)
	if status != http.StatusOK { // ServeContent has no other status
		h.Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		w.Write(body) // after an error there is nobody to report it to
		return
	}
	// Embedded files have no time of change. Clients compare the ETag.
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func acceptsGzip(h http.Header) bool {
	for coding := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		name, params, _ := strings.Cut(coding, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		q, weighted := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		weight, err := strconv.ParseFloat(q, 64)
		return !weighted || err == nil && weight > 0
	}
	return false
}
