package server

import (
	"net/http"
	"net/url"
	"strings"

	"parley/internal/chat"
	"parley/internal/httpdoor"
)

// home shows the page on which a room is chosen.
func (s *Server) home(w http.ResponseWriter, r *http.Request) { s.site.ServeIndex(w, r, http.StatusOK) }

// room shows the page of a room, at the one address that the room has. Whoever
// writes its name in another way is sent there. If no room can have the name, the
// page says why.
func (s *Server) room(w http.ResponseWriter, r *http.Request) {
	given := r.PathValue("room")
	name, err := chat.ParseRoomName(strings.TrimSuffix(given, "/"))
	if err != nil {
		s.counted(chat.CodeOf(err))
		s.site.ServeIndex(w, r, http.StatusBadRequest)
		return
	}
	if given != string(name) {
		there := url.URL{Path: "/r/" + string(name), RawQuery: r.URL.RawQuery}
		http.Redirect(w, r, there.String(), http.StatusTemporaryRedirect)
		return
	}
	s.site.ServeIndex(w, r, http.StatusOK)
}

// notFound answers for an address that is nobody's: with the page for a
// person, with a problem for a program.
func (s *Server) notFound(nowhere http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if httpdoor.WantsPage(r) {
			s.counted(chat.NotFound)
			s.site.ServeIndex(w, r, http.StatusNotFound)
			return
		}
		nowhere(w, r)
	}
}
