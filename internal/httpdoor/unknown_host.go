package httpdoor

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"strings"
	"sync"
)

//go:embed unknown_host.html
var hostHTML string

// hostPage is the page for a person who asked for a host that is not ours. It
// has no script and fetches nothing.
var hostPage = sync.OnceValue(func() *template.Template { return template.Must(template.New("host").Parse(hostHTML)) })

// writeHostPage answers with that page.
func writeHostPage(w http.ResponseWriter, host string) {
	flag := host
	if _, ok := CanonicalName(host); !ok {
		flag = "chat.example.org" // what was asked for is no name at all
	}
	var page bytes.Buffer
	if err := hostPage().Execute(&page,
		map[string]any{"Host": host, "Flag": flag, "Style": template.CSS(PlainCSS)}); err != nil {
		panic(err) // the template takes any two strings
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", PlainPolicy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusMisdirectedRequest)
	w.Write(page.Bytes()) // the client may be gone; nobody is left to tell
}

// WantsPage reports whether it is a person in a browser who asks, and not a
// program.
func WantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html") &&
		(r.Method == http.MethodGet || r.Method == http.MethodHead)
}
