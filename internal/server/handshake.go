package server

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"parley/internal/chat"
)

// webSocketVersion is the only version of WebSocket (RFC 6455 §4.1).
const webSocketVersion = "13"

// shakesHands reports whether a request is a WebSocket handshake as in RFC 6455
// §4.2.1. It refuses other requests.
func (s *Server) shakesHands(w http.ResponseWriter, r *http.Request) bool {
	if why := badHandshake(r); why != "" {
		w.Header().Set("Connection", "close") // the client is not one for WebSockets
		s.door.Refuse(w, r, &chat.Error{Code: chat.BadRequest, Message: why})
		return false
	}
	if !slices.Equal(r.Header.Values("Sec-WebSocket-Version"), []string{webSocketVersion}) {
		w.Header().Set("Sec-WebSocket-Version", webSocketVersion)
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade") // the client may try again on this connection (RFC 6455 §4.4)
		p := s.door.Problem(r.Context(), &chat.Error{
			Code: chat.BadRequest, Message: "This server speaks version 13 of WebSocket, the one of RFC 6455.",
		})
		p.Status = http.StatusUpgradeRequired
		p.Write(w)
		return false
	}
	// Both headers may be lists in several lines (RFC 9110 §5.3), which the upgrader
	// does not know.
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	return true
}

// badHandshake returns what is wrong with a handshake, apart from its version; ""
// if nothing is.
func badHandshake(r *http.Request) string {
	keys := r.Header.Values("Sec-WebSocket-Key")
	switch {
	case r.Method != http.MethodGet: // RFC 6455 §4.1
		return "A WebSocket begins with a GET."
	case !hasToken(r.Header.Values("Upgrade"), "websocket"):
		return "This address speaks WebSocket (RFC 6455): ask for an upgrade."
	case !r.ProtoAtLeast(1, 1) || r.ProtoMajor > 1:
		return "A WebSocket begins with a request of HTTP/1.1."
	case !hasToken(r.Header.Values("Connection"), "upgrade"):
		return "An upgrade has to be named in the header Connection."
	case len(keys) != 1:
		return "A WebSocket begins with one Sec-WebSocket-Key."
	}
	if key, err := base64.StdEncoding.Strict().DecodeString(keys[0]); err != nil || len(key) != 16 {
		return "Sec-WebSocket-Key is 16 bytes in base64."
	}
	return ""
}

// hasToken reports whether a comma-separated list in one or more lines contains
// token, in upper or lower case.
func hasToken(lines []string, token string) bool {
	for _, line := range lines {
		for word := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(word), token) {
				return true
			}
		}
	}
	return false
}
