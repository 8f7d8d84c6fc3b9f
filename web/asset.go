package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/andybalholm/brotli"
)

// An asset is one file, in the forms in which it is sent.
type asset struct {
	kind    string // media type
	plain   []byte
	brotli  func() []byte // compressed when first requested; nil if that is not smaller
	gzip    func() []byte // likewise, for clients without Brotli
	version string        // a strong validator, without quotes
}

// kinds does not depend on the machine, whose table of media types may differ.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".map":  "application/json",
	".svg":  "image/svg+xml",
	".png":  "image/png",
	".json": "application/manifest+json",
}

func newAsset(name string, content []byte) (asset, error) {
	kind, ok := kinds[path.Ext(name)]
	if !ok {
		return asset{}, fmt.Errorf("the page's %s: no media type for this extension", name)
	}
	return asset{
		kind: kind, plain: content, version: hash(content),
		brotli: sync.OnceValue(func() []byte { return compressed(content, brotliWriter) }),
		gzip:   sync.OnceValue(func() []byte { return compressed(content, gzipWriter) }),
	}, nil
}

// hash returns a short hash of contents, for URLs and validators.
func hash(contents ...[]byte) string {
	sum := sha256.New()
	for _, content := range contents {
		fmt.Fprintf(sum, "%d\n", len(content))
		sum.Write(content)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// The highest level of Brotli saves another tenth and takes twenty times as long.
func brotliWriter(w io.Writer) io.WriteCloser {
	return brotli.NewWriterLevel(w, brotli.DefaultCompression)
}

func gzipWriter(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }

// compressed returns nil if the result is not smaller than content.
func compressed(content []byte, writer func(io.Writer) io.WriteCloser) []byte {
	var b bytes.Buffer
	z := writer(&b)
	z.Write(content) // to memory: cannot fail
	z.Close()
	if b.Len() >= len(content) {
		return nil
	}
	return bytes.Clone(b.Bytes())
}

// serve sends the asset, compressed if the client accepts that. With status 200 it answers conditional and range
// requests as well.
func (a asset) serve(w http.ResponseWriter, r *http.Request, status int) {
	body, coding := a.form(r.Header)
	h, etag := w.Header(), a.version
	if coding != "" {
		etag += "-" + coding
		h.Set("Content-Encoding", coding)
	}
	h.Add("Vary", "Accept-Encoding")
	h.Set("ETag", `"`+etag+`"`)
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

// form returns the smallest form that the client accepts, with its content coding, which is empty for the plain one.
func (a asset) form(h http.Header) (body []byte, coding string) {
	if accepts(h, "br") {
		if body := a.brotli(); body != nil {
			return body, "br"
		}
	}
	if accepts(h, "gzip") {
		if body := a.gzip(); body != nil {
			return body, "gzip"
		}
	}
	return a.plain, ""
}

// accepts reports whether the client accepts a content coding.
func accepts(h http.Header, coding string) bool {
	for accepted := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		name, params, _ := strings.Cut(accepted, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		q, weighted := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		weight, err := strconv.ParseFloat(q, 64)
		return !weighted || err == nil && weight > 0
	}
	return false
}
