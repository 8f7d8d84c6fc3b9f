package server

import (
	"net/http"
	"time"
)

// writeTimeout is how long an answer may take to be taken. Connections that
// stay open have rules of their own.
const writeTimeout = time.Minute

// bodyTimeout is how long a client may take to send a request's body.
const bodyTimeout = 10 * time.Second

// routes says which address is answered by what.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()

	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /r/{room...}", s.room)
	mux.Handle("/assets/", s.site.Assets())

	mux.HandleFunc("GET /ws", s.ws)
	mux.HandleFunc("GET /chatroom/{room}", s.chatroom)
	if s.cfg.DebugEcho {
		mux.HandleFunc("GET /debug/echo", s.echo)
	}
	mux.HandleFunc("GET /api/rooms/{room}/events", forLong(s.events))
	s.rest(mux)
	mux.Handle("GET /metrics", s.metrics.handler())

	nowhere := s.nowhere(mux)
	mux.HandleFunc("/api/", nowhere)
	mux.HandleFunc("/", s.elsewhere(nowhere))
	return s.headers(s.guard(s.scoped(mux)))
}

// headers sets what holds for every answer. It leaves w as it is, so that
// connections can be hijacked.
func (s *Server) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		if len(s.cfg.Domain) > 0 && r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// inTime limits how long any request's body may take. What a handler leaves
// unread net/http reads, before the answer goes out.
func inTime(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout)) // a connection without deadlines waits
		}
		next.ServeHTTP(w, r)
	})
}

// caught tells the operator of a panic, which net/http would tell among the
// noise of scanners. The connection is cut: part of an answer may be out.
func (s *Server) caught(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v != http.ErrAbortHandler {
				s.panicked(v)
			}
			panic(http.ErrAbortHandler)
		}()
		next.ServeHTTP(w, r)
	})
}

// forLong lets an answer take as long as it likes.
func forLong(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).SetWriteDeadline(time.Time{}) // a writer without deadlines has none to lift
		next(w, r)
	}
}
