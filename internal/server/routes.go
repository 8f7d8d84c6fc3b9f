package server

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/rest"
)

// writeTimeout is how long an answer may take to be taken. Connections that
// stay open have rules of their own.
const writeTimeout = time.Minute

// routes returns the handler of all addresses.
func (s *Server) routes() http.Handler {
	mux := &router{ServeMux: http.NewServeMux()}

	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /r/{room...}", s.room)
	mux.Handle("/assets/", s.site.Assets())
	mux.HandleFunc("GET /sw.js", s.site.ServeWorker)

	mux.HandleFunc("GET /ws", s.ws)
	mux.HandleFunc("GET /chatroom/{room...}", s.chatroom)
	if s.cfg.DebugEcho {
		mux.HandleFunc("GET /debug/echo", s.echo)
	}
	mux.HandleFunc("GET /api/rooms/{room}/events", withoutTimeout(s.roomSSE))
	mux.HandleFunc("GET /api/rooms/{room}/text", withoutTimeout(s.roomText))
	s.rest.Routes(mux)
	if s.cfg.MetricsListen == "" {
		mux.Handle("GET /metrics", s.metrics.handler())
	}

	nowhere := s.noRoute(mux.ServeMux)
	mux.HandleFunc("/api/", nowhere)
	mux.HandleFunc("/", s.notFound(nowhere))
	return s.headers(s.door.KnownHosts(s.door.CORS(mux.methods, s.door.Scoped(mux))))
}

// A router is a ServeMux that knows the methods of its routes.
type router struct {
	*http.ServeMux
	methods []string // each once, in alphabetical order
}

// Handle adds a route.
func (m *router) Handle(pattern string, h http.Handler) {
	if method, _, named := strings.Cut(pattern, " "); named {
		if i, known := slices.BinarySearch(m.methods, method); !known {
			m.methods = slices.Insert(m.methods, i, method)
		}
	}
	m.ServeMux.Handle(pattern, h)
}

// HandleFunc adds a route.
func (m *router) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	m.Handle(pattern, http.HandlerFunc(h))
}

// headers sets what holds for every answer. It leaves w as it is, so that
// connections can be hijacked.
func (s *Server) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		if s.draining.Load() {
			h.Set("Connection", "close") // so that no proxy sends a request on a connection that is about to end
		}
		name, _, named := httpdoor.SplitHost(r.Host)
		if s.cfg.HSTS > 0 && r.TLS != nil && named && !httpdoor.IsAddress(name) && !httpdoor.IsLoopbackName(name) {
			h.Set("Strict-Transport-Security", "max-age="+strconv.FormatInt(int64(s.cfg.HSTS/time.Second), 10))
		}
		if s.door.Secure(r) || httpdoor.IsLoopbackName(name) {
			// Elsewhere browsers ignore it and write a warning to their console.
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
		}
		next.ServeHTTP(w, r)
	})
}

// limitBodyTime limits how long any request's body may take. What a handler leaves
// unread net/http reads, before the answer goes out.
func limitBodyTime(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			// a connection without deadlines waits
			http.NewResponseController(w).SetReadDeadline(time.Now().Add(rest.BodyTimeout))
		}
		next.ServeHTTP(w, r)
	})
}

// recoverHandler logs a panic as an error. net/http would log it among the many lines
// that scanners cause. The connection is cut, because a part of the answer may have been
// sent.
func (s *Server) recoverHandler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v != http.ErrAbortHandler {
				s.links.ReportPanic(v)
			}
			panic(http.ErrAbortHandler)
		}()
		next.ServeHTTP(w, r)
	})
}

// withoutTimeout lets an answer take as long as it likes.
func withoutTimeout(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).SetWriteDeadline(time.Time{}) // a writer without deadlines has none to lift
		next(w, r)
	}
}

// noRoute answers requests that no route matches: with 405 if another method would
// match, else with 404.
func (s *Server) noRoute(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var allow []string
		for _, method := range []string{
			http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		} {
			probe := r.Clone(r.Context())
			probe.Method = method
			if _, pattern := mux.Handler(probe); strings.HasPrefix(pattern, method) {
				allow = append(allow, method)
			}
		}
		if len(allow) == 0 {
			s.door.Refuse(w, r, &chat.Error{Code: chat.NotFound, Message: "There is nothing at this address."})
			return
		}
		w.Header().Set("Allow", strings.Join(allow, ", "))
		p := s.door.Problem(r.Context(), &chat.Error{
			Code:    chat.BadRequest,
			Message: fmt.Sprintf("This address takes no %s, only %s.", r.Method, strings.Join(allow, " and ")),
		})
		p.Status = http.StatusMethodNotAllowed
		p.Write(w)
	}
}
