package server

import (
	"net/http"
	"time"
)

// writeTimeout is how long an answer may take to be taken. Connections that
// stay open have rules of their own.
const writeTimeout = time.Minute

// routes says which address is answered by what.
func (s *Server) routes() (http.Handler, error) {
	mux := http.NewServeMux()

	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /r/{room...}", s.room)
	mux.Handle("/assets/", s.site.Assets())

	mux.HandleFunc("GET /ws", s.ws)
	mux.HandleFunc("GET /chatroom/{room}", s.chatroom)
	mux.HandleFunc("GET /api/rooms/{room}/events", forLong(s.events))
	if err := s.rest(mux); err != nil {
		return nil, err
	}
	mux.Handle("GET /metrics", s.metrics.handler())

	nowhere := s.nowhere(mux)
	mux.HandleFunc("/api/", nowhere)
	mux.HandleFunc("/", s.elsewhere(nowhere))
	return s.headers(s.guard(mux)), nil
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

// forLong lets an answer take as long as it likes.
func forLong(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).SetWriteDeadline(time.Time{}) // a writer without deadlines has none to lift
		next(w, r)
	}
}
