// Package web holds the page: HTML, CSS and JavaScript. It makes few small files of them while the server runs, so
// whoever changes the page needs no build step. Start reading at New; the page itself starts in js/main.js.
//
// It knows nothing of rooms, people or sockets: the server decides which address shows the page.
package web

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed index.html css js icons
var files embed.FS

// prefix is the path of assets. index.html uses it with the paths of the files as they were written.
const prefix = "/assets/"

// buildMeta is where index.html names its build, in quotes.
const buildMeta = `<meta name="build" content=`

// policy lets the page load only embedded files and use only the server that it came from. Strings
// become markup only in the Trusted Types policy of safe-html.js.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types parley"

// A Site serves the page.
type Site struct {
	built func() (*build, error)
}

// Build returns the name of the page's build: a hash of its files. Pages compare it with their own, to know that the
// server has another one.
func (*Site) Build() string { return nameOnce() }

// nameOnce names the embedded page, once for the whole program. The files cannot fail to be read.
var nameOnce = sync.OnceValue(func() string {
	contents, err := contentsOf(files, ".")
	if err != nil {
		panic(err)
	}
	return hash(contents...)
})

// A build is the page as it is served.
type build struct {
	index  asset            // index.html with the URLs of the assets
	assets map[string]asset // by what follows the prefix in the URL
	first  []string         // the assets that every visit loads at once
	worker asset            // the service worker
}

// builtOnce builds the embedded page, once for the whole program.
var builtOnce = sync.OnceValues(func() (*build, error) { return newBuild(files) })

// New returns the embedded page. It is built by Run, or by the first request if that comes first.
func New() *Site { return &Site{built: builtOnce} }

// buildDelay is how long Run waits, so that the server starts first. One that runs only for a moment, as in scripts,
// builds no page that nobody asks for.
const buildDelay = 500 * time.Millisecond

// Run builds the page and compresses what every visit loads, if no request has come before. Then it waits until ctx
// ends.
func (s *Site) Run(ctx context.Context) error {
	select {
	case <-time.After(buildDelay):
	case <-ctx.Done():
		return nil
	}
	b, err := s.built()
	if err != nil {
		return err
	}
	b.index.brotli()
	for _, name := range b.first {
		b.assets[name].brotli()
	}
	<-ctx.Done()
	return nil
}

// newBuild bundles the modules and styles that index.html names. All other files are served as they are, below a hash
// of them all, so that the content of a URL never changes.
func newBuild(files fs.FS) (*build, error) {
	index, err := fs.ReadFile(files, "index.html")
	if err != nil {
		return nil, err
	}
	s := &build{assets: map[string]asset{}}
	named := namesIn(index)
	bundled, err := newBundle(files, scriptsAndStyles(named))
	if err != nil {
		return nil, fmt.Errorf("bundle the page: %w", err)
	}
	for name, content := range bundled.files {
		if s.assets[name], err = newAsset(name, content); err != nil {
			return nil, err
		}
	}
	icons, err := s.addIcons(files)
	if err != nil {
		return nil, err
	}
	for _, name := range named {
		served, ok := bundled.entries[name]
		if !ok {
			served = icons + "/" + name
		}
		if _, ok := s.assets[served]; !ok {
			return nil, fmt.Errorf("index.html names %s, which does not exist", name)
		}
		index = bytes.ReplaceAll(index, []byte(`"`+prefix+name+`"`), []byte(`"`+prefix+served+`"`))
		s.first = append(s.first, served)
	}
	contents, err := contentsOf(files, ".")
	if err != nil {
		return nil, err
	}
	name := hash(contents...)
	index = bytes.Replace(index, []byte(buildMeta+`""`), []byte(buildMeta+`"`+name+`"`), 1)
	if s.index, err = newAsset("index.html", index); err != nil {
		return nil, err
	}
	s.worker, err = newWorker(files, name, slices.Sorted(maps.Keys(s.assets)))
	return s, err
}

// namesIn returns the paths of the assets that index.html names, each once.
func namesIn(index []byte) []string {
	var names []string
	for _, part := range strings.Split(string(index), `"`+prefix)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		names = append(names, name)
	}
	return names
}

func scriptsAndStyles(names []string) []string {
	var found []string
	for _, name := range names {
		if ext := path.Ext(name); ext == ".js" || ext == ".css" {
			found = append(found, name)
		}
	}
	return found
}

// addIcons adds the files of the icons folder and returns the hash of them all, below which they are served.
func (s *build) addIcons(files fs.FS) (string, error) {
	contents, err := contentsOf(files, "icons")
	if err != nil {
		return "", err
	}
	sum := hash(contents...)
	for file := range slices.Chunk(contents, 2) {
		name := string(file[0])
		if s.assets[sum+"/"+name], err = newAsset(name, file[1]); err != nil {
			return "", err
		}
	}
	return sum, nil
}

// contentsOf returns the path and the content of each file in a folder, one after the other.
func contentsOf(files fs.FS, folder string) ([][]byte, error) {
	var contents [][]byte
	err := fs.WalkDir(files, folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		contents = append(contents, []byte(name), content)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the page's files: %w", err)
	}
	return contents, nil
}

// Assets serves everything below /assets/. The URL of a file contains a hash of its content, so browsers may keep it
// for ever. The URLs of another build are not found.
func (s *Site) Assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Method not allowed.", http.StatusMethodNotAllowed)
			return
		}
		b, ok := s.buildFor(w)
		if !ok {
			return
		}
		a, ok := b.assets[strings.TrimPrefix(r.URL.Path, prefix)]
		if !ok {
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
	b, ok := s.buildFor(w)
	if !ok {
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), browsing-topics=()")
	b.index.serve(w, r, status)
}

// ServeWorker serves the service worker. Browsers look for a new one at each visit.
func (s *Site) ServeWorker(w http.ResponseWriter, r *http.Request) {
	b, ok := s.buildFor(w)
	if !ok {
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; connect-src 'self'")
	b.worker.serve(w, r, http.StatusOK)
}

// buildFor returns the build, or answers that there is none. Run returns why.
func (s *Site) buildFor(w http.ResponseWriter) (*build, bool) {
	b, err := s.built()
	if err != nil {
		http.Error(w, "The page could not be built.", http.StatusInternalServerError)
		return nil, false
	}
	return b, true
}
